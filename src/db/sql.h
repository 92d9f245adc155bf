/*
 * The one door to SQLite: opening a file, statements that are prepared once,
 * values that are bound, and one verdict instead of SQLite's codes.
 *
 *	static const struct sql_file file = {
 *		.name = "directory.db",
 *		.settings = "PRAGMA foreign_keys = ON",
 *	};
 *	struct sql *s = sql_open(&file, path, SQL_READ);
 *	...
 *	struct query q scoped(query) =
 *		sql_query(s, "SELECT id FROM user WHERE login = ?", "s", login);
 *	if (query_step(&q) == SQL_ROW)
 *		id = query_int(&q, 0);
 *
 * Nothing here asks the machine by itself.  The disk is the one rt names
 * (folder_vfs()), and below SQL's own functions of time and chance are rt's
 * clock and rt's random numbers: unixepoch(), also as a column's default or in
 * a trigger, is wall_ms(), the same throughout one step of a statement.
 *
 * A connection belongs to one thread at a time.  A statement is remembered by
 * the address of its text, which therefore has to be a literal, and stays
 * prepared until sql_close().  Calls block, for the file's own waits at most
 * when somebody else writes.
 */
#ifndef DB_SQL_H
#define DB_SQL_H

#include <stdarg.h>

#include "base/arena.h"
#include "base/fail.h"

struct sql;
struct sql_call;
struct sqlite3;
struct sqlite3_stmt;

/* What came of a step.  All behind SQL_DONE are trouble, with a cause(). */
enum sql_verdict {
	SQL_ROW,
	SQL_DONE,
	SQL_BUSY,    /* somebody else writes, for longer than we wait */
	SQL_FULL,    /* disk or quota; cause_kind() is FAIL_NO_ROOM */
	SQL_DAMAGED, /* the file is not what it should be */
	SQL_TROUBLE, /* the disk, the schema, anything else */
	SQL_MISUSE,  /* our own bug, as SQLite sees it */
};

static inline bool sql_is_trouble(enum sql_verdict v)
{
	return v > SQL_DONE;
}

/* ---- a file ---- */

enum sql_mode { SQL_READ, SQL_WRITE, SQL_CREATE };

/* A function of SQL: the same text always gives the same text. */
struct sql_function {
	const char *name; /* NULL: behind the last one */
	void (*call)(struct sql_call *c);
};

/* A file of ours, as every connection to it is set up.  It has to outlive
 * them; what is not named is not done. */
struct sql_file {
	const char *name; /* in sentences */
	/* how long the file is waited for while somebody else has it */
	int read_wait_ms, write_wait_ms;
	const struct sql_function *functions;
	/* Statements: first, in mode SQL_CREATE; of each connection; and of
	 * each that does not only read. */
	const char *making, *settings, *writing;
	_Atomic bool *damaged; /* set by each SQL_DAMAGED; or NULL */
};

/* NULL: cause(). */
struct sql *sql_open(const struct sql_file *file, const char *path,
		     enum sql_mode mode);
void sql_close(struct sql *s); /* NULL is allowed */
/* All of it, as of one moment, to the new file TO; nobody who writes meanwhile
 * waits. */
bool sql_copy(struct sql *s, const char *to) must_check;
/* From now on another one's lock is waited for so long. */
void sql_set_wait(struct sql *s, int ms);
/* Let others write for a moment. */
void sql_pause(int ms);
struct sqlite3 *sql_connection(struct sql *s); /* for tests */

/* ---- without rows ---- */

/* Statements without parameters or rows, separated by ';'. */
bool sql_script(struct sql *s, const char *text) must_check;
/* One statement, no rows wanted; types as for sql_query(). */
bool sql_run(struct sql *s, const char *text, const char *types,
	     ...) must_check;
int64_t sql_last_id(struct sql *s);
int64_t sql_changes(struct sql *s); /* rows the last statement touched */
/* After some failures the whole transaction is gone: disk full, EIO
 * (sqlite.org/lang_transaction.html, 3). */
bool sql_in_transaction(struct sql *s);
/* End the transaction as if it had not been; keeps the cause that is there.  A
 * failed COMMIT may have done so already. */
void sql_rollback(struct sql *s);

/* ---- the log ---- */

/* From now on the write-ahead log is moved into the file by sql_checkpoint()
 * alone, never in the midst of a commit. */
void sql_keep_log(struct sql *s);
int sql_log_pages(const struct sql *s); /* since the last checkpoint */
/* As much as nobody reads; nobody waits for it. */
void sql_checkpoint(struct sql *s);

/* ---- statements ---- */

struct query {
	struct sql *sql;
	struct sqlite3_stmt *s; /* NULL: preparing failed, cause() */
};

/* Letters: s struct str, t const char *, i int64_t, b bool, I int64_t where 0
 * means NULL; one for each parameter.  Strings have to live until the query
 * ends (query_free, by scoped). */
struct query sql_query(struct sql *s, const char *text, const char *types, ...);
struct query sql_query_list(struct sql *s, const char *text, const char *types,
			    va_list *args);
/* The same without values, for who sets them one by one and keeps the query:
 * each has to be set before the first step.  query_reset() ends its use, and
 * the next one begins with the values that are there. */
bool sql_prepare(struct sql *s, const char *text, struct query *out) must_check;
void query_reset(struct query *q);
bool query_is_stepping(const struct query *q);
int query_parameters(const struct query *q);

static inline void query_free(struct query *q)
{
	query_reset(q);
}

/* AT begins with 1.  Strings stay the caller's, see above. */
void query_set_int(struct query *q, int at, int64_t n);
void query_set_str(struct query *q, int at, struct str s);
void query_set_bytes(struct query *q, int at, struct str bytes);
void query_set_null(struct query *q, int at);

enum sql_verdict query_step(struct query *q);
/* One step and a reset, where a failure changes nothing: it says nothing, and
 * keeps the cause that is there. */
void query_run_quietly(struct query *q);
/* The first column of the first row. */
enum sql_verdict sql_number(struct sql *s, int64_t *out, const char *text,
			    const char *types, ...);

/* Columns of the row, from 0. */
int query_columns(struct query *q);
int64_t query_int(struct query *q, int column); /* NULL is 0 */
bool query_is_null(struct query *q, int column);
struct str query_text(struct query *q, int column, struct arena *arena);
/* On loan until the next step; NULL is "". */
struct str query_peek(struct query *q, int column);
struct str query_peek_bytes(struct query *q, int column);

/* ---- functions of SQL ---- */

struct str call_text(struct sql_call *c); /* on loan; NULL is "" */
bool call_is_null(const struct sql_call *c);
/* The answer; without one it is NULL. */
void call_answer(struct sql_call *c, struct str text);
/* TEXT is malloc()ed, and freed there. */
void call_answer_taken(struct sql_call *c, char *text, size_t n);
void call_answer_same(struct sql_call *c); /* what was asked about */

#endif
