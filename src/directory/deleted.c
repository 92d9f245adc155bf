/* What was deleted, to look at (deleted.h). */
#include "directory/deleted.h"

#include "directory/sql.h"

static struct deleted_entry read_entry(struct query *q, struct arena *row)
{
	return (struct deleted_entry){
		.id = query_int(q, 0),
		.kind = (enum holder_kind)query_int(q, 1),
		.login = query_text(q, 2, row),
		.name = query_text(q, 3, row),
		.domain = query_text(q, 4, row),
		.mailbox = query_text(q, 5, row),
		.deleted_by = query_text(q, 6, row),
		.deleted_at = query_int(q, 7),
		.until = query_int(q, 8),
	};
}

bool list_deleted(struct directory *d, const struct deleted_filter *f,
		  void (*each)(void *arg, const struct deleted_entry *e),
		  void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT t.id, t.kind, t.login, t.name, coalesce(d.name, ''), "
		"t.mailbox, t.deleted_by, t.deleted_at, t.until FROM deleted t "
		"LEFT JOIN domain d ON d.id = t.domain WHERE is_erased = 0 AND "
		"(?1 = 0 OR t.id = ?1) AND (?2 = 0 OR t.domain = ?2) AND "
		"(?3 < 0 OR t.kind = ?3) AND (?4 = '' OR t.login = ?4) "
		"ORDER BY t.id DESC",
		"iiis", f->id, f->domain, (int64_t)f->kind, f->login);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct deleted_entry e = read_entry(&q, row);

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

enum answer deleted_is_due(struct directory *d, bool only_erased)
{
	int64_t due = 0;
	enum answer a =
		sql_int(directory_sql(d), &due,
			"SELECT EXISTS (SELECT 1 FROM deleted WHERE "
			"until <= unixepoch() AND (is_erased OR ?1 = 0))",
			"b", only_erased);

	return a == ANSWER_YES && !due ? ANSWER_NO : a;
}

struct str holder_mailbox(struct directory *d, int64_t holder,
			  struct arena *arena)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d), "SELECT mailbox FROM holder WHERE id = ?",
		"i", holder);

	return query_next(&q) == ANSWER_YES ? query_text(&q, 0, arena)
					    : STR_NONE;
}
