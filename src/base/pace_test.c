/* So many within any minute, and as many as that (pace.h). */
#include "base/pace.h"

#include "base/test.h"

enum { MINUTE_MS = 60000, MOST = 4000 };

static int64_t went[MOST];

/* N wait from the start, looking when they are told to: when each goes. */
static void all_wait(struct pace *p, unsigned per_minute, unsigned n)
{
	int64_t now = 1000, again;

	for (unsigned i = 0; i < n; i++) {
		while (!pace_take(p, per_minute, now, &again)) {
			assert_true(again > now);
			now = again;
		}
		went[i] = now;
	}
}

static void most_in_a_minute(unsigned per_minute, unsigned n)
{
	for (unsigned i = per_minute; i < n; i++)
		assert_true(went[i] - went[i - per_minute] >= MINUTE_MS);
}

static void never_more_and_never_less(void **state)
{
	static const unsigned paces[] = { 1, 2, 7, 60, 1000 };

	for (size_t i = 0; i < array_size(paces); i++) {
		struct pace p = PACE_NEW;
		unsigned n = 3 * paces[i] + 1;

		all_wait(&p, paces[i], n);
		most_in_a_minute(paces[i], n);
		assert_int_equal(went[n - 1] - went[0], 3 * MINUTE_MS);
		pace_free(&p);
	}
}

/* Whatever came before, at whatever intervals. */
static void in_any_minute(void **state)
{
	struct pace p = PACE_NEW;
	int64_t now = 0, again;
	unsigned n = 0;

	for (unsigned i = 0; i < 20000 && n < MOST; i++) {
		now += (i * 7919) % 997;
		if (pace_take(&p, 30, now, &again))
			went[n++] = now;
	}
	assert_true(n > 1000);
	most_in_a_minute(30, n);
	pace_free(&p);
}

static void another_pace_counts_what_went(void **state)
{
	struct pace p = PACE_NEW;
	int64_t again;

	all_wait(&p, 5, 5);
	assert_false(pace_take(&p, 5, 2000, &again));
	assert_int_equal(again, 1000 + MINUTE_MS);
	/* Two more. */
	assert_true(pace_take(&p, 7, 2000, &again));
	assert_true(pace_take(&p, 7, 3000, &again));
	assert_false(pace_take(&p, 7, 3000, &again));
	assert_int_equal(again, 1000 + MINUTE_MS);
	/* Of the seven the last two count. */
	assert_false(pace_take(&p, 2, 4000, &again));
	assert_int_equal(again, 2000 + MINUTE_MS);
	assert_true(pace_take(&p, 2, again, &again));
	assert_false(pace_take(&p, 1, 3000 + MINUTE_MS, &again));
	assert_int_equal(again, 2000 + 2 * MINUTE_MS);
	pace_free(&p);
}

static void what_is_returned_did_not_go(void **state)
{
	struct pace p = PACE_NEW;
	int64_t again;

	all_wait(&p, 3, 5); /* 1, 1, 1, 61, 61 s */
	pace_return(&p);
	assert_true(pace_take(&p, 3, 62000, &again));
	assert_true(pace_take(&p, 3, 62000, &again));
	assert_false(pace_take(&p, 3, 62000, &again));
	assert_int_equal(again, 61000 + MINUTE_MS);
	for (int i = 0; i < 5; i++)
		pace_return(&p);
	for (int i = 0; i < 3; i++)
		assert_true(pace_take(&p, 3, 63000, &again));
	assert_false(pace_take(&p, 3, 63000, &again));
	assert_int_equal(again, 63000 + MINUTE_MS);
	pace_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_more_and_never_less),
		cmocka_unit_test(in_any_minute),
		cmocka_unit_test(another_pace_counts_what_went),
		cmocka_unit_test(what_is_returned_did_not_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
