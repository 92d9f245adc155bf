/*
 * SQLite for this folder: prepared once, bound by type letters, never left
 * open.
 *
 *	struct query q scoped(query) =
 *		sql_query(s, "SELECT id FROM user WHERE login = ?", "s", login);
 *	enum answer a = query_next(&q);
 *	if (a == ANSWER_YES)
 *		id = query_int(&q, 0);
 *
 * A statement is remembered by the address of its text, which therefore has
 * to be a literal.  Letters: s struct str, t const char *, i int64_t, b
 * bool, I int64_t where 0 means NULL.  Bound strings have to live until the
 * query ends (query_free, by scoped).
 */
#ifndef DIRECTORY_SQL_H
#define DIRECTORY_SQL_H

#include "directory/directory.h"

struct sqlite3;
struct sqlite3_stmt;

enum sql_mode { SQL_READ, SQL_WRITE, SQL_CREATE };

struct sql;

struct sql *sql_open(const char *path, enum sql_mode mode);	/* NULL: cause() */
void sql_close(struct sql *s);
/* Statements without parameters or rows, separated by ';'. */
bool sql_script(struct sql *s, const char *text) must_check;
/* End the transaction as if it had not been; keeps the cause that is there.  A
 * failed COMMIT may have done so already. */
void sql_rollback(struct sql *s);
/* One statement, no rows wanted. */
bool sql_run(struct sql *s, const char *text, const char *types, ...)
	must_check;
int64_t sql_last_id(struct sql *s);
int64_t sql_changes(struct sql *s);	/* rows the last statement touched */

struct query {
	struct sql *sql;
	struct sqlite3_stmt *s;		/* NULL: preparing failed, cause() */
};

struct query sql_query(struct sql *s, const char *text, const char *types, ...);
enum answer query_next(struct query *q);
void query_free(struct query *q);
int64_t query_int(struct query *q, int column);		/* NULL is 0 */
struct str query_text(struct query *q, int column, struct arena *arena);

/* The first column of all rows; YES also for none. */
enum answer query_strings(struct query *q, struct arena *arena,
			  const struct str **out, size_t *n);

/* The first column of the first row; NO: there is none. */
enum answer sql_int(struct sql *s, int64_t *out, const char *text,
		    const char *types, ...);

/* A reader's handle, for lists.c. */
struct sql *directory_sql(struct directory *d);
/* Questions over somebody's handle, which stays his; they are part of the
 * transaction that is open there. */
struct directory *directory_on(struct sql *s);
void directory_off(struct directory *d);	/* NULL is allowed */
struct sqlite3 *sql_connection(struct sql *s);	/* for tests */

#endif
