/*
 * The door to SQLite: values, verdicts, and that disk, time and chance are
 * rt's.  Linked with --wrap, so that they are this file's.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "db/sql.h"

enum { NOON_S = 1800000000 };

static char folder[] = "/tmp/db-sql-XXXXXX", path[64], other[64];
static struct arena *arena;
static struct sql *s;

/* ---- rt's disk, clock and random numbers ---- */

static int opened;
static int64_t clock_ms;
static uint8_t chance;

static sqlite3_vfs disk;
static int (*open_file)(sqlite3_vfs *, const char *, sqlite3_file *, int,
			int *);

static int open_counted(sqlite3_vfs *vfs, const char *name, sqlite3_file *f,
			int flags, int *out)
{
	opened++;
	return open_file(vfs, name, f, flags, out);
}

const char *__wrap_folder_vfs(void);
const char *__wrap_folder_vfs(void)
{
	return "counting";
}

int64_t __wrap_wall_ms(void);
int64_t __wrap_wall_ms(void)
{
	return clock_ms += 1000; /* it never stands still */
}

void __wrap_random_bytes(void *to, size_t n);
void __wrap_random_bytes(void *to, size_t n)
{
	memset(to, chance, n);
}

static void make_disk(void)
{
	disk = *sqlite3_vfs_find(NULL);
	open_file = disk.xOpen;
	disk.xOpen = open_counted;
	disk.zName = "counting";
	disk.pNext = NULL;
	check(sqlite3_vfs_register(&disk, 0) == SQLITE_OK);
}

/* ---- a file ---- */

static _Atomic bool damaged;

static void twice(struct sql_call *c)
{
	struct str text = call_text(c);

	if (!call_is_null(c))
		call_answer(
			c, arena_strf(arena, "%.*s%.*s", STR(text), STR(text)));
}

static void same(struct sql_call *c)
{
	call_answer_same(c);
}

static void taken(struct sql_call *c)
{
	call_answer_taken(c, strdup("taken"), 5);
}

static const struct sql_function functions[] = {
	{ "twice", twice }, { "same", same }, { "taken", taken }, { NULL, NULL }
};

static const struct sql_file file = {
	.name = "test.db",
	.read_wait_ms = 10,
	.write_wait_ms = 10,
	.functions = functions,
	.making = "PRAGMA journal_mode = WAL",
	.settings = "PRAGMA foreign_keys = ON",
	.writing = "PRAGMA synchronous = FULL",
	.damaged = &damaged,
};

static int begin(void **state)
{
	arena = arena_open();
	clock_ms = NOON_S * 1000LL;
	damaged = false;
	s = sql_open(&file, path, SQL_CREATE);
	return s && sql_script(s, "CREATE TABLE t (n INTEGER, x)") ? 0 : -1;
}

static int end(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[80];

	sql_close(s);
	arena_close(arena);
	for (size_t i = 0; i < 2 * array_size(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", i % 2 ? path : other,
			 ends[i / 2]);
		unlink(name);
	}
	return 0;
}

static void add(int64_t n)
{
	assert_true(sql_run(s, "INSERT INTO t VALUES (?, 'x')", "i", n));
}

static int64_t number(struct sql *from, const char *text)
{
	int64_t n = -1;

	assert_int_equal(sql_number(from, &n, text, ""), SQL_ROW);
	return n;
}

static const char *text_of(struct sql *from, const char *question)
{
	struct query q scoped(query) = sql_query(from, question, "");

	assert_int_equal(query_step(&q), SQL_ROW);
	return arena_cstr(arena, query_text(&q, 0, arena));
}

/* ---- values ---- */

static void test_values_come_back(void **state)
{
	struct query q scoped(query) = sql_query(
		s, "SELECT ?, ?, ?, ?, ?, ?, NULL", "stiIIb", S("a'b"), "cd",
		INT64_MIN, (int64_t)0, (int64_t)7, true);

	assert_int_equal(query_step(&q), SQL_ROW);
	assert_int_equal(query_columns(&q), 7);
	assert_true(str_same(query_text(&q, 0, arena), S("a'b")));
	assert_true(str_same(query_peek(&q, 1), S("cd")));
	assert_true(query_int(&q, 2) == INT64_MIN);
	assert_true(query_is_null(&q, 3));
	assert_int_equal(query_int(&q, 4), 7);
	assert_int_equal(query_int(&q, 5), 1);
	assert_true(query_is_null(&q, 6) && query_int(&q, 6) == 0);
	assert_true(str_empty(query_text(&q, 6, arena)));
	assert_true(str_empty(query_peek_bytes(&q, 6)));
	assert_int_equal(query_step(&q), SQL_DONE);
}

