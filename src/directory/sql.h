/*
 * directory.db by way of db/sql.h: opened with the functions and settings its
 * statements need, and what came of them as an answer.
 *
 *	struct query q scoped(query) =
 *		sql_query(s, "SELECT id FROM user WHERE login = ?", "s", login);
 *	enum answer a = query_next(&q);
 *	if (a == ANSWER_YES)
 *		id = query_int(&q, 0);
 */
#ifndef DIRECTORY_SQL_H
#define DIRECTORY_SQL_H

#include "db/sql.h"
#include "directory/directory.h"

/* How directory.db is set up. */
extern const struct sql_file directory_file;

/* NULL: cause().  Readers hold no lock between questions. */
struct sql *directory_connect(const char *path, enum sql_mode mode);

static inline enum answer query_next(struct query *q)
{
	enum sql_verdict v = query_step(q);

	return v == SQL_ROW    ? ANSWER_YES
	       : v == SQL_DONE ? ANSWER_NO
			       : ANSWER_UNSURE;
}

/* The first column of all rows; YES also for none. */
enum answer query_strings(struct query *q, struct arena *arena,
			  const struct str **out, size_t *n);

/* The first column of the first row; NO: there is none. */
enum answer sql_int(struct sql *s, int64_t *out, const char *text,
		    const char *types, ...);

/* A reader's handle, for lists.c. */
struct sql *directory_sql(struct directory *d);
/* The version (directory_version()) in which there was no filter; 0: none is
 * known.  For filters.c. */
uint64_t *directory_without_filters(struct directory *d);
/* Questions over somebody's handle, which stays his; they are part of the
 * transaction that is open there. */
struct directory *directory_on(struct sql *s);
void directory_off(struct directory *d); /* NULL is allowed */

#endif
