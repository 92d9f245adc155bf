/*
 * The administrator's hands on queue.db (tools.h): its statements, and which
 * messages a filter means.
 */
#include "queue/tools_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rt/clock.h"
#include "rt/folder.h"
#include "wire/address.h"

/* The parameters of every statement: ?1 message, ?2 time or last message,
 * ?3 recipient, ?4 system, ?5 domain, ?6 kind of next hop; NULL matches all. */
#define MATCHES \
	" (?3 IS NULL OR address = ?3 COLLATE NOCASE" \
	"  OR (instr(?3, '@') = 0 AND" \
	"      substr(address, 1, length(?3) + 1) = ?3 || '@' COLLATE NOCASE))" \
	" AND (?4 IS NULL OR system = ?4 COLLATE NOCASE)" \
	" AND (?6 IS NULL OR next_hop = ?6)" \
	" AND (?5 IS NULL OR domain = ?5)"

static const char *const texts[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[LOOK] = "BEGIN",
	[COMMIT] = "COMMIT",
	/* clang-format off */
	[NEXT_BY_DOMAIN] = "SELECT DISTINCT message FROM recipient"
		" INDEXED BY recipient_domain WHERE domain = ?5"
		" AND message > ?2 AND" MATCHES " ORDER BY message LIMIT 500",
	[NEXT_BY_ID] = "SELECT DISTINCT message FROM recipient"
		" WHERE message = ?1 AND message > ?2 AND" MATCHES,
	[NEXT_OF_ALL] = "SELECT DISTINCT message FROM recipient"
		" WHERE message > ?2 AND" MATCHES " ORDER BY message LIMIT 500",
	[NEXT_OF_MESSAGES] = "SELECT row FROM message WHERE row > ?2"
		" ORDER BY row LIMIT 500",
	[MESSAGE] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE row = ?1",
	[RECIPIENTS] = "SELECT " RECIPIENT_COLUMNS " FROM recipient"
		" WHERE message = ?1 AND" MATCHES " ORDER BY row",
	[BODY] = "SELECT bytes FROM body WHERE message = ?1",
	/* ?2 bytes of it */
	[HEAD] = "SELECT substr(bytes, 1, ?2) FROM body WHERE message = ?1",
	/* Beside min() the other columns are of the row where it was found. */
	[LOADS] = "SELECT system, n, held_n, oldest, held, next_attempt, code,"
		" status, reply, remote, next_hop,"
		" (SELECT arrived FROM message WHERE row = oldest)"
		" FROM (SELECT system, count(*) AS n, sum(held) AS held_n,"
		" min(message) AS oldest, held, next_attempt, code, status,"
		" reply, remote, next_hop"
		" FROM recipient WHERE (?5 IS NULL OR domain = ?5)"
		" GROUP BY system, next_hop) ORDER BY system, next_hop",
	[TOTAL] = "SELECT count(*), coalesce(sum(bytes), 0), min(arrived)"
		" FROM message WHERE ?5 IS NULL OR row IN"
		" (SELECT message FROM recipient WHERE domain = ?5)",
	[VERSION] = "PRAGMA data_version",
	[CLOCK] = "SELECT wall - queue FROM clock WHERE row = 1",
	/* The remainders keep the sums of very many in range. */
	[MARK] = "SELECT count(*), coalesce(sum(message % 1000000007), 0),"
		" coalesce(sum(next_attempt % 1000000007), 0),"
		" coalesce(sum(attempts), 0), coalesce(sum(held), 0)"
		" FROM recipient WHERE domain = ?5",
	[DEADLY] = "SELECT DISTINCT message FROM recipient WHERE verdict = 2"
		" ORDER BY message LIMIT ?1",
	[BODIES] = "SELECT spool FROM message WHERE spool IS NOT NULL",
	[DOMAINS] = "SELECT domain, count(*) FROM recipient GROUP BY domain",
	/* 0: before all others, and whatever is known of the next hop */
	[RETRY] = "UPDATE recipient SET next_attempt = 0"
		" WHERE message = ?1 AND held = 0 AND" MATCHES,
	[HOLD] = "UPDATE recipient SET held = 1"
		" WHERE message = ?1 AND held = 0 AND" MATCHES,
	[RELEASE] = "UPDATE recipient SET held = 0,"
		" verdict = CASE verdict WHEN 2 THEN 0 ELSE verdict END"
		" WHERE message = ?1 AND held = 1 AND" MATCHES,
	[DELETE] = "DELETE FROM recipient WHERE message = ?1 AND" MATCHES,
	[BOUNCE] = "UPDATE recipient SET verdict = 1, held = 0,"
		" next_attempt = 0 WHERE message = ?1 AND" MATCHES,
	[END_MESSAGE] = "DELETE FROM message WHERE row = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM recipient WHERE message = ?1)",
	[END_BODY] = "DELETE FROM body WHERE message = ?1",
	/* clang-format on */
};

/* ---- opening ---- */

static char *join(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = must_alloc(n);

	snprintf(path, n, "%s/%s", folder, name);
	return path;
}

static bool open_db(struct tools *t, const char *folder)
{
	char *path = join(folder, "queue.db");
	bool is_denied = access(path, R_OK | W_OK) && errno == EACCES;
	bool ok;

	if (is_denied) {
		ok = fail("%s: %m", path);
	} else if (!folder_is_there(path)) {
		ok = folder_is_there(t->spool.folder) ||
		     fail("%s: %m; %s is no data folder", t->spool.folder,
			  folder);
	} else {
		ok = store_connect(path, false, &t->sql) &&
		     (!t->sql ||
		      store_prepare(t->sql, texts, STATEMENTS, t->st));
	}
	free(path);
	return ok;
}

