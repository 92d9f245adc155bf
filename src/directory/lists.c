/*
 * Lists (lists.h): a cursor each, an arena that forgets after each row.
 */
#include "directory/lists.h"

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
	};
}

#define HOLDER_COLUMNS \
	"SELECT h.id, h.kind, h.login, h.name, d.name, h.enabled, " \
	"h.builtin, h.mail_system, CASE WHEN h.system NOT NULL THEN " \
	"s.name WHEN h.mail_system = 1 THEN d.relay ELSE '' END, " \
	"h.system NOT NULL, h.password <> '', h.quota_bytes, " \
	"h.forward_keeps_copy FROM holder h " \
	"JOIN domain d ON d.id = h.domain " \
	"LEFT JOIN system s ON s.id = h.system "

/* The filters are written so that the order of the logins is what is walked:
 * nothing is sorted. */
bool list_holders(struct directory *d, const struct holder_filter *filter,
		  void (*each)(void *arg, const struct holder_entry *e),
		  void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d), HOLDER_COLUMNS
		"WHERE +h.kind = ?1 AND (?2 = 0 OR h.id = ?2) AND "
		"(?3 = 0 OR h.domain = ?3) AND (?4 < 0 OR h.mail_system = ?4) "
		"ORDER BY h.login", "iiii", (int64_t)filter->kind, filter->id,
		filter->domain, (int64_t)filter->mail_system);
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

/* ?1 kinds, ?2 domain, ?3 mail system, ?4 system, ?5 enabled, ?6 pattern. */
#define MATCHES \
	"(1 << +h.kind) & ?1 AND (?2 = 0 OR +h.domain = ?2) AND " \
	"(?3 < 0 OR (+h.kind = 0 AND +h.mail_system = ?3)) AND " \
	"(?4 = '' OR +h.system = (SELECT id FROM system WHERE " \
	"name = lower(?4))) AND (?5 < 0 OR h.enabled = ?5) AND " \
	"(?6 = '' OR fold(h.login) LIKE fold(?6) ESCAPE '!' OR " \
	"fold(h.name) LIKE fold(?6) ESCAPE '!' OR h.id IN (SELECT holder " \
	"FROM address WHERE fold(local || '@' || name) LIKE fold(?6) " \
	"ESCAPE '!')) "

static const char *const page_statements[] = {
	[SORT_ADDRESS] = HOLDER_COLUMNS
		"WHERE " MATCHES "AND h.login > ?8 AND ?7 NOT NULL "
		"ORDER BY h.login LIMIT ?9",
	[SORT_ADDRESS_DOWN] = HOLDER_COLUMNS
		"WHERE " MATCHES "AND h.login < ?8 AND ?7 NOT NULL "
		"ORDER BY h.login DESC LIMIT ?9",
	[SORT_NAME] = HOLDER_COLUMNS
		"WHERE " MATCHES "AND (h.name COLLATE NOCASE, h.login) > "
		"(?7, ?8) ORDER BY h.name COLLATE NOCASE, h.login LIMIT ?9",
	[SORT_NAME_DOWN] = HOLDER_COLUMNS
		"WHERE " MATCHES "AND (h.name COLLATE NOCASE, h.login) < "
		"(?7, ?8) ORDER BY h.name COLLATE NOCASE DESC, h.login DESC "
		"LIMIT ?9",
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
	bool start = str_empty(page->after_login);
	struct str name = start ? bound(STR_NONE, page->sort)
				: page->after_name;
	struct query q scoped(query) = sql_query(
		directory_sql(d), page_statements[page->sort], "iiisisssi",
		(int64_t)page->kinds, page->domain,
		(int64_t)page->mail_system, page->system,
		(int64_t)page->enabled, like_pattern(page->search, whole), name,
		bound(page->after_login, page->sort), page->limit);
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
		       "SELECT count(*) FROM holder h WHERE " MATCHES, "iiisis",
		       (int64_t)page->kinds, page->domain,
		       (int64_t)page->mail_system, page->system,
		       (int64_t)page->enabled,
		       like_pattern(page->search, whole));
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
		"a.routed AND a.local NOT GLOB '*[^a-z0-9._+-]*' LIMIT 1", "i",
		domain);
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
		"FROM address WHERE holder = ? ORDER BY id", "i", holder);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct address_entry e = {
			query_text(&q, 0, row), query_int(&q, 1) != 0,
			query_int(&q, 2) != 0, (enum home)query_int(&q, 3),
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
	struct query q scoped(query) = sql_query(
		directory_sql(d), "SELECT spelling FROM forward "
				  "WHERE holder = ? ORDER BY id", "i", holder);

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
		},
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
		"count(h.id) FILTER (WHERE h.kind = 2 AND NOT h.builtin) "
		"FROM domain d LEFT JOIN holder h ON h.domain = d.id "
		"WHERE ?1 = '' OR d.id = "
		"(SELECT domain FROM domain_name WHERE name = ?1) "
		"GROUP BY d.id ORDER BY d.name", "s", name);
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
			 struct arena *arena, const struct str **out,
			 size_t *n)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT n.name FROM domain_name n JOIN domain d ON "
		"d.id = n.domain WHERE n.domain = ? AND n.name <> d.name "
		"ORDER BY n.name", "i", domain);

	return query_strings(&q, arena, out, n);
}

