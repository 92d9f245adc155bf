/* Simulated disks: what a power cut leaves, full and failing ones, and SQLite,
 * whose commits are there afterwards. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "rt/sim/sim.h"

static struct sim_host *mx;

static void world_begin(uint64_t seed)
{
	sim_open(seed);
	mx = sim_host("mx", "192.0.2.1");
}

/* PROGRAM on mx, until it ended or was killed. */
static void run_on_mx(void (*program)(void *), void *arg)
{
	struct sim_process *p;

	p = sim_start(mx, "program", program, arg);
	while (!sim_has_ended(p))
		check(sim_step(INT64_MAX));
	sim_run(NEVER);
}

static void cut_power(void)
{
	sim_power_cut(mx);
	sim_power_on(mx);
}

/* ---- files ---- */

struct found {
	int kept, synced, loose;
};

static void write_files(void *arg)
{
	struct file *kept, *synced, *loose;

	(void)arg;
	check(folder_make("/spool"));
	kept = file_spool("/spool");
	check(kept && file_add(kept, S("kept")) && file_keep(kept, "kept"));
	synced = file_create("/spool/synced");
	check(synced && file_add(synced, S("synced")) && file_sync(synced));
	loose = file_create("/spool/loose");
	check(loose && file_add(loose, S("loose")));
	check(file_rename("/spool", "kept", "renamed"));
	file_close(loose);
	file_close(kept);
	file_close(synced);
}

static bool is_whole(const char *name, const char *text)
{
	char there[64];

	return folder_noted("/spool", name, there, sizeof(there)) &&
	       strcmp(there, text) == 0;
}

static void look_at_files(void *arg)
{
	struct found *f = arg;

	check(is_whole("renamed", "kept")); /* file_keep() said so */
	f->kept++;
	f->synced += is_whole("synced", "synced");
	f->loose += is_whole("loose", "loose");
}

/* What was promised is there in every world; what was not, in some. */
static void promises_outlive_a_power_cut(void **state)
{
	struct found f = { .kept = 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		world_begin(seed);
		run_on_mx(write_files, NULL);
		cut_power();
		run_on_mx(look_at_files, &f);
		sim_close();
	}
	assert_int_equal(f.kept, 40);
	assert_int_equal(f.synced, 40); /* file_rename() synced its folder */
	assert_in_range(f.loose, 5, 35);
}

static void rename_unsynced(void *arg)
{
	(void)arg;
	check(folder_make("/a") && folder_make("/b"));
	check(folder_note("/a", "note", "text"));
	check(folder_move("/a", "note", "/b"));
}

static void look_where(void *n)
{
	char text[8];
	bool a = folder_noted("/a", "note", text, sizeof(text));
	bool b = folder_noted("/b", "note", text, sizeof(text));

	check(a != b); /* never both, never none */
	*(int *)n += b;
}

static void unsynced_move_is_undone_or_not(void **state)
{
	int moved = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		world_begin(seed);
		run_on_mx(rename_unsynced, NULL);
		cut_power();
		run_on_mx(look_where, &moved);
		sim_close();
	}
	assert_in_range(moved, 5, 35);
}

/* ---- trouble ---- */

static void meet_trouble(void *arg)
{
	struct sim_disk *d = sim_disk(mx);
	struct file *f = file_create("/tmp/f");

	(void)arg;
	check(f);
	d->room_bytes = sim_disk_bytes(mx) + 4;
	check(folder_free_bytes("/tmp") == 4);
	check(!file_add(f, S("12345")) && cause_kind() == FAIL_NO_ROOM);
	file_close(f);
	d->room_bytes = 1 << 20;
	f = file_create("/tmp/f");
	check(f && file_add(f, S("12345")));
	d->fail_sync_in = 1;
	check(!file_sync(f) && strstr(cause(), "Input/output error"));
	d->fail_sync_in = 0;
	check(!file_sync(f)); /* never tried again */
	file_close(f);
	d->is_read_only = true;
	check(!file_create("/tmp/g") && strstr(cause(), "Read-only"));
	check(folder_is_read_only("/tmp"));
	d->is_read_only = false;
	d->sync_us = 1000000;
	f = file_create("/tmp/g");
	int64_t begun = now_ms();
	for (int i = 0; i < 20; i++)
		check(file_sync(f));
	check(now_ms() - begun > 2000);
	file_close(f);
}

static void disks_fail_in_every_way(void **state)
{
	(void)state;
	world_begin(1);
	run_on_mx(meet_trouble, NULL);
	sim_close();
}

static void hold_lock(void *arg)
{
	struct lock *l = lock_take("/tmp/lock");

	check(l && !lock_take("/tmp/lock") && cause_kind() == FAIL_HELD);
	if (arg)
		sim_kill(sim_process());
	lock_drop(l);
}

static void locks_end_with_their_process(void **state)
{
	(void)state;
	world_begin(1);
	run_on_mx(hold_lock, "die");
	run_on_mx(hold_lock, NULL);
	sim_close();
}

