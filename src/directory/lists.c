/*
 * Lists (lists.h): a cursor each, an arena that forgets after each row.
 */
#include "directory/lists.h"

#include "base/limits.h"
#include "directory/sql.h"
#include "wire/address.h"

/* ---- holders ---- */

static struct holder_entry read_holder(struct query *q, struct arena *row)
{
	return (struct holder_entry){
		.id = query_int(q, 0),
		.kind = (enum holder_kind)query_int(q, 1),
		.login = query_text(q, 2, row),
		.name = query_text(q, 3, row),
		.domain = query_text(q, 4, row),
		.enabled = query_int(q, 5) != 0,
		.builtin = query_int(q, 6) != 0,
		.mail_system = (enum home)query_int(q, 7),
		.system = query_text(q, 8, row),
		.has_own_system = query_int(q, 9) != 0,
		.has_password = query_int(q, 10) != 0,
		.quota_bytes = (uint64_t)query_int(q, 11),
		.forward_keeps_copy = query_int(q, 12) != 0,
		.place = query_text(q, 13, row),
	};
}

/* Indexed as it stands here. */
#define PLACE "coalesce(h.sort_key, h.login)"

#define HOLDER_COLUMNS \
	"SELECT h.id, h.kind, h.login, h.name, d.name, h.enabled, " \
	"h.builtin, h.mail_system, CASE WHEN h.system NOT NULL THEN " \
	"s.name WHEN h.mail_system = 1 THEN d.relay ELSE '' END, " \
	"h.system NOT NULL, h.password <> '', h.quota_bytes, " \
	"h.forward_keeps_copy, " PLACE " FROM holder h " \
	"JOIN domain d ON d.id = h.domain " \
	"LEFT JOIN system s ON s.id = h.system "

/* The filters are written so that the order of the places is what is walked:
 * nothing is sorted. */
bool list_holders(struct directory *d, const struct holder_filter *filter,
		  void (*each)(void *arg, const struct holder_entry *e),
		  void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		HOLDER_COLUMNS
		"WHERE +h.kind = ?1 AND (?2 = 0 OR h.id = ?2) AND "
		"(?3 = 0 OR h.domain = ?3) AND (?4 < 0 OR h.mail_system = ?4) "
		"ORDER BY " PLACE,
		"iiii", (int64_t)filter->kind, filter->id, filter->domain,
		(int64_t)filter->mail_system);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct holder_entry e = read_holder(&q, row);

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

/* ---- pages of holders ---- */

/* ?1 kinds, ?2 domain, ?3 mail system, ?4 system, ?5 enabled, ?6 pattern,
 * ?7 with password, ?8 whose address the pattern is, in whatever spelling. */
#define MATCHES \
	"(1 << +h.kind) & ?1 AND (?2 = 0 OR +h.domain = ?2) AND " \
	"(?3 < 0 OR (+h.kind = 0 AND +h.mail_system = ?3)) AND " \
	"(?4 = '' OR +h.system = (SELECT id FROM system WHERE " \
	"name = lower(?4))) AND (?5 < 0 OR h.enabled = ?5) AND " \
	"(?7 = 0 OR (+h.kind = 0 AND (h.password = '') = (?7 = 2))) AND " \
	"(?6 = '' OR fold(h.login) LIKE fold(?6) ESCAPE '!' OR " \
	"fold(h.name) LIKE fold(?6) ESCAPE '!' OR h.id IN (SELECT holder " \
	"FROM address WHERE fold(local || '@' || name) LIKE fold(?6) " \
	"ESCAPE '!') OR +h.id = ?8) "

static const char *const page_statements[] = {
	[SORT_ADDRESS] = HOLDER_COLUMNS "WHERE " MATCHES "AND " PLACE
					" > ?10 AND ?9 NOT NULL "
					"ORDER BY " PLACE " LIMIT ?11",
	[SORT_ADDRESS_DOWN] = HOLDER_COLUMNS
	"WHERE " MATCHES "AND " PLACE " < ?10 AND ?9 NOT NULL "
	"ORDER BY " PLACE " DESC LIMIT ?11",
	[SORT_NAME] = HOLDER_COLUMNS
	"WHERE " MATCHES "AND (h.name COLLATE NOCASE, " PLACE ") > "
	"(?9, ?10) ORDER BY h.name COLLATE NOCASE, " PLACE " LIMIT ?11",
	[SORT_NAME_DOWN] = HOLDER_COLUMNS
	"WHERE " MATCHES "AND (h.name COLLATE NOCASE, " PLACE ") < "
	"(?9, ?10) ORDER BY h.name COLLATE NOCASE DESC, " PLACE " DESC "
	"LIMIT ?11",
};

