#include "queue/underway.h"

#include <unistd.h>

#include "base/test.h"

static int fd;
static struct underway *u;

static int setup(void **state)
{
	fd = underway_make();
	assert_true(fd >= 0);
	u = underway_open(fd);
	assert_non_null(u);
	return 0;
}

static int teardown(void **state)
{
	underway_close(u);
	close(fd);
	return 0;
}

/* The engine goes, and another comes. */
static void next_engine(bool by_fault)
{
	underway_close(u);
	underway_ended(fd, by_fault);
	u = underway_open(fd);
	assert_non_null(u);
}

struct seen {
	int64_t number;
	unsigned faults;
	int n;
};

static enum underway_fate see(void *arg, int64_t number, unsigned faults)
{
	struct seen *s = arg;

	if (!s->number || s->number == number)
		s->faults = faults;
	s->n++;
	return UNDERWAY_STAYS;
}

static unsigned faults_of(int64_t number)
{
	struct seen s = { .number = number };

	underway_judge(u, see, &s);
	return s.faults;
}

static int remembered(void)
{
	struct seen s = { .number = -1 };

	underway_judge(u, see, &s);
	return s.n;
}

static void what_comes_back_is_forgotten(void **state)
{
	underway_begin(u, 7);
	underway_end(u, 7, true);
	underway_begin(u, 8);
	underway_end(u, 8, false);
	next_engine(true);
	assert_int_equal(remembered(), 0);
}

static void other_ends_count_for_nothing(void **state)
{
	for (int i = 0; i < 5; i++) {
		underway_begin(u, 7);
		next_engine(false);
	}
	assert_int_equal(remembered(), 0);
	underway_begin(u, 7);
	next_engine(true);
	underway_begin(u, 7);
	next_engine(false);
	assert_int_equal(faults_of(7), 1);
}

static void two_faults_make_a_suspect(void **state)
{
	for (int i = 0; i < 2; i++) {
		assert_true(underway_may_begin(u, 7));
		underway_begin(u, 7);
		underway_begin(u, 8);
		underway_begin(u, 100 + i); /* there once only */
		next_engine(true);
	}
	assert_int_equal(faults_of(7), 2);
	assert_int_equal(faults_of(8), 2);
	assert_int_equal(faults_of(100), 1);
	assert_true(underway_may_begin(u, 7));
	underway_begin(u, 7);
	assert_false(underway_may_begin(u, 8));
	assert_true(underway_may_begin(u, 9));
	assert_true(underway_may_begin(u, 100));
	underway_end(u, 7, true);
	assert_true(underway_may_begin(u, 8));
	assert_int_equal(faults_of(7), 0);
}

static void the_third_is_his_who_was_on_trial(void **state)
{
	for (int i = 0; i < 2; i++) {
		for (int64_t n = 1; n <= 20; n++)
			underway_begin(u, n);
		next_engine(true);
	}
	underway_begin(u, 5);
	underway_end(u, 5, true); /* acquitted */
	underway_begin(u, 50);
	underway_begin(u, 9);
	underway_begin(u, 51);
	next_engine(true);
	for (int64_t n = 1; n <= 20; n++)
		assert_int_equal(faults_of(n), n == 5 ? 0 : n == 9 ? 3 : 2);
	assert_int_equal(faults_of(50), 1);
	assert_false(underway_may_begin(u, 9));
	assert_true(underway_may_begin(u, 10));
}

static void put_off_is_no_acquittal(void **state)
{
	underway_begin(u, 7);
	next_engine(true);
	underway_begin(u, 7);
	underway_end(u, 7, false);
	underway_begin(u, 7);
	next_engine(true);
	assert_int_equal(faults_of(7), 2);
}

static enum underway_fate hold(void *arg, int64_t number, unsigned faults)
{
	return faults >= FAULTS_HOLD ? UNDERWAY_IS_HELD
	       : number == 8         ? UNDERWAY_IS_GONE
				     : UNDERWAY_STAYS;
}

/* Held, released, and one death is enough the next time. */
static void once_held(void **state)
{
	for (int i = 0; i < 3; i++) {
		underway_begin(u, 7);
		next_engine(true);
	}
	underway_begin(u, 8);
	next_engine(true);
	assert_int_equal(underway_held(fd), 0);
	underway_judge(u, hold, NULL);
	assert_int_equal(underway_held(fd), 1);
	assert_int_equal(remembered(), 1);
	assert_true(underway_may_begin(u, 7));
	underway_begin(u, 7);
	next_engine(true);
	assert_int_equal(faults_of(7), 3);
}

/* More than there is room for, again and again: it is not noted, no more. */
static void more_than_there_is_room_for(void **state)
{
	for (int round = 0; round < 3; round++) {
		for (int64_t n = 1; n <= 10000; n++)
			underway_begin(u, n);
		for (int64_t n = 10000; n >= 1; n--)
			underway_end(u, n, true);
	}
	assert_int_equal(remembered(), 0);
	underway_begin(u, 7);
	next_engine(true);
	assert_int_equal(faults_of(7), 1);
}

static void nobody_counts(void **state)
{
	underway_begin(NULL, 7);
	underway_end(NULL, 7, false);
	assert_true(underway_may_begin(NULL, 7));
	underway_judge(NULL, see, NULL);
	underway_close(NULL);
	assert_null(underway_open(0));
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH(what_comes_back_is_forgotten),
		WITH(other_ends_count_for_nothing),
		WITH(two_faults_make_a_suspect),
		WITH(the_third_is_his_who_was_on_trial),
		WITH(put_off_is_no_acquittal),
		WITH(once_held),
		WITH(more_than_there_is_room_for),
		cmocka_unit_test(nobody_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
