/* Destinations in virtual time: who rests, for how long, who goes first. */
#include "deliver/destinations.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/test.h"
#include "rt/loop.h"
#include "rt/sim/sim.h"

#define BIG S("big.com")

static struct destinations *all;

static const struct reply slow_down = { .code = 421,
					.status = "4.7.0",
					.text = { "slow down", 9 } };

/* How long it is to rest; 0: it may go, and has entered; -1: it is full. */
static int64_t entered(struct str name, bool is_ordered)
{
	struct arena *arena scoped(arena) = arena_open();
	struct destination_rest rest = { 0 };
	struct destination_wish wish = { .domain = S("d.example"),
					 .is_ordered = is_ordered,
					 .deadline_ms = after_ms(1000) };

	switch (destination_enter(all, name, &wish, arena, &rest)) {
	case DESTINATION_OPEN:
		return 0;
	case DESTINATION_RESTS:
		assert_int_equal(rest.reply.code, 421);
		assert_true(str_same(rest.reply.text, S("slow down")));
		return rest.for_ms;
	case DESTINATION_BUSY:
		break;
	}
	return -1;
}

static bool left(struct str name, enum destination_outcome outcome)
{
	return destination_leave(all, name, outcome, &slow_down);
}

/* So many of the destination's mails are under way at once, and no more. */
static void takes_at_once(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(entered(BIG, false), 0);
	assert_int_not_equal(entered(BIG, false), 0);
}

static void it_rests_longer_each_time(void)
{
	static const int64_t rests_s[] = { 60, 120, 240, 480, 600, 600 };

	for (size_t i = 0; i < array_size(rests_s); i++) {
		assert_int_equal(entered(BIG, false), 0);
		assert_false(left(BIG, DESTINATION_THROTTLED));
		assert_int_equal(entered(BIG, false), rests_s[i] * 1000);
		/* one after the other */
		assert_int_equal(entered(BIG, false), rests_s[i] * 1000 + 250);
		assert_int_equal(entered(S("else.com"), false), 0);
		left(S("else.com"), DESTINATION_TOOK);
		fiber_sleep(after_ms(rests_s[i] * 1000));
	}
}

static void it_recovers_from_one(void)
{
	assert_int_equal(entered(BIG, false), 0);
	left(BIG, DESTINATION_THROTTLED);
	fiber_sleep(after_ms(60000));
	for (unsigned n = 1; n < 8; n *= 2) {
		takes_at_once(n);
		for (unsigned i = 1; i < n; i++)
			assert_false(left(BIG, DESTINATION_NOTHING));
		assert_int_equal(left(BIG, DESTINATION_TOOK), n == 4);
	}
	takes_at_once(8); /* as it is set */
	for (int i = 0; i < 8; i++)
		assert_false(left(BIG, DESTINATION_TOOK));
	/* and begins anew */
	assert_int_equal(entered(BIG, false), 0);
	left(BIG, DESTINATION_THROTTLED);
	assert_int_equal(entered(BIG, false), 60000);
}

static void of_many_that_hear_it_one_counts(void)
{
	for (int i = 0; i < 8; i++)
		assert_int_equal(entered(BIG, false), 0);
	for (int i = 0; i < 8; i++)
		left(BIG, DESTINATION_THROTTLED);
	assert_int_equal(entered(BIG, false), 60000);
	/* One that was under way when it began takes nothing back. */
	assert_false(left(BIG, DESTINATION_TOOK));
	assert_true(entered(BIG, false) > 0);
}

static void an_administrator_goes_first(void)
{
	size_t n;
	struct arena *arena scoped(arena) = arena_open();

	assert_false(destination_wake(all, BIG));
	assert_int_equal(entered(BIG, false), 0);
	left(BIG, DESTINATION_THROTTLED);
	assert_int_equal(entered(BIG, true), 0);
	left(BIG, DESTINATION_NOTHING);
	assert_true(entered(BIG, false) > 0);
	assert_true(destination_wake(all, BIG));
	destination_domains(all, BIG, arena, &n);
	assert_int_equal(n, 1);
	takes_at_once(1);
	destinations_list(all, arena, &n);
	assert_int_equal(n, 1);
}

static void there_is_room_for_so_many(void)
{
	struct arena *arena scoped(arena) = arena_open();
	char name[40];
	size_t n;

	assert_int_equal(entered(BIG, false), 0);
	for (int i = 0; i < LIMIT_DESTINATIONS + 100; i++) {
		snprintf(name, sizeof name, "n%d.com", i);
		assert_int_equal(entered(str_of(name), false), 0);
		left(str_of(name), DESTINATION_THROTTLED);
	}
	destinations_list(all, arena, &n);
	assert_int_equal(n, LIMIT_DESTINATIONS);
	left(BIG, DESTINATION_THROTTLED);
	assert_int_equal(entered(BIG, false), 60000);
}

static void test_main(void *arg)
{
	void (*const *test)(void) = arg;

	(*test)();
}

static void in_a_world(void (*test)(void))
{
	struct destination_limits limits = { .at_once = 8,
					     .rest_ms = 60000,
					     .rest_most_ms = 600000 };

	sim_open(1);
	all = destinations_open(&limits);
	loops_run(1, test_main, &test);
	destinations_close(all);
	sim_close();
}

/* clang-format off */
#define TESTS(T) \
	T(it_rests_longer_each_time) T(it_recovers_from_one) \
	T(of_many_that_hear_it_one_counts) T(an_administrator_goes_first) \
	T(there_is_room_for_so_many)
/* clang-format on */

#define RUN(test) \
	static void run_##test(void **state) \
	{ \
		(void)state; \
		in_a_world(test); \
	}
#define ENTRY(test) cmocka_unit_test(run_##test),

TESTS(RUN)

int main(void)
{
	const struct CMUnitTest tests[] = { TESTS(ENTRY) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