/* "%ann!_b%": what LIKE takes. Empty: everything. */
static struct str like_pattern(struct str search, struct arena *arena)
{
	char *p, *to;

	if (str_empty(search))
		return S("");
	p = to = arena_alloc(arena, 2 * search.n + 3);
	*to++ = '%';
	for (size_t i = 0; i < search.n; i++) {
		if (strchr("%_!", search.p[i]))
			*to++ = '!';
		*to++ = search.p[i];
	}
	*to++ = '%';
	return (struct str){ p, (size_t)(to - p) };
}

/* Who is meant by a search that is a whole address, on any name of his domain;
 * 0: nobody.  A question that fails finds nothing more. */
static int64_t meant(struct directory *d, struct str search,
		     struct arena *arena)
{
	int64_t id;

	return str_find(search, '@') > 0 &&
			       find_holder(d, search, arena, &id) == ANSWER_YES
		       ? id
		       : 0;
}

/* Behind every text there is, when a descending page has no start. */
static struct str bound(struct str after, enum holder_sort sort)
{
	bool down = sort == SORT_ADDRESS_DOWN || sort == SORT_NAME_DOWN;

	return down && str_empty(after) ? S("\xf4\x8f\xbf\xbf") : after;
}

bool list_holder_page(struct directory *d, const struct holder_page *page,
		      void (*each)(void *arg, const struct holder_entry *e),
		      void *arg)
{
	struct arena *row scoped(arena) = arena_open();
	struct arena *whole scoped(arena) = arena_open();
	bool start = str_empty(page->after_place);
	struct str name =
		start ? bound(STR_NONE, page->sort) : page->after_name;
	struct query q scoped(query) = sql_query(
		directory_sql(d), page_statements[page->sort], "iiisisiissi",
		(int64_t)page->kinds, page->domain, (int64_t)page->mail_system,
		page->system, (int64_t)page->enabled,
		like_pattern(page->search, whole), (int64_t)page->password,
		meant(d, page->search, whole), name,
		bound(page->after_place, page->sort), page->limit);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct holder_entry e = read_holder(&q, row);

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

enum answer count_holders(struct directory *d, const struct holder_page *page,
			  int64_t *out)
{
	struct arena *whole scoped(arena) = arena_open();

	return sql_int(directory_sql(d), out,
		       "SELECT count(*) FROM holder h WHERE " MATCHES,
		       "iiisisii", (int64_t)page->kinds, page->domain,
		       (int64_t)page->mail_system, page->system,
		       (int64_t)page->enabled,
		       like_pattern(page->search, whole),
		       (int64_t)page->password, meant(d, page->search, whole));
}

enum answer find_holder(struct directory *d, struct str address,
			struct arena *arena, int64_t *id)
{
	struct holder h;
	struct domain domain;
	struct address a;
	enum answer found;

	if (!address_parse(address, arena, &a))
		return ANSWER_NO;
	found = directory_domain(d, a.domain, arena, &domain);
	if (found != ANSWER_YES)
		return found;
	found = directory_address(d, &domain, a.local, a.domain, arena, &h);
	*id = h.id;
	if (found != ANSWER_NO)
		return found;
	return sql_int(directory_sql(d), id,
		       "SELECT id FROM holder WHERE login = ?", "s",
		       address_key(&a, arena));
}

enum answer find_alternate_address(struct directory *d, int64_t domain,
				   struct arena *arena, struct str *out)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT a.local || '@' || "
		"CASE a.name WHEN '*' THEN d.name ELSE a.name END "
		"FROM holder h JOIN domain d ON d.id = h.domain "
		"JOIN address a ON a.holder = h.id AND a.domain = h.domain "
		"WHERE h.domain = ? AND h.kind = 0 AND h.mail_system <> 0 AND "
		"h.mail_system = 1 AND h.enabled AND h.system IS NULL AND "
		"a.routed AND a.local NOT GLOB '*[^a-z0-9._+-]*' LIMIT 1",
		"i", domain);
	enum answer a = query_next(&q);

	if (a == ANSWER_YES)
		*out = query_text(&q, 0, arena);
	return a;
}

bool list_addresses(struct directory *d, int64_t holder,
		    void (*each)(void *arg, const struct address_entry *e),
		    void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT local || '@' || name, is_default, routed, home "
		"FROM address WHERE holder = ? ORDER BY id",
		"i", holder);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct address_entry e = {
			query_text(&q, 0, row),
			query_int(&q, 1) != 0,
			query_int(&q, 2) != 0,
			(enum home)query_int(&q, 3),
		};

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

