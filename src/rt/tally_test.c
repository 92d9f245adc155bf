/* Tallies, counters, random names, dates. */
#include "rt/tally.h"

#include <string.h>

#include "base/test.h"
#include "rt/clock.h"
#include "rt/counter.h"
#include "rt/loop.h"
#include "rt/random.h"

static void keys_are_counted_apart(void **state)
{
	struct tally *t = tally_open();

	(void)state;
	assert_int_equal(tally_add(t, S("a")), 1);
	assert_int_equal(tally_add(t, S("a")), 2);
	assert_int_equal(tally_add(t, S("a\0b")), 1);
	assert_int_equal(tally_count(t, S("a")), 2);
	assert_int_equal(tally_count(t, S("b")), 0);
	assert_int_equal(tally_total(t), 3);
	tally_drop(t, S("a"));
	tally_drop(t, S("a"));
	assert_int_equal(tally_count(t, S("a")), 0);
	assert_int_equal(tally_total(t), 1);
	assert_int_equal(tally_add(t, S("a")), 1);
	tally_close(t);
}

static struct tally *shared;

static void add_and_count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10000; i++) {
		tally_add(shared, S("all"));
		count(COUNT_PROBES);
	}
}

static void loops_count_together(void **state)
{
	uint64_t before = counter_value(COUNT_PROBES);

	(void)state;
	shared = tally_open();
	loops_run(3, add_and_count, NULL);
	assert_int_equal(tally_count(shared, S("all")), 30000);
	assert_int_equal(counter_value(COUNT_PROBES), before + 30000);
	tally_close(shared);
}

static void counters_have_names(void **state)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	(void)state;
	assert_string_equal(counter_name(COUNT_DSNS), "splitmail_dsns_total");
	assert_true(strlen(counter_help(COUNT_DSNS)) > 0);
	count_add(COUNT_DSNS, 7);
	counters_list(&b);
	assert_true(str_search(buf_str(&b), S("dsns=7")) >= 0);
}

static void random_is_in_range(void **state)
{
	char name[21];
	bool seen[10] = { false };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t r = random_below(10);

		assert_true(r < 10);
		seen[r] = true;
	}
	for (int i = 0; i < 10; i++)
		assert_true(seen[i]);
	assert_int_equal(random_below(1), 0);
	random_name(name, 20);
	assert_int_equal(strlen(name), 20);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz234567"), 20);
}

static void dates_are_utc(void **state)
{
	const int64_t t = 1795397642123; /* 2026-11-23 */

	(void)state;
	assert_string_equal(date_rfc5322(t).c,
			    "Mon, 23 Nov 2026 01:34:02 +0000");
	assert_string_equal(date_iso(t).c, "2026-11-23T01:34:02Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_counted_apart),
		cmocka_unit_test(loops_count_together),
		cmocka_unit_test(counters_have_names),
		cmocka_unit_test(random_is_in_range),
		cmocka_unit_test(dates_are_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