/* ---- systems ---- */

bool list_systems(struct directory *d, struct str name,
		  void (*each)(void *arg, const struct system *e), void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d), "SELECT id FROM system WHERE ?1 = '' OR "
				  "name = lower(?1) ORDER BY name", "s", name);
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
		       void (*each)(void *arg, struct str name,
				    struct str hosts),
		       void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT name, hosts FROM system WHERE ?1 = 0 OR id IN "
		"(SELECT system FROM holder WHERE domain = ?1) "
		"UNION SELECT relay, relay FROM domain "
		"WHERE relay <> '' AND (?1 = 0 OR id = ?1) ORDER BY 1", "i",
		domain);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		each(arg, query_text(&q, 0, row), query_text(&q, 1, row));
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

enum answer list_trust(struct directory *d, int64_t system,
		       struct arena *arena, const struct str **out, size_t *n)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d), "SELECT block FROM trust WHERE system = ? "
				  "ORDER BY block", "i", system);

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
		"ORDER BY a.id", "");
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct admin_entry e = {
			query_text(&q, 0, row), query_text(&q, 1, row),
			(enum admin_role)query_int(&q, 2),
			query_int(&q, 3) != 0, query_int(&q, 4) != 0,
		};

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

/* ---- the change log ---- */

/* A domain's own are those whose subject is it or an address on it.  The log
 * is walked from its end, so that the newest page is found at once. */
bool list_changes(struct directory *d, const struct change_page *page,
		  void (*each)(void *arg, const struct change_entry *e),
		  void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT id, at, who, noun, subject, field, old, new "
		"FROM change_log WHERE (?1 = 0 OR id < ?1) AND "
		"(?2 = '' OR ((subject = ?2 AND noun = 'domain') OR "
		"substr(subject, -length(?2) - 1) = '@' || ?2) AND noun IN "
		"('domain', 'user', 'address', 'group', 'shared')) AND "
		"(?3 = '' OR subject = ?3) AND (?4 = '' OR who = ?4) "
		"ORDER BY id DESC LIMIT ?5", "isssi", page->before,
		page->domain, page->subject, page->who, page->limit);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct change_entry e = {
			query_int(&q, 0), query_int(&q, 1),
			query_text(&q, 2, row), query_text(&q, 3, row),
			query_text(&q, 4, row), query_text(&q, 5, row),
			query_text(&q, 6, row), query_text(&q, 7, row),
		};

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}