enum answer list_forwards(struct directory *d, int64_t holder,
			  struct arena *arena, const struct str **out,
			  size_t *n)
{
	struct query q scoped(query) = sql_query(directory_sql(d),
						 "SELECT spelling FROM forward "
						 "WHERE holder = ? ORDER BY id",
						 "i", holder);

	return query_strings(&q, arena, out, n);
}

enum answer list_senders(struct directory *d, int64_t holder,
			 struct arena *arena, const struct str **out, size_t *n)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT 'members' FROM holder WHERE id = ?1 AND "
		"members_may_send UNION ALL SELECT * FROM (SELECT w.login FROM "
		"sender s JOIN holder w ON w.id = s.who WHERE s.holder = ?1 "
		"ORDER BY w.login)",
		"i", holder);

	return query_strings(&q, arena, out, n);
}

/* ---- domains ---- */

static struct domain_entry read_domain(struct query *q, struct arena *row)
{
	return (struct domain_entry){
		.domain = {
			.id = query_int(q, 0),
			.name = query_text(q, 1, row),
			.relay = query_text(q, 2, row),
			.forward_unknown = query_int(q, 3) != 0,
			.catch_all = query_text(q, 4, row),
			.postmaster = query_text(q, 5, row),
			.own_senders = (enum own_senders)query_int(q, 6),
			.max_message_bytes = (uint64_t)query_int(q, 7),
			.from_header = (enum from_header)query_int(q, 14),
		},
		.outgoing = query_text(q, 15, row),
		.description = query_text(q, 8, row),
		.hosted = (uint64_t)query_int(q, 9),
		.alternate = (uint64_t)query_int(q, 10),
		.no_mail = (uint64_t)query_int(q, 11),
		.groups = (uint64_t)query_int(q, 12),
		.shared = (uint64_t)query_int(q, 13),
	};
}

bool list_domains(struct directory *d, struct str name,
		  void (*each)(void *arg, const struct domain_entry *e),
		  void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT d.id, d.name, d.relay, d.forward_unknown, d.catch_all, "
		"d.postmaster, d.own_senders, d.max_message_bytes, "
		"d.description, "
		"count(h.id) FILTER (WHERE h.kind = 0 AND h.mail_system = 0), "
		"count(h.id) FILTER (WHERE h.kind = 0 AND h.mail_system = 1), "
		"count(h.id) FILTER (WHERE h.kind = 0 AND h.mail_system = 3), "
		"count(h.id) FILTER (WHERE h.kind = 1), "
		"count(h.id) FILTER (WHERE h.kind = 2 AND NOT h.builtin), "
		"d.from_header, d.outgoing "
		"FROM domain d LEFT JOIN holder h ON h.domain = d.id "
		"WHERE ?1 = '' OR d.id = "
		"(SELECT domain FROM domain_name WHERE name = ?1) "
		"GROUP BY d.id ORDER BY d.name",
		"s", name);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct domain_entry e = read_domain(&q, row);

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

bool list_domain_names(struct directory *d,
		       void (*each)(void *arg, struct str name, int64_t domain),
		       void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d), "SELECT name, domain FROM domain_name", "");
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		each(arg, query_text(&q, 0, row), query_int(&q, 1));
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

enum answer list_aliases(struct directory *d, int64_t domain,
			 struct arena *arena, const struct str **out, size_t *n)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT n.name FROM domain_name n JOIN domain d ON "
		"d.id = n.domain WHERE n.domain = ? AND n.name <> d.name "
		"ORDER BY n.name",
		"i", domain);

	return query_strings(&q, arena, out, n);
}

/* ---- systems ---- */

