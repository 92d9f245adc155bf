/*
 * The questions of the data plane (directory.h).
 *
 * Each is one or two look-ups by an index; EXPLAIN QUERY PLAN is held against
 * that in questions_test.c.
 */
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "directory/sql.h"

const char *const kind_words[] = { "user", "group", "shared mailbox", NULL };

struct trusted {
	struct inet_block block;
	int64_t system;
};

/*
 * Trusted blocks are few and asked for at each connection: they are read
 * anew only when the file has changed.
 */
struct directory {
	struct sql *sql;
	struct sql_file file;
	struct damage *damage; /* NULL: nobody checks */
	struct trusted *trusted;
	size_t n_trusted;
	uint64_t trusted_version;  /* 0: not read */
	uint64_t without_filters;  /* the version that has none; 0: unknown */
	uint64_t verifies_version; /* 0: not asked */
	enum answer verifies;
	unsigned depth;    /* of directory_begin() */
	uint64_t snapshot; /* the version since then; 0: not asked */
};

struct directory *directory_open_wary(const char *path, struct damage *damage)
{
	struct directory *d = must_alloc(sizeof(*d));

	*d = (struct directory){ .file = directory_file, .damage = damage };
	if (damage)
		d->file.damaged = &damage->met;
	d->sql = sql_open(&d->file, path, SQL_READ);
	if (d->sql)
		return d;
	free(d);
	return NULL;
}

struct directory *directory_open(const char *path)
{
	return directory_open_wary(path, NULL);
}

void directory_close(struct directory *d)
{
	if (!d)
		return;
	sql_close(d->sql);
	free(d->trusted);
	free(d);
}

struct directory *directory_on(struct sql *s)
{
	struct directory *d = must_alloc(sizeof(*d));

	/* As if begun: a BEGIN within a transaction would end it. */
	*d = (struct directory){ .sql = s, .depth = 1 };
	return d;
}

void directory_off(struct directory *d)
{
	if (!d)
		return;
	free(d->trusted);
	free(d);
}

struct sql *directory_sql(struct directory *d)
{
	return d->sql;
}

uint64_t *directory_without_filters(struct directory *d)
{
	return &d->without_filters;
}

/* The first question takes the snapshot; a read-only COMMIT cannot fail in a
 * way that matters. */
void directory_begin(struct directory *d)
{
	if (d->depth++ > 0)
		return;
	d->snapshot = 0;
	if (!sql_run(d->sql, "BEGIN", ""))
		sql_rollback(d->sql);
}

void directory_end(struct directory *d)
{
	check(d->depth > 0);
	if (--d->depth == 0 && !sql_run(d->sql, "COMMIT", ""))
		sql_rollback(d->sql);
}

uint64_t directory_version(struct directory *d)
{
	int64_t version = 0;

	if (d->depth > 0 && d->snapshot)
		return d->snapshot;
	if (sql_int(d->sql, &version, "PRAGMA data_version", "") != ANSWER_YES)
		return 0;
	d->snapshot = d->depth > 0 ? (uint64_t)version : 0;
	return (uint64_t)version;
}

/* ---- damage ---- */

static bool is_doubted(const struct directory *d, unsigned about)
{
	return d->damage && atomic_load(&d->damage->doubts) & about;
}

static enum answer unsure(void)
{
	fail("directory.db is damaged");
	return ANSWER_UNSURE;
}

/* NO, unless what it is ABOUT may have been lost. */
static enum answer sure(const struct directory *d, enum answer a,
			unsigned about)
{
	return a == ANSWER_NO && is_doubted(d, about) ? unsure() : a;
}

/* ---- domains ---- */

#define DOMAIN_COLUMNS \
	"d.id, d.name, d.relay, d.forward_unknown, d.catch_all, " \
	"d.postmaster, d.own_senders, d.max_message_bytes, d.from_header, " \
	"d.relay_is_elsewhere, d.outgoing"

static bool read_outgoing(struct query *q, int column, struct arena *arena,
			  struct outgoing *out)
{
	return outgoing_parse(query_text(q, column, arena), out);
}

static enum answer read_domain(struct directory *d, struct query *q,
			       struct arena *arena, struct domain *out)
{
	enum answer a = query_next(q);

	if (a != ANSWER_YES)
		return sure(d, a, DOUBT_DOMAINS);
	*out = (struct domain){
		.id = query_int(q, 0),
		.name = query_text(q, 1, arena),
		.relay = query_text(q, 2, arena),
		.forward_unknown = query_int(q, 3) != 0,
		.catch_all = query_text(q, 4, arena),
		.postmaster = query_text(q, 5, arena),
		.own_senders = (enum own_senders)query_int(q, 6),
		.max_message_bytes = (uint64_t)query_int(q, 7),
		.relay_is_elsewhere = query_int(q, 9) != 0,
		.from_header = (enum from_header)query_int(q, 8),
	};
	return read_outgoing(q, 10, arena, &out->outgoing) ? a : unsure();
}

