#include "directory/news.h"

#include "directory/sql.h"

enum answer directory_last_change(struct directory *d, int64_t *id)
{
	return sql_int(directory_sql(d), id,
		       "SELECT coalesce(max(id), 0) FROM change_log", "");
}

enum answer directory_changes(struct directory *d, int64_t after, size_t most,
			      struct arena *arena, struct change_line *out,
			      size_t *n)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT id, noun, subject, field, old, new FROM change_log"
		" WHERE id > ? ORDER BY id LIMIT ?",
		"ii", after, (int64_t)most);
	enum answer a = ANSWER_YES;

	*n = 0;
	while (*n < most && (a = query_next(&q)) == ANSWER_YES)
		out[(*n)++] = (struct change_line){
			.id = query_int(&q, 0),
			.noun = query_text(&q, 1, arena),
			.subject = query_text(&q, 2, arena),
			.field = query_text(&q, 3, arena),
			.old = query_text(&q, 4, arena),
			.new = query_text(&q, 5, arena),
		};
	return a == ANSWER_UNSURE ? a : ANSWER_YES;
}

bool list_stand_ins(struct directory *d,
		    void (*each)(void *arg, struct str domain,
				 struct str address),
		    void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT name, catch_all FROM domain WHERE catch_all <> ''"
		" UNION ALL"
		" SELECT name, postmaster FROM domain WHERE postmaster <> ''",
		"");
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct str domain = query_text(&q, 0, row);

		each(arg, domain, query_text(&q, 1, row));
		arena_reset(row);
	}
	return a == ANSWER_NO;
}