/* ---- SQLite ---- */

enum { ROWS = 12 };

static int committed; /* outside of the world: what was answered */

static sqlite3 *open_book(void)
{
	sqlite3 *db;

	check(sqlite3_open_v2("/data/book.db", &db,
			      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			      folder_vfs()) == SQLITE_OK);
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail("%s: %s", sql, sqlite3_errmsg(db));
	check(sqlite3_errcode(db) == SQLITE_OK);
}

static void write_book(void *arg)
{
	sqlite3 *db;

	(void)arg;
	check(folder_make("/data"));
	db = open_book();
	run(db, "PRAGMA journal_mode = WAL");
	run(db, "PRAGMA synchronous = FULL");
	run(db, "CREATE TABLE IF NOT EXISTS row (n INTEGER PRIMARY KEY, "
		"text TEXT, at INTEGER DEFAULT (unixepoch()))");
	for (int i = 1; i <= ROWS; i++) {
		run(db, "BEGIN IMMEDIATE");
		run(db, "INSERT INTO row (text) VALUES (hex(randomblob(700)))");
		run(db, "COMMIT");
		committed = i;
		if (i % 5 == 0)
			run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	}
	check(sqlite3_close(db) == SQLITE_OK);
}

static int number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int n;

	check(sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK);
	check(sqlite3_step(s) == SQLITE_ROW);
	n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return n;
}

/* As many as were committed, or the one more that was on its way. */
static void read_book(void *arg)
{
	sqlite3 *db;
	int n;

	(void)arg;
	check(folder_make("/data"));
	db = open_book();
	run(db, "PRAGMA integrity_check");
	check(number(db, "SELECT count(*) FROM pragma_integrity_check "
			 "WHERE integrity_check <> 'ok'") == 0);
	n = number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'row'");
	if (n > 0)
		n = number(db, "SELECT count(*) FROM row");
	check(n == committed || n == committed + 1);
	check(sqlite3_close(db) == SQLITE_OK);
}

/* False: it had no so manieth change. */
static bool cut_at(uint64_t change)
{
	bool was_cut;

	committed = 0;
	world_begin(change);
	sim_disk(mx)->cut_after = change;
	run_on_mx(write_book, NULL);
	was_cut = sim_disk(mx)->cut_after == 0;
	if (was_cut)
		sim_power_on(mx);
	else
		check(committed == ROWS);
	run_on_mx(read_book, NULL);
	sim_close();
	return was_cut;
}

static void commits_outlive_a_cut_at_every_write(void **state)
{
	uint64_t cuts = 0;

	(void)state;
	while (cut_at(cuts + 1))
		cuts++;
	assert_in_range(cuts, 50, 1000);
}

static void ask_clock(void *arg)
{
	sqlite3 *db;

	(void)arg;
	sim_set_wall(mx, 1893456000000);
	check(folder_make("/data"));
	db = open_book();
	check(number(db, "SELECT unixepoch()") == 1893456000);
	check(number(db, "SELECT unixepoch('now', '+1 day')") == 1893542400);
	check(sqlite3_close(db) == SQLITE_OK);
}

static void sqlite_has_the_hosts_clock(void **state)
{
	(void)state;
	world_begin(1);
	run_on_mx(ask_clock, NULL);
	sim_close();
}

/* Two connections: readers go on beside a writer, a second writer naps. */
static void write_beside(void *arg)
{
	sqlite3 *a = open_book(), *b = open_book();

	(void)arg;
	run(a, "PRAGMA journal_mode = WAL");
	run(a, "CREATE TABLE t (x)");
	run(a, "BEGIN IMMEDIATE");
	run(a, "INSERT INTO t VALUES (1)");
	check(number(b, "SELECT count(*) FROM t") == 0);
	sqlite3_busy_timeout(b, 500);
	int64_t begun = now_ms();
	check(sqlite3_exec(b, "BEGIN IMMEDIATE", 0, 0, 0) == SQLITE_BUSY);
	check(now_ms() - begun >= 400);
	run(a, "COMMIT");
	check(number(b, "SELECT count(*) FROM t") == 1);
	run(b, "BEGIN IMMEDIATE");
	run(b, "ROLLBACK");
	check(sqlite3_close(a) == SQLITE_OK && sqlite3_close(b) == SQLITE_OK);
}

static void make_data(void *arg)
{
	(void)arg;
	check(folder_make("/data"));
}

static void writers_wait_for_each_other(void **state)
{
	(void)state;
	world_begin(1);
	run_on_mx(make_data, NULL);
	run_on_mx(write_beside, NULL);
	sim_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises_outlive_a_power_cut),
		cmocka_unit_test(unsynced_move_is_undone_or_not),
		cmocka_unit_test(disks_fail_in_every_way),
		cmocka_unit_test(locks_end_with_their_process),
		cmocka_unit_test(commits_outlive_a_cut_at_every_write),
		cmocka_unit_test(sqlite_has_the_hosts_clock),
		cmocka_unit_test(writers_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