/* No pointer is no NULL, as everywhere with strings. */
static void test_values_one_by_one(void **state)
{
	static const struct str none = { NULL, 0 };
	struct query q;

	assert_true(sql_prepare(s, "SELECT ?, ?, ?, ?", &q));
	for (int64_t i = 0; i < 2; i++) {
		query_set_int(&q, 1, i);
		query_set_str(&q, 2, none);
		query_set_bytes(&q, 3, i ? none : (struct str){ "\0\1", 2 });
		query_set_null(&q, 4);
		assert_false(query_is_stepping(&q));
		assert_int_equal(query_step(&q), SQL_ROW);
		assert_true(query_is_stepping(&q));
		assert_int_equal(query_int(&q, 0), i);
		assert_false(query_is_null(&q, 1));
		assert_int_equal(query_peek_bytes(&q, 2).n, i ? 0 : 2);
		assert_false(query_is_null(&q, 2));
		assert_true(query_is_null(&q, 3));
		query_reset(&q);
	}
}

static int prepared(void)
{
	sqlite3_stmt *st = NULL;
	int n = 0;

	while ((st = sqlite3_next_stmt(sql_connection(s), st)))
		n++;
	return n;
}

static void test_a_text_is_prepared_once(void **state)
{
	add(1);
	assert_int_equal(prepared(), 1);
	for (int i = 0; i < 100; i++)
		add(i);
	assert_int_equal(prepared(), 1);
	assert_int_equal(number(s, "SELECT count(*) FROM t"), 101);
	assert_int_equal(sql_last_id(s), 101);
	assert_int_equal(prepared(), 2);
	assert_true(sql_run(s, "DELETE FROM t WHERE n < 50", ""));
	assert_int_equal(sql_changes(s), 51);
}

static void test_functions(void **state)
{
	assert_string_equal(text_of(s, "SELECT twice('ab')"), "abab");
	assert_string_equal(text_of(s, "SELECT same('ab')"), "ab");
	assert_string_equal(text_of(s, "SELECT taken('ab')"), "taken");
	assert_int_equal(number(s, "SELECT twice(NULL) IS NULL"), 1);
}

/* ---- verdicts ---- */

static void assert_trouble(enum sql_verdict want, const char *text,
			   const char *why)
{
	struct query q scoped(query) = sql_query(s, text, "");

	assert_int_equal(query_step(&q), want);
	if (!strstr(cause(), why) || strncmp(cause(), "test.db: ", 9) != 0)
		fail_msg("%s: %s", text, cause());
}

static void test_trouble(void **state)
{
	assert_false(sql_is_trouble(SQL_ROW));
	assert_false(sql_is_trouble(SQL_DONE));
	assert_trouble(SQL_TROUBLE, "SELECT 1 FROM nothing", "nothing");
	assert_false(sql_run(s, "DELETE FROM nothing", ""));
	assert_false(sql_script(s, "SELECT 1; CREATE"));
	assert_false(damaged);
	assert_null(sql_open(&file, "/nonexistent/test.db", SQL_READ));
	assert_non_null(strstr(cause(), "open /nonexistent/test.db: "));
}

static void test_busy(void **state)
{
	struct sql *writer = sql_open(&file, path, SQL_WRITE);

	assert_non_null(writer);
	assert_true(sql_script(writer, "BEGIN IMMEDIATE"));
	assert_trouble(SQL_BUSY, "BEGIN IMMEDIATE", "locked");
	sql_rollback(writer);
	assert_true(sql_run(s, "BEGIN IMMEDIATE", ""));
	assert_true(sql_in_transaction(s));
	sql_rollback(s);
	sql_rollback(s);
	assert_false(sql_in_transaction(s));
	sql_close(writer);
}

static void test_full(void **state)
{
	assert_true(sql_script(s, "PRAGMA max_page_count = 2"));
	assert_trouble(SQL_FULL, "INSERT INTO t VALUES (1, zeroblob(100000))",
		       "full");
	assert_int_equal(cause_kind(), FAIL_NO_ROOM);
	assert_null(strstr(cause(), "no space left"));
	assert_trouble(SQL_TROUBLE, "SELECT 1 FROM nothing", "nothing");
	assert_int_equal(cause_kind(), FAIL_OTHER);
}