enum answer directory_domain(struct directory *d, struct str name,
			     struct arena *arena, struct domain *out)
{
	struct query q scoped(query) =
		sql_query(d->sql,
			  "SELECT " DOMAIN_COLUMNS " FROM domain_name n "
			  "JOIN domain d ON d.id = n.domain WHERE n.name = ?",
			  "s", name);

	return read_domain(d, &q, arena, out);
}

enum answer directory_verifies(struct directory *d)
{
	uint64_t version = directory_version(d);
	int64_t one;

	if (version && version == d->verifies_version)
		return d->verifies;
	d->verifies = sql_int(d->sql, &one,
			      "SELECT 1 FROM domain WHERE own_senders = ? "
			      "LIMIT 1",
			      "i", (int64_t)OWN_SENDERS_VERIFY);
	d->verifies_version = d->verifies == ANSWER_UNSURE ? 0 : version;
	return d->verifies;
}

enum answer directory_first_domain(struct directory *d, struct arena *arena,
				   struct domain *out)
{
	struct query q scoped(query) =
		sql_query(d->sql,
			  "SELECT " DOMAIN_COLUMNS " FROM domain d "
			  "ORDER BY d.id LIMIT 1",
			  "");

	return read_domain(d, &q, arena, out);
}

/* ---- addresses ---- */

static enum answer read_forwards(struct directory *d, struct arena *arena,
				 struct holder *h)
{
	struct query q scoped(query) =
		sql_query(d->sql,
			  "SELECT spelling FROM forward WHERE holder = ? "
			  "ORDER BY id",
			  "i", h->id);

	return query_strings(&q, arena, &h->forwards, &h->n_forwards);
}

static void read_holder(struct query *q, struct arena *arena,
			struct holder *out)
{
	*out = (struct holder){
		.id = query_int(q, 0),
		.kind = (enum holder_kind)query_int(q, 1),
		.enabled = query_int(q, 2) != 0,
		.login = query_text(q, 3, arena),
		.mail_system = (enum home)query_int(q, 4),
		.routed = query_int(q, 5) != 0,
		.home = (enum home)query_int(q, 6),
		.system = query_int(q, 7),
		.forward_keeps_copy = query_int(q, 8) != 0,
		.all_aliases = query_int(q, 9) != 0,
		.builtin = query_int(q, 10) != 0,
	};
}

/* A holder's own address comes before the builtin one, left@name before
 * left@*. */
static int precedence(bool builtin, bool all_aliases)
{
	return (builtin ? 0 : 2) + (all_aliases ? 0 : 1);
}

/*
 * There are one or two rows, and the best is chosen here: for ORDER BY or IN
 * SQLite makes a table of its own, which costs more than all the rest.  The
 * "+" keeps it from making an IN of the OR.
 */
enum answer directory_address(struct directory *d, const struct domain *domain,
			      struct str local, struct str name,
			      struct arena *arena, struct holder *out)
{
	struct query q scoped(query) = sql_query(
		d->sql,
		"SELECT h.id, h.kind, h.enabled, h.login, h.mail_system, "
		"a.routed, a.home, h.system, h.forward_keeps_copy, "
		"a.name = '*', a.builtin, "
		"EXISTS (SELECT 1 FROM forward f WHERE f.holder = h.id) "
		"FROM address a JOIN holder h ON h.id = a.holder "
		"WHERE a.domain = ? AND a.local = ? AND "
		"(+a.name = ? OR +a.name = '*')",
		"iss", domain->id, local, name);
	bool has_forwards = false;
	enum answer a;
	int best = -1;

	while ((a = query_next(&q)) == ANSWER_YES) {
		int p = precedence(query_int(&q, 10) != 0,
				   query_int(&q, 9) != 0);

		if (p < best)
			continue;
		best = p;
		read_holder(&q, arena, out);
		has_forwards = query_int(&q, 11) != 0;
	}
	if (a == ANSWER_UNSURE || best < 0)
		return sure(d, a, DOUBT_ADDRESSES);
	return has_forwards ? read_forwards(d, arena, out) : ANSWER_YES;
}

enum answer directory_members(struct directory *d, int64_t group, size_t most,
			      struct arena *arena, const struct str **out,
			      size_t *n)
{
	struct query q scoped(query) =
		sql_query(d->sql,
			  "SELECT spelling FROM member WHERE holder = ? "
			  "ORDER BY id LIMIT ?",
			  "ii", group, (int64_t)most);

	if (is_doubted(d, DOUBT_MEMBERS))
		return unsure();
	return query_strings(&q, arena, out, n);
}

enum answer directory_login_holds(struct directory *d, struct str login,
				  struct str right)
{
	int64_t found = 0;