bool list_systems(struct directory *d, struct str name,
		  void (*each)(void *arg, const struct system *e), void *arg)
{
	struct query q scoped(query) =
		sql_query(directory_sql(d),
			  "SELECT id FROM system WHERE ?1 = '' OR "
			  "name = lower(?1) ORDER BY name",
			  "s", name);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct system s;

		if (directory_system(d, query_int(&q, 0), row, &s) ==
		    ANSWER_UNSURE)
			return false;
		each(arg, &s);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

bool list_next_systems(struct directory *d, int64_t domain,
		       void (*each)(void *arg, const struct next_hop *h,
				    struct str hosts),
		       void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT name, hosts, 1 FROM system WHERE ?1 = 0 OR id IN "
		"(SELECT system FROM holder WHERE domain = ?1) "
		"UNION SELECT relay, relay, 0 FROM domain "
		"WHERE relay <> '' AND (?1 = 0 OR id = ?1) ORDER BY 1, 3",
		"i", domain);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct next_hop h = {
			query_int(&q, 2) ? NEXT_HOP_SYSTEM : NEXT_HOP_RELAY,
			query_text(&q, 0, row),
		};

		each(arg, &h, query_text(&q, 1, row));
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

enum answer list_trust(struct directory *d, int64_t system, struct arena *arena,
		       const struct str **out, size_t *n)
{
	struct query q scoped(query) =
		sql_query(directory_sql(d),
			  "SELECT block FROM trust WHERE system = ? "
			  "ORDER BY block",
			  "i", system);

	return query_strings(&q, arena, out, n);
}

/* ---- administrators ---- */

bool list_admins(struct directory *d,
		 void (*each)(void *arg, const struct admin_entry *e),
		 void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT a.name, coalesce(d.name, ''), a.role, "
		"a.password <> '', EXISTS (SELECT 1 FROM totp t "
		"WHERE t.admin = a.id AND t.confirmed_at IS NOT NULL) "
		"FROM admin a LEFT JOIN domain d ON d.id = a.domain "
		"ORDER BY a.id",
		"");
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct admin_entry e = {
			query_text(&q, 0, row),
			query_text(&q, 1, row),
			(enum admin_role)query_int(&q, 2),
			query_int(&q, 3) != 0,
			query_int(&q, 4) != 0,
		};

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

/* ---- the change log ---- */

/* The names that ?3 had, and up to which line. */
#define FORMER \
	"WITH RECURSIVE former (name, upto) AS (SELECT ?3, 1 << 60 UNION " \
	"SELECT r.old, r.id FROM former f JOIN change_log r ON " \
	"r.subject = f.name AND r.field = 'renamed' AND r.id < f.upto " \
	"UNION SELECT substr(f.name, 1, instr(f.name, '@')) || r.old, r.id " \
	"FROM former f JOIN change_log r ON instr(f.name, '@') AND " \
	"r.subject = substr(f.name, instr(f.name, '@') + 1) AND " \
	"r.noun = 'domain' AND r.field = 'renamed' AND r.id < f.upto) "

#define MINE "(SELECT domain FROM domain_name WHERE name = ?2)"

/* Who it was, for the domain ?2: an administrator of another one is not named,
 * nor one who is gone and was called after another one. */
#define WHO \
	"CASE WHEN ?2 <> '' AND who LIKE 'console:%' AND coalesce((SELECT " \
	"coalesce(a.domain <> " MINE ", 0) FROM admin a WHERE a.name = " \
	"substr(who, 9)), instr(who, '@') AND substr(who, instr(who, '@') + 1) " \
	"NOT IN (SELECT name FROM domain_name WHERE domain = " MINE " UNION " \
	"SELECT old FROM change_log WHERE domain = " MINE " AND noun = " \
	"'domain' AND field = 'renamed')) " \
	"THEN 'console:another domain' ELSE who END"

/* A domain's own are those that were its own when they were written.  The log
 * is walked from its end, so that the newest page is found at once. */
bool list_changes(struct directory *d, const struct change_page *page,
		  void (*each)(void *arg, const struct change_entry *e),
		  void *arg)
{
	struct arena *whole scoped(arena) = arena_open();
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		FORMER
		"SELECT id, at, " WHO ", noun, subject, field, old, "
		"new, EXISTS (SELECT 1 FROM renaming WHERE change = l.id AND "
		"l.at > unixepoch() - ?6 * 3600) "
		"FROM change_log l WHERE (?1 = 0 OR id < ?1) AND "
		"(?2 = '' OR (l.domain = (SELECT domain FROM domain_name "
		"WHERE name = ?2) AND noun IN "
		"('domain', 'user', 'address', 'group', 'shared'))) AND "
		"(?3 = '' OR EXISTS (SELECT 1 FROM former f WHERE "
		"f.name = l.subject AND l.id <= f.upto)) AND "
		"(?4 = '' OR " WHO " = ?4) AND "
		"(?7 = '' OR fold(subject) LIKE fold(?7) ESCAPE '!' OR "
		"fold(" WHO ") LIKE fold(?7) ESCAPE '!' OR "
		"fold(old) LIKE fold(?7) ESCAPE '!' OR "
		"fold(new) LIKE fold(?7) ESCAPE '!') "
		"ORDER BY id DESC LIMIT ?5",
		"isssiis", page->before, page->domain, page->subject, page->who,
		page->limit, (int64_t)LIMIT_UNDO_HOURS,
		like_pattern(page->search, whole));
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct change_entry e = {
			query_int(&q, 0),       query_int(&q, 1),
			query_text(&q, 2, row), query_text(&q, 3, row),
			query_text(&q, 4, row), query_text(&q, 5, row),
			query_text(&q, 6, row), query_text(&q, 7, row),
			query_int(&q, 8) != 0,
		};

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}
