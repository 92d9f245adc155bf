/*
 * What the files of db/ share.
 */
#ifndef DB_INSIDE_H
#define DB_INSIDE_H

#include <sqlite3.h>

#include "db/sql.h"

/* Room for twice the different texts of any folder: found at once. */
enum { STATEMENT_SLOTS = 512, STATEMENTS_MOST = STATEMENT_SLOTS / 2 };

struct statement {
	const char *text; /* NULL: free */
	sqlite3_stmt *s;
};

struct sql {
	sqlite3 *db;
	const struct sql_file *file;
	struct statement statements[STATEMENT_SLOTS];
	size_t n;
	int log_pages;
};

/* Of the connection's last failure; cause() says it. */
enum sql_verdict sql_trouble(struct sql *s);
/* False: it went wrong, cause(). */
bool sql_open_raw(const char *path, int flags, sqlite3 **out) must_check;
/* What SQLite calls the disk; NULL: cause(). */
const char *vfs_name(void);
bool functions_register(struct sql *s) must_check;

#endif
