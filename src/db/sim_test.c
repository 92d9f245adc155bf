/*
 * The door to SQLite on a simulated machine: its disk, power cuts included, its
 * clock, and a seed that says it all.
 */
#include <stdio.h>

#include "base/test.h"
#include "db/sql.h"
#include "rt/folder.h"
#include "rt/sim/sim.h"

enum { ROWS = 5, NOON_S = 1800000000 };

static const struct sql_file file = {
	.name = "test.db",
	.making = "PRAGMA journal_mode = WAL",
	.writing = "PRAGMA synchronous = FULL",
};

static struct sim_host *mx;
static char chance[33];

static int64_t number(struct sql *s, const char *text)
{
	int64_t n = -1;

	check(sql_number(s, &n, text, "") == SQL_ROW);
	return n;
}

static void note_chance(struct sql *s)
{
	struct query q scoped(query) =
		sql_query(s, "SELECT hex(randomblob(16))", "");

	check(query_step(&q) == SQL_ROW);
	snprintf(chance, sizeof(chance), "%.*s", STR(query_peek(&q, 0)));
}

static void write_rows(void *unused)
{
	struct sql *s;

	sim_set_wall(mx, NOON_S * 1000LL);
	check(folder_make("/data"));
	s = sql_open(&file, "/data/test.db", SQL_CREATE);
	check(s);
	check(sql_script(s, "CREATE TABLE t (n INTEGER, "
			    "at INTEGER DEFAULT (unixepoch()))"));
	for (int64_t n = 0; n < ROWS; n++)
		check(sql_run(s, "INSERT INTO t (n) VALUES (?)", "i", n));
	check(sql_script(s, "BEGIN"));
	check(sql_run(s, "DELETE FROM t", ""));
	note_chance(s);
	sim_power_cut(mx);
}

static void read_rows(void *unused)
{
	struct sql *s = sql_open(&file, "/data/test.db", SQL_READ);

	check(s);
	check(number(s, "SELECT count(*) FROM t") == ROWS);
	check(number(s, "SELECT min(at) FROM t") >= NOON_S);
	check(number(s, "SELECT max(at) FROM t") < NOON_S + 60);
	sql_close(s);
}

static void run_on_mx(void (*program)(void *))
{
	struct sim_process *p = sim_start(mx, "program", program, NULL);

	while (!sim_has_ended(p))
		check(sim_step(INT64_MAX));
}

static uint64_t world(uint64_t seed)
{
	uint64_t trace;

	sim_open(seed);
	mx = sim_host("mx", "192.0.2.1");
	run_on_mx(write_rows);
	sim_power_on(mx);
	run_on_mx(read_rows);
	trace = sim_trace();
	sim_close();
	return trace;
}

static void test_what_was_committed_outlives_the_power(void **state)
{
	uint64_t trace = world(7);
	char first[sizeof(chance)];

	memcpy(first, chance, sizeof(first));
	world(8);
	assert_string_not_equal(chance, first);
	assert_true(world(7) == trace);
	assert_string_equal(chance, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_committed_outlives_the_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
