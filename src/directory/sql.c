/*
 * SQLite for this folder (sql.h).
 *
 * Readers hold no lock between questions.  A writer waits up
 * to WRITER_WAIT_MS for another one.  Invariant: a remembered statement is
 * reset whenever no query uses it.
 */
#include "directory/sql.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>

#include "directory/fold.h"

enum {
	WRITER_WAIT_MS = 10000,
	READER_WAIT_MS = 500,	/* only while a WAL is recovered */
	STATEMENTS = 192,	/* different texts in this folder, with room */
};

struct remembered {
	const char *text;
	sqlite3_stmt *s;
};

struct sql {
	sqlite3 *db;
	struct remembered statements[STATEMENTS];
	size_t n;
};

static bool trouble(struct sql *s)
{
	return fail("directory.db: %s", sqlite3_errmsg(s->db));
}

bool sql_script(struct sql *s, const char *text)
{
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return trouble(s);
	return true;
}

void sql_rollback(struct sql *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static bool set_up(struct sql *s, enum sql_mode mode)
{
	sqlite3_busy_timeout(s->db, mode == SQL_READ ? READER_WAIT_MS
						     : WRITER_WAIT_MS);
	if (!fold_register(s->db))
		return false;
	if (mode == SQL_CREATE &&
	    !sql_script(s, "PRAGMA journal_mode = WAL"))
		return false;
	/* 64 MiB of pages, taken as they are needed: 100,000 users fit. Mapping
	 * the file instead costs twice the time: with no page of its own SQLite
	 * allocates and frees its cache at each question. */
	if (!sql_script(s, "PRAGMA cache_size = -65536;"
			   "PRAGMA trusted_schema = OFF;"
			   "PRAGMA foreign_keys = ON"))
		return false;
	/* Somebody has been told that it is done: it must survive power loss. */
	return mode == SQL_READ || sql_script(s, "PRAGMA synchronous = FULL");
}

/* Counting all memory of the process, as SQLite does unless told, puts every
 * allocation of every thread behind one lock. */
static void do_not_count_memory(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct sql *sql_open(const char *path, enum sql_mode mode)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static const int flags[] = {
		[SQL_READ] = SQLITE_OPEN_READONLY,
		[SQL_WRITE] = SQLITE_OPEN_READWRITE,
		[SQL_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	};
	struct sql *s = must_alloc(sizeof(*s));

	pthread_once(&once, do_not_count_memory);
	*s = (struct sql){ 0 };
	if (sqlite3_open_v2(path, &s->db, flags[mode] | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		fail("open %s: %s", path, sqlite3_errmsg(s->db));
	else if (set_up(s, mode))
		return s;
	sql_close(s);
	return NULL;
}

void sql_close(struct sql *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		sqlite3_finalize(s->statements[i].s);
	sqlite3_close(s->db);
	free(s);
}

sqlite3 *sql_connection(struct sql *s)
{
	return s->db;
}

int64_t sql_last_id(struct sql *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

int64_t sql_changes(struct sql *s)
{
	return sqlite3_changes64(s->db);
}

/* ---- statements ---- */

static sqlite3_stmt *prepare(struct sql *s, const char *text)
{
	sqlite3_stmt *statement;

	for (size_t i = 0; i < s->n; i++)
		if (s->statements[i].text == text)
			return s->statements[i].s;
	if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT,
			       &statement, NULL) != SQLITE_OK) {
		trouble(s);
		return NULL;
	}
	check(statement && s->n < STATEMENTS);
	s->statements[s->n++] = (struct remembered){ text, statement };
	return statement;
}

static int bind_str(sqlite3_stmt *st, int i, struct str v)
{
	return sqlite3_bind_text64(st, i, v.p ? v.p : "", v.n, SQLITE_STATIC,
				   SQLITE_UTF8);
}

static int bind_one(sqlite3_stmt *st, int i, char type, va_list *args)
{
	int64_t n;

	switch (type) {
	case 's':
		return bind_str(st, i, va_arg(*args, struct str));
	case 't':
		return bind_str(st, i, str_of(va_arg(*args, const char *)));
	case 'i':
		return sqlite3_bind_int64(st, i, va_arg(*args, int64_t));
	case 'I':
		n = va_arg(*args, int64_t);
		return n ? sqlite3_bind_int64(st, i, n)
			 : sqlite3_bind_null(st, i);
	case 'b':
		return sqlite3_bind_int(st, i, va_arg(*args, int) != 0);
	default:
		check(!"a type letter of sql.h");
		return SQLITE_MISUSE;
	}
}

static struct query begin(struct sql *s, const char *text, const char *types,
			  va_list *args)
{
	struct query q = { s, prepare(s, text) };

	if (!q.s)
		return q;
	check(!sqlite3_stmt_busy(q.s));
	check(sqlite3_bind_parameter_count(q.s) == (int)strlen(types));
	for (int i = 0; types[i]; i++)
		check(bind_one(q.s, i + 1, types[i], args) == SQLITE_OK);
	return q;
}

struct query sql_query(struct sql *s, const char *text, const char *types, ...)
{
	struct query q;
	va_list args;

	va_start(args, types);
	q = begin(s, text, types, &args);
	va_end(args);
	return q;
}

enum answer query_next(struct query *q)
{
	int status = q->s ? sqlite3_step(q->s) : SQLITE_ERROR;

	if (status == SQLITE_ROW)
		return ANSWER_YES;
	if (status == SQLITE_DONE)
		return ANSWER_NO;
	if (q->s)
		trouble(q->sql);
	return ANSWER_UNSURE;
}

void query_free(struct query *q)
{
	if (!q->s)
		return;
	sqlite3_reset(q->s);
	sqlite3_clear_bindings(q->s);
}

int64_t query_int(struct query *q, int column)
{
	return sqlite3_column_int64(q->s, column);
}

struct str query_text(struct query *q, int column, struct arena *arena)
{
	const char *p = (const char *)sqlite3_column_text(q->s, column);
	size_t n = (size_t)sqlite3_column_bytes(q->s, column);

	return arena_str(arena, (struct str){ p ? p : "", p ? n : 0 });
}

enum answer query_strings(struct query *q, struct arena *arena,
			  const struct str **out, size_t *n)
{
	struct str *list = NULL;
	size_t count = 0, room = 0;
	enum answer a;

	while ((a = query_next(q)) == ANSWER_YES) {
		if (count == room) {
			size_t more = room ? 2 * room : 8;
			struct str *bigger = arena_array(arena, struct str,
							 more);

			if (count > 0)
				memcpy(bigger, list, count * sizeof(*list));
			list = bigger;
			room = more;
		}
		list[count++] = query_text(q, 0, arena);
	}
	if (a == ANSWER_UNSURE)
		return a;
	*out = list;
	*n = count;
	return ANSWER_YES;
}

bool sql_run(struct sql *s, const char *text, const char *types, ...)
{
	struct query q scoped(query) = { 0 };
	va_list args;

	va_start(args, types);
	q = begin(s, text, types, &args);
	va_end(args);
	return query_next(&q) != ANSWER_UNSURE;
}

enum answer sql_int(struct sql *s, int64_t *out, const char *text,
		    const char *types, ...)
{
	struct query q scoped(query) = { 0 };
	enum answer a;
	va_list args;

	va_start(args, types);
	q = begin(s, text, types, &args);
	va_end(args);
	a = query_next(&q);
	if (a == ANSWER_YES)
		*out = query_int(&q, 0);
	return a;
}
