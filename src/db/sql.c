/*
 * A connection: opened, set up, copied, its log (sql.h).
 */
#include <stdlib.h>

#include "db/inside.h"

static bool set_up(struct sql *s, enum sql_mode mode)
{
	const struct sql_file *f = s->file;

	sql_set_wait(s, mode == SQL_READ ? f->read_wait_ms : f->write_wait_ms);
	if (!functions_register(s))
		return false;
	if (mode == SQL_CREATE && f->making && !sql_script(s, f->making))
		return false;
	if (f->settings && !sql_script(s, f->settings))
		return false;
	return mode == SQL_READ || !f->writing || sql_script(s, f->writing);
}

struct sql *sql_open(const struct sql_file *file, const char *path,
		     enum sql_mode mode)
{
	static const int flags[] = {
		[SQL_READ] = SQLITE_OPEN_READONLY,
		[SQL_WRITE] = SQLITE_OPEN_READWRITE,
		[SQL_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	};
	struct sql *s = must_alloc(sizeof(*s));

	*s = (struct sql){ .file = file };
	if (sql_open_raw(path, flags[mode], &s->db)) {
		if (set_up(s, mode))
			return s;
		add_cause("open %s", path);
	}
	sql_close(s);
	return NULL;
}

void sql_close(struct sql *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STATEMENT_SLOTS; i++)
		sqlite3_finalize(s->statements[i].s);
	sqlite3_close(s->db);
	free(s);
}

/* Page by page within one read of SOURCE, so of one moment. */
static bool copy_pages(sqlite3 *source, sqlite3 *target)
{
	sqlite3_backup *b = sqlite3_backup_init(target, "main", source, "main");

	if (b)
		sqlite3_backup_step(b, -1);
	return b && sqlite3_backup_finish(b) == SQLITE_OK;
}

bool sql_copy(struct sql *s, const char *to)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	sqlite3 *target;
	bool ok;

	if (!sql_open_raw(to, flags, &target))
		return false;
	ok = copy_pages(s->db, target);
	if (!ok)
		fail("copy to %s: %s", to, sqlite3_errmsg(target));
	sqlite3_close(target);
	return ok;
}

void sql_set_wait(struct sql *s, int ms)
{
	sqlite3_busy_timeout(s->db, ms);
}

void sql_pause(int ms)
{
	sqlite3_sleep(ms);
}

sqlite3 *sql_connection(struct sql *s)
{
	return s->db;
}

/* ---- without rows ---- */

bool sql_script(struct sql *s, const char *text)
{
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	sql_trouble(s);
	return false;
}

int64_t sql_last_id(struct sql *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

int64_t sql_changes(struct sql *s)
{
	return sqlite3_changes64(s->db);
}

bool sql_in_transaction(struct sql *s)
{
	return !sqlite3_get_autocommit(s->db);
}

void sql_rollback(struct sql *s)
{
	if (sql_in_transaction(s))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- the log ---- */

static int on_log_grown(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sql *s = arg;

	s->log_pages = pages;
	return SQLITE_OK;
}

/* The hook takes the place of SQLite's own checkpoints. */
void sql_keep_log(struct sql *s)
{
	sqlite3_wal_hook(s->db, on_log_grown, s);
}

int sql_log_pages(const struct sql *s)
{
	return s->log_pages;
}

void sql_checkpoint(struct sql *s)
{
	int left, moved;

	if (s->log_pages &&
	    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
				      &left, &moved) == SQLITE_OK)
		s->log_pages = left > moved ? left - moved : 0;
}