static void test_damaged(void **state)
{
	FILE *f;

	add(1);
	sql_close(s); /* which moves the log into the file */
	f = fopen(path, "r+e");
	assert_non_null(f);
	assert_int_equal(fseek(f, 4096, SEEK_SET), 0);
	assert_int_equal(fputs("garbage garbage garbage", f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	s = sql_open(&file, path, SQL_WRITE);
	assert_non_null(s);
	assert_trouble(SQL_DAMAGED, "SELECT n FROM t", "malformed");
	assert_true(damaged);
}

/* ---- connections ---- */

static void test_readers_do_not_write(void **state)
{
	struct sql *reader = sql_open(&file, path, SQL_READ);

	assert_non_null(reader);
	add(3);
	assert_int_equal(number(reader, "SELECT n FROM t"), 3);
	assert_int_equal(number(reader, "PRAGMA foreign_keys"), 1);
	assert_false(sql_run(reader, "DELETE FROM t", ""));
	assert_non_null(strstr(cause(), "readonly"));
	sql_close(reader);
}

static void test_copy(void **state)
{
	struct sql *copy;

	add(5);
	assert_true(sql_copy(s, other));
	copy = sql_open(&file, other, SQL_READ);
	assert_non_null(copy);
	assert_int_equal(number(copy, "SELECT n FROM t"), 5);
	sql_close(copy);
	assert_false(sql_copy(s, "/nonexistent/copy.db"));
	assert_non_null(strstr(cause(), "/nonexistent/copy.db"));
}

static off_t file_bytes(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void test_the_log_is_kept(void **state)
{
	off_t before;

	sql_keep_log(s);
	before = file_bytes();
	for (int i = 0; i < 1200; i++)
		assert_true(sql_run(
			s, "INSERT INTO t VALUES (1, zeroblob(4000))", ""));
	assert_true(sql_log_pages(s) > 1000);
	assert_int_equal(file_bytes(), before);
	sql_checkpoint(s);
	assert_int_equal(sql_log_pages(s), 0);
	assert_true(file_bytes() > before + 4000000);
}

/* ---- what is below ---- */

static void test_the_disk_is_the_one_rt_names(void **state)
{
	int before = opened;
	struct sql *reader = sql_open(&file, path, SQL_READ);

	assert_non_null(reader);
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 0);
	assert_true(opened > before);
	sql_close(reader);
}

/* Wherever SQL asks for the time. */
static void test_the_clock_is_rts(void **state)
{
	assert_true(sql_script(
		s, "CREATE TABLE e (id INTEGER PRIMARY KEY, at INTEGER NOT "
		   "NULL DEFAULT (unixepoch()), changed INTEGER);"
		   "CREATE TRIGGER told AFTER INSERT ON e BEGIN UPDATE e SET "
		   "changed = unixepoch('now') WHERE id = new.id; END;"));
	clock_ms = NOON_S * 1000LL;
	assert_true(sql_run(s, "INSERT INTO e (id) VALUES (1), (2)", ""));
	assert_int_equal(number(s, "SELECT min(at) FROM e"), NOON_S + 1);
	assert_int_equal(number(s, "SELECT max(at) FROM e"), NOON_S + 1);
	assert_int_equal(number(s, "SELECT max(changed) FROM e"), NOON_S + 1);
	assert_int_equal(clock_ms, (NOON_S + 1) * 1000LL);
	assert_int_equal(number(s, "SELECT strftime('%s', 'now')"), NOON_S + 2);
	assert_int_equal(number(s, "SELECT unixepoch(julianday('now'))"),
			 NOON_S + 3);
	assert_string_equal(text_of(s, "SELECT CURRENT_TIMESTAMP"),
			    "2027-01-15 08:00:04");
}

static const char *chance_of(uint8_t seed)
{
	chance = seed;
	sqlite3_randomness(0, NULL); /* it asks again */
	return text_of(s, "SELECT hex(randomblob(16))");
}

static void test_chance_is_rts(void **state)
{
	const char *one = chance_of(1);

	assert_string_not_equal(chance_of(2), one);
	assert_string_equal(chance_of(1), one);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_values_come_back),
		TEST(test_values_one_by_one),
		TEST(test_a_text_is_prepared_once),
		TEST(test_functions),
		TEST(test_trouble),
		TEST(test_busy),
		TEST(test_full),
		TEST(test_damaged),
		TEST(test_readers_do_not_write),
		TEST(test_copy),
		TEST(test_the_log_is_kept),
		TEST(test_the_disk_is_the_one_rt_names),
		TEST(test_the_clock_is_rts),
		TEST(test_chance_is_rts),
	};
	int failed;

	make_disk();
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/test.db", folder);
	snprintf(other, sizeof(other), "%s/copy.db", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
