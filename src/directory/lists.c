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

/* The filters are written so that the order of the logins is what is walked:
 * nothing is sorted. */
bool list_holders(struct directory *d, const struct holder_filter *filter,
		  void (*each)(void *arg, const struct holder_entry *e),
		  void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT h.id, h.kind, h.login, h.name, d.name, h.enabled, "
		"h.builtin, h.mail_system, CASE WHEN h.system NOT NULL THEN "
		"s.name WHEN h.mail_system = 1 THEN d.relay ELSE '' END, "
		"h.system NOT NULL, h.password <> '', h.quota_bytes, "
		"h.forward_keeps_copy FROM holder h "
		"JOIN domain d ON d.id = h.domain "
		"LEFT JOIN system s ON s.id = h.system "
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
		"SELECT a.name, coalesce(d.name, ''), a.role, a.password <> '' "
		"FROM admin a LEFT JOIN domain d ON d.id = a.domain "
		"ORDER BY a.id", "");
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct admin_entry e = {
			query_text(&q, 0, row), query_text(&q, 1, row),
			(enum admin_role)query_int(&q, 2),
			query_int(&q, 3) != 0,
		};

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}