struct tools *tools_open(const char *folder)
{
	struct tools *t = must_alloc(sizeof(*t));

	*t = (struct tools){ .spool.folder = join(folder, "spool") };
	if (open_db(t, folder))
		return t;
	tools_close(t);
	return NULL;
}

void tools_close(struct tools *t)
{
	if (!t)
		return;
	sql_close(t->sql);
	free(t->spool.folder);
	free(t);
}

/* ---- statements ---- */

bool tools_next_row(struct tools *t, enum statement which, bool *row)
{
	enum sql_verdict v = query_step(&t->st[which]);

	*row = v == SQL_ROW;
	t->is_damaged = v == SQL_DAMAGED;
	return !sql_is_trouble(v);
}

bool tools_run(struct tools *t, enum statement which)
{
	bool row, ok = tools_next_row(t, which, &row);

	query_reset(&t->st[which]);
	return ok;
}

void tools_undo(struct tools *t)
{
	sql_rollback(t->sql);
}

static void set_int(struct query *q, int at, bool is_there, int64_t n)
{
	if (at > query_parameters(q))
		return; /* this statement needs less */
	if (is_there)
		query_set_int(q, at, n);
	else
		query_set_null(q, at);
}

static void set_str(struct query *q, int at, struct str s)
{
	if (at <= query_parameters(q) && !str_empty(s))
		query_set_str(q, at, s);
	else
		set_int(q, at, false, 0);
}

struct query *tools_bind(struct tools *t, enum statement which,
			 const struct match *m, int64_t number, int64_t second)
{
	struct query *q = &t->st[which];

	set_int(q, 1, true, number);
	set_int(q, 2, true, second);
	set_str(q, 3, m->recipient);
	set_str(q, 4, m->system);
	set_str(q, 5, m->domain);
	set_int(q, 6, m->has_next_hop, m->next_hop);
	return q;
}

/* A reading transaction. */
bool tools_look(struct tools *t)
{
	bool row, ok = tools_run(t, LOOK) && tools_next_row(t, CLOCK, &row);

	if (ok && row)
		t->ahead_ms = query_int(&t->st[CLOCK], 0);
	query_reset(&t->st[CLOCK]);
	return ok;
}

/* People read the wall clock. */
int64_t tools_as_wall(const struct tools *t, int64_t queue_ms)
{
	return queue_ms ? queue_ms + t->ahead_ms : wall_ms();
}

/* ---- filters ---- */

static bool match_domain(const struct queue_filter *f, struct arena *a,
			 struct match *out)
{
	struct address address;

	if (!str_empty(f->domain))
		return domain_parse(f->domain, a, &out->domain);
	/* a recipient's domain finds it by index */
	if (!str_empty(f->recipient) &&
	    address_parse(f->recipient, a, &address))
		out->domain = address.domain;
	return true;
}

/* *NONE: nothing can match. */
bool tools_match(const struct queue_filter *f, struct arena *a,
		 struct match *out, bool *none)
{
	*out = (struct match){ .number = id_number(f->id),
			       .recipient = f->recipient,
			       .system = f->system,
			       .next = NEXT_OF_ALL };
	out->has_next_hop = !str_empty(f->next_hop);
	*none = !str_empty(f->id) && !out->number;
	if (out->has_next_hop && !next_hop_kind_of(f->next_hop, &out->next_hop))
		return fail("\"%.*s\" is no kind of next hop",
			    STR(str_part(f->next_hop, 0, 100)));
	if (!match_domain(f, a, out))
		return false;
	if (!str_empty(out->domain))
		out->next = NEXT_BY_DOMAIN;
	if (out->number)
		out->next = NEXT_BY_ID;
	return true;
}

static bool read_page(struct tools *t, enum statement which,
		      const struct match *m, int64_t last, struct page *page)
{
	struct query *q = tools_bind(t, which, m, m->number, last);
	bool ok, row;

	page->n = 0;
	while ((ok = tools_next_row(t, which, &row)) && row &&
	       page->n < TOOLS_PAGE)
		page->number[page->n++] = query_int(q, 0);
	query_reset(q);
	page->is_last = ok && page->n < TOOLS_PAGE;
	return ok;
}

/* Behind a page that is damaged the recipients cannot be walked through, but
 * perhaps their messages. */
bool tools_next_page(struct tools *t, const struct match *m, int64_t last,
		     struct page *page)
{
	if (read_page(t, m->next, m, last, page) || (t->is_damaged && page->n))
		return true;
	if (!t->is_damaged)
		return false;
	if (m->next == NEXT_BY_ID) {
		*page = (struct page){ { m->number }, m->number > last, true };
		return true;
	}
	return read_page(t, NEXT_OF_MESSAGES, m, last, page) ||
	       (t->is_damaged && page->n);
}

/* ---- damage ---- */

void tools_begin(struct tools *t)
{
	t->n_left_out = 0;
	t->left_out[0] = '\0';
}

bool tools_leave_out(struct tools *t, int64_t number)
{
	size_t n = strlen(t->left_out);
	char id[ID_LETTERS + 1];

	if (!t->is_damaged)
		return false;
	id_write(number, id);
	if (t->n_left_out++ < MOST_NAMED)
		snprintf(t->left_out + n, sizeof(t->left_out) - n, "%s%s",
			 n ? ", " : "", id);
	return true;
}

const char *tools_damage(const struct tools *t, struct arena *arena)
{
	if (!t->n_left_out)
		return NULL;
	return arena_printf(
		arena, "queue.db is damaged: %u message%s left out, %s%s",
		t->n_left_out, t->n_left_out == 1 ? " is" : "s are",
		t->left_out, t->n_left_out > MOST_NAMED ? "..." : "");
}
