/*
 * Sessions that have to end (outbox.h).
 *
 * Entries are read and done in portions, each struck out in one commit, so that
 * the reading cursor is closed before anything is written.
 */
#include "directory/outbox.h"

#include <stdlib.h>

#include "directory/sql.h"

enum { PORTION = 100 };

struct outbox {
	struct sql *sql;
	int64_t version;	/* PRAGMA data_version at the last look */
};

struct outbox *outbox_open(const char *path)
{
	struct sql *sql = sql_open(path, SQL_WRITE);
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

static int64_t version_now(struct outbox *o)
{
	int64_t version = 0;

	if (sql_int(o->sql, &version, "PRAGMA data_version", "") != ANSWER_YES)
		return 0;
	return version;
}

bool outbox_changed(struct outbox *o)
{
	return version_now(o) != o->version || o->version == 0;
}

static bool read_portion(struct outbox *o, int64_t after, struct arena *arena,
			 struct session_end *out, size_t *n)
{
	struct query q scoped(query) = sql_query(
		o->sql, "SELECT id, holder, login FROM session_end "
			"WHERE id > ? ORDER BY id LIMIT 100", "i", after);
	enum answer a;

	*n = 0;
	while ((a = query_next(&q)) == ANSWER_YES) {
		check(*n < PORTION);
		out[(*n)++] = (struct session_end){
			query_int(&q, 0), query_int(&q, 1),
			query_text(&q, 2, arena),
		};
	}
	return a == ANSWER_NO;
}

static bool strike_out(struct outbox *o, const struct session_end *done,
		       size_t n)
{
	if (n == 0)
		return true;
	if (!sql_script(o->sql, "BEGIN IMMEDIATE"))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!sql_run(o->sql, "DELETE FROM session_end WHERE id = ?",
			     "i", done[i].id))
			goto undo;
	if (sql_script(o->sql, "COMMIT"))
		return true;
undo:
	sql_rollback(o->sql);
	return false;
}

bool outbox_take(struct outbox *o,
		 bool (*each)(void *arg, const struct session_end *e),
		 void *arg)
{
	struct arena *arena scoped(arena) = arena_open();
	struct session_end portion[PORTION], done[PORTION];
	int64_t after = 0, version = version_now(o);
	size_t n, n_done;

	o->version = 0;		/* look again when anything is left */
	do {
		arena_reset(arena);
		if (!read_portion(o, after, arena, portion, &n))
			return false;
		n_done = 0;
		for (size_t i = 0; i < n; i++) {
			after = portion[i].id;
			if (each(arg, &portion[i]))
				done[n_done++] = portion[i];
		}
		if (!strike_out(o, done, n_done))
			return false;
		if (n_done < n)
			version = 0;
	} while (n == PORTION);
	o->version = version;
	return true;
}