	return sure(
		d,
		sql_int(d->sql, &found,
			"SELECT 1 FROM holder WHERE login = ? AND "
			"mailbox || '.' || password_changes = ? AND kind = 0 "
			"AND enabled AND mail_system = 0 AND "
			"password <> ''",
			"ss", login, right),
		DOUBT_ADDRESSES);
}

static enum answer has_address(struct directory *d, struct str login,
			       struct str local, struct str domain)
{
	int64_t found = 0;

	return sql_int(d->sql, &found,
		       "SELECT 1 FROM domain_name n "
		       "JOIN address a ON a.domain = n.domain AND a.local = ? "
		       "AND (+a.name = n.name OR +a.name = '*') "
		       "AND a.builtin = 0 "
		       "JOIN holder h ON h.id = a.holder "
		       "WHERE n.name = ? AND h.login = ? AND h.kind = 0 AND "
		       "h.enabled AND h.mail_system = 0",
		       "sss", local, domain, login);
}

/* Upwards, from him to the groups he is in: they are few, whatever the size of
 * the group that is written as. */
static enum answer may_use_address(struct directory *d, struct str login,
				   struct str local, struct str domain)
{
	int64_t found = 0;

	return sql_int(
		d->sql, &found,
		"WITH RECURSIVE target (id, members) AS ("
		"SELECT h.id, h.members_may_send FROM domain_name n "
		"JOIN address a ON a.domain = n.domain AND a.local = ?1 "
		"AND (+a.name = n.name OR +a.name = '*') AND a.builtin = 0 "
		"JOIN holder h ON h.id = a.holder WHERE n.name = ?2 AND "
		"h.kind <> 0 AND h.enabled), "
		"his (id) AS ("
		"SELECT id FROM holder WHERE login = ?3 AND kind = 0 AND "
		"enabled AND mail_system = 0 "
		"UNION SELECT g.id FROM his "
		"JOIN address a ON a.holder = his.id AND a.builtin = 0 "
		"JOIN domain_name n ON n.domain = a.domain AND "
		"(+a.name = n.name OR +a.name = '*') "
		"JOIN member m ON m.local = a.local AND m.domain = n.name "
		"JOIN holder g ON g.id = m.holder AND g.enabled "
		/* left+detail is left's, unless somebody has it */
		"UNION SELECT g.id FROM his "
		"JOIN address a ON a.holder = his.id AND a.builtin = 0 "
		"JOIN domain_name n ON n.domain = a.domain AND "
		"(+a.name = n.name OR +a.name = '*') "
		"JOIN member m ON m.local >= a.local || '+' AND "
		"m.local < a.local || ',' AND +m.domain = n.name AND NOT EXISTS "
		"(SELECT 1 FROM address o WHERE o.domain = a.domain AND "
		"o.local = m.local AND (+o.name = n.name OR +o.name = '*') AND "
		"o.builtin = 0) "
		"JOIN holder g ON g.id = m.holder AND g.enabled) "
		"SELECT 1 FROM target t JOIN his ON "
		"(t.members AND t.id = his.id) OR EXISTS (SELECT 1 FROM "
		"sender s WHERE s.holder = t.id AND s.who = his.id) LIMIT 1",
		"sss", local, domain, login);
}

static enum answer may_send_as(struct directory *d, struct str login,
			       struct str local, struct str domain)
{
	enum answer a = has_address(d, login, local, domain);

	return a == ANSWER_NO ? may_use_address(d, login, local, domain) : a;
}

enum answer directory_may_send_as(struct directory *d, struct str login,
				  struct str local, struct str domain)
{
	enum answer a = may_send_as(d, login, local, domain);
	ptrdiff_t plus = str_find(local, '+');

	if (a == ANSWER_NO && plus > 0)
		a = may_send_as(d, login, str_part(local, 0, (size_t)plus),
				domain);
	return sure(d, a, DOUBT_DOMAINS | DOUBT_ADDRESSES);
}

/* ---- systems ---- */

#define SYSTEM_COLUMNS \
	"id, name, hosts, tls, user, password, may_relay, smart_host, " \
	"when_down, connections, mails_per_connection, " \
	"recipients_per_mail, mails_per_minute, address_family, outgoing, " \
	"xclient"

static enum answer read_system(struct directory *d, struct query *q,
			       struct arena *arena, struct system *out)
{
	enum answer a = query_next(q);

