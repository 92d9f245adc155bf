/* Sessions that have to end (outbox.h). */
#include "directory/outbox.h"

#include <stdlib.h>

#include "directory/sql.h"

struct outbox {
	struct sql *sql;
};

struct outbox *outbox_open(const char *path)
{
	struct sql *sql = directory_connect(path, SQL_WRITE);
	struct outbox *o;

	if (!sql)
		return NULL;
	o = must_alloc(sizeof(*o));
	*o = (struct outbox){ .sql = sql };
	return o;
}

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	sql_close(o->sql);
	free(o);
}

bool outbox_newest(struct outbox *o, int64_t *id)
{
	return sql_int(o->sql, id, "SELECT max(id) FROM session_end", "") ==
	       ANSWER_YES;
}

bool outbox_each(struct outbox *o, int64_t after, int64_t upto,
		 void (*each)(void *arg, struct str login), void *arg)
{
	struct arena *arena scoped(arena) = arena_open();
	struct query q scoped(query) =
		sql_query(o->sql,
			  "SELECT login FROM session_end "
			  "WHERE id > ? AND id <= ? ORDER BY id",
			  "ii", after, upto);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		arena_reset(arena);
		each(arg, query_text(&q, 0, arena));
	}
	return a == ANSWER_NO;
}

bool outbox_strike_out(struct outbox *o, int64_t upto)
{
	return sql_run(o->sql, "DELETE FROM session_end WHERE id <= ?", "i",
		       upto);
}
