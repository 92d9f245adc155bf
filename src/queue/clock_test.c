/* The queue's time, whatever is done to the machine's clocks. */
#include "queue/clock.h"

#include <string.h>

#include "base/test.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND };

static const int64_t day = 24 * HOUR, year = 365 * (int64_t)24 * HOUR;
static const int64_t begin = 1700000000000;

static struct instant at(int64_t queue_ms, int64_t wall_ms, int64_t boot_ms,
			 const char *boot)
{
	struct instant i = { queue_ms, wall_ms, boot_ms, "" };

	strncpy(i.boot_id, boot, sizeof(i.boot_id) - 1);
	return i;
}

/* From an instant LAST to one where the clocks say WALL and BOOT. */
static int64_t waited(int64_t wall, int64_t boot, const char *id)
{
	struct instant last = at(begin, begin, 5 * HOUR, "one");
	struct instant now = at(0, begin + wall, 5 * HOUR + boot, id);

	return queue_time(&last, &now) - begin;
}

static void test_first(void **state)
{
	struct instant last = at(0, 0, 0, ""), now = at(0, begin, 7, "one");

	assert_int_equal(queue_time(&last, &now), begin);
}

static void test_wall_is_set(void **state)
{
	const int64_t steps[] = { 0, 1, -1, HOUR, -HOUR, year, -year };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(waited(steps[i] + HOUR, HOUR, "one"), HOUR);
		assert_int_equal(waited(steps[i], 0, "one"), 0);
	}
}

/* Another boot: the wall clock is all there is, within reason. */
static void test_other_boot(void **state)
{
	assert_int_equal(waited(HOUR, -4 * HOUR, "two"), HOUR);
	assert_int_equal(waited(HOUR, -4 * HOUR, ""), HOUR);
	assert_int_equal(waited(year, -4 * HOUR, "two"), day);
	assert_int_equal(waited(-year, -4 * HOUR, "two"), 0);
	assert_int_equal(waited(-begin, -4 * HOUR, "two"), 0);
}

/* A container whose boot clock begins anew under the same id. */
static void test_boot_clock_back(void **state)
{
	assert_int_equal(waited(HOUR, -4 * HOUR, "one"), HOUR);
	assert_int_equal(waited(year, -4 * HOUR, "one"), day);
}

static void test_long_sleep(void **state)
{
	assert_int_equal(waited(9 * day, 9 * day, "one"), day);
}

static void test_news(void **state)
{
	struct instant last = at(begin, begin, HOUR, "one");
	struct instant soon = at(begin + 500, begin + 600, HOUR + 500, "one");
	struct instant late = at(begin + 70000, begin + 70000, HOUR, "one");
	struct instant set = at(begin + 500, begin + day, HOUR + 500, "one");
	struct instant back = at(begin + 500, begin - day, HOUR + 500, "one");

	assert_false(instant_is_news(&last, &soon));
	assert_true(instant_is_news(&last, &late));
	assert_true(instant_is_news(&last, &set));
	assert_true(instant_is_news(&last, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_wall_is_set),
		cmocka_unit_test(test_other_boot),
		cmocka_unit_test(test_boot_clock_back),
		cmocka_unit_test(test_long_sleep),
		cmocka_unit_test(test_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