	if (a != ANSWER_YES)
		return sure(d, a, DOUBT_SYSTEMS);
	*out = (struct system){
		.id = query_int(q, 0),
		.name = query_text(q, 1, arena),
		.hosts = query_text(q, 2, arena),
		.tls = (enum system_tls)query_int(q, 3),
		.user = query_text(q, 4, arena),
		.password = query_text(q, 5, arena),
		.may_relay = query_int(q, 6) != 0,
		.smart_host = query_int(q, 7) != 0,
		.when_down = (enum when_down)query_int(q, 8),
		.limits = {
			.connections = (unsigned)query_int(q, 9),
			.mails_per_connection = (unsigned)query_int(q, 10),
			.recipients_per_mail = (unsigned)query_int(q, 11),
			.mails_per_minute = (unsigned)query_int(q, 12),
			.family = (enum address_family)query_int(q, 13),
		},
		.xclient = query_int(q, 15) != 0,
	};
	return read_outgoing(q, 14, arena, &out->limits.outgoing) ? a
								  : unsure();
}

enum answer directory_system(struct directory *d, int64_t id,
			     struct arena *arena, struct system *out)
{
	struct query q scoped(query) = sql_query(
		d->sql, "SELECT " SYSTEM_COLUMNS " FROM system WHERE id = ?",
		"i", id);

	return read_system(d, &q, arena, out);
}

enum answer directory_system_named(struct directory *d, struct str name,
				   struct arena *arena, struct system *out)
{
	struct query q scoped(query) =
		sql_query(d->sql,
			  "SELECT " SYSTEM_COLUMNS " FROM system "
			  "WHERE name = lower(?)",
			  "s", name);

	return read_system(d, &q, arena, out);
}

enum answer directory_smart_host(struct directory *d, struct arena *arena,
				 struct system *out)
{
	struct query q scoped(query) =
		sql_query(d->sql,
			  "SELECT " SYSTEM_COLUMNS " FROM system "
			  "WHERE smart_host = 1",
			  "");

	return read_system(d, &q, arena, out);
}

static bool read_trusted(struct directory *d, struct arena *arena)
{
	struct query q scoped(query) =
		sql_query(d->sql, "SELECT block, system FROM trust", "");
	struct trusted *t = NULL;
	size_t n = 0;
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		t = must_realloc(t, (n + 1) * sizeof(*t));
		t[n].system = query_int(&q, 1);
		if (!inet_block_parse(query_text(&q, 0, arena), &t[n].block)) {
			fail("directory.db: a trusted block is malformed.");
			a = ANSWER_UNSURE;
			break;
		}
		n++;
	}
	if (a == ANSWER_UNSURE) {
		free(t);
		return false;
	}
	free(d->trusted);
	d->trusted = t;
	d->n_trusted = n;
	return true;
}

/*
 * The version is read before the rows: a change in between is read again.
 */
static bool refresh_trusted(struct directory *d, struct arena *arena)
{
	uint64_t version = directory_version(d);

	if (version == 0)
		return false;
	if (version == d->trusted_version)
		return true;
	if (!read_trusted(d, arena))
		return false;
	d->trusted_version = version;
	return true;
}

/* The narrowest block decides. */
enum answer directory_trusted(struct directory *d, const struct inet *peer,
			      struct arena *arena, struct system *out)
{
	const struct trusted *best = NULL;

	if (!refresh_trusted(d, arena))
		return ANSWER_UNSURE;
	for (size_t i = 0; i < d->n_trusted; i++) {
		const struct trusted *t = &d->trusted[i];

		if (inet_in_block(peer, &t->block) &&
		    (!best || t->block.bits > best->block.bits))
			best = t;
	}
	return best ? directory_system(d, best->system, arena, out)
		    : sure(d, ANSWER_NO, DOUBT_SYSTEMS);
}

struct system directory_relay(const struct domain *domain)
{
	return (struct system){
		.name = domain->relay,
		.hosts = domain->relay,
		.is_elsewhere = domain->relay_is_elsewhere,
		.tls = SYSTEM_TLS_OPPORTUNISTIC,
		.user = S(""),
		.password = S(""),
		.when_down = DOWN_KEEP_KNOWN,
	};
}

/* ---- this node ---- */

static bool from_hex(struct str hex, void *to, size_t n)
{
	size_t got = 0;

	if (sodium_hex2bin(to, n, hex.p, hex.n, NULL, &got, NULL) != 0 ||
	    got != n)
		return fail("directory.db: the node's identity is damaged.");
	return true;
}

bool directory_node(struct directory *d, struct node *out)
{
	struct query q scoped(query) =
		sql_query(d->sql, "SELECT id, key FROM node", "");
	struct arena *arena scoped(arena) = arena_open();
	enum answer a = query_next(&q);
	uint8_t id[8];
	struct str text;

	if (a != ANSWER_YES)
		return a == ANSWER_NO
			       ? fail("directory.db: there is no node in it.")
			       : false;
	text = query_text(&q, 0, arena);
	if (!from_hex(text, id, sizeof(id)) ||
	    !from_hex(query_text(&q, 1, arena), out->key, sizeof(out->key)))
		return false;
	memcpy(out->id, text.p, sizeof(out->id));
	return true;
}
