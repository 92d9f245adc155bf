/*
 * What SQLite's codes mean (sql.h).
 */
#include "db/inside.h"

/* What the kernel last said about the database, or about its log. */
static int last_errno(sqlite3 *db, int which)
{
	sqlite3_file *file = NULL;
	int number = 0;

	if (sqlite3_file_control(db, NULL, which, &file) == SQLITE_OK && file &&
	    file->pMethods)
		file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO,
					     &number);
	return number;
}

/* A quota is an I/O error to SQLite.  Its sqlite3_system_errno() is that of the
 * rollback when it was a commit that failed; the files know better. */
static enum fail_kind kind_of(sqlite3 *db)
{
	enum fail_kind log;

	/* ...SHMSIZE: its index of the log does not get the 32 KiB it needs */
	if (sqlite3_errcode(db) == SQLITE_FULL ||
	    sqlite3_extended_errcode(db) == SQLITE_IOERR_SHMSIZE)
		return FAIL_NO_ROOM;
	if ((sqlite3_errcode(db) & 0xff) != SQLITE_IOERR)
		return FAIL_OTHER;
	log = errno_kind(last_errno(db, SQLITE_FCNTL_JOURNAL_POINTER));
	return log != FAIL_OTHER
		       ? log
		       : errno_kind(last_errno(db, SQLITE_FCNTL_FILE_POINTER));
}

static enum sql_verdict verdict_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return SQL_BUSY;
	case SQLITE_FULL:
		return SQL_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return SQL_DAMAGED;
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return SQL_MISUSE;
	default:
		return SQL_TROUBLE;
	}
}

enum sql_verdict sql_trouble(struct sql *s)
{
	enum sql_verdict v = verdict_of(sqlite3_errcode(s->db));
	enum fail_kind kind = kind_of(s->db);
	bool is_said = v == SQL_FULL;

	if (kind == FAIL_NO_ROOM)
		v = SQL_FULL;
	fail_kind(kind, "%s: %s%s", s->file->name, sqlite3_errmsg(s->db),
		  v == SQL_FULL && !is_said ? ": no space left" : "");
	if (v == SQL_DAMAGED && s->file->damaged)
		*s->file->damaged = true;
	return v;
}

bool sql_open_raw(const char *path, int flags, sqlite3 **out)
{
	const char *vfs = vfs_name();

	*out = NULL;
	if (!vfs)
		return add_cause("open %s", path);
	if (sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, vfs) ==
	    SQLITE_OK)
		return true;
	fail_kind(kind_of(*out), "open %s: %s", path, sqlite3_errmsg(*out));
	sqlite3_close(*out);
	*out = NULL;
	return false;
}
