#include "rt/histogram.h"

#include "base/test.h"

static uint64_t all(const struct histogram_value *v)
{
	uint64_t n = 0;

	for (int i = 0; i <= HISTOGRAM_BOUNDS; i++)
		n += v->n[i];
	return n;
}

static void bounds_ascend(void **unused)
{
	for (int i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bounds_ms[i - 1] <
			    histogram_bounds_ms[i]);
}

/* Each bound is in its bucket, and one more in the next. */
static void each_has_its_bucket(void **unused)
{
	for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
		struct histogram_value before, after;

		histogram_read(HISTOGRAM_ANSWER, &before);
		observe(HISTOGRAM_ANSWER, histogram_bounds_ms[i]);
		observe(HISTOGRAM_ANSWER, histogram_bounds_ms[i] + 1);
		histogram_read(HISTOGRAM_ANSWER, &after);
		assert_int_equal(after.n[i] - before.n[i], 1);
		assert_int_equal(after.n[i + 1] - before.n[i + 1], 1);
		assert_int_equal(all(&after) - all(&before), 2);
		assert_int_equal(after.sum_ms - before.sum_ms,
				 2 * histogram_bounds_ms[i] + 1);
	}
}

static void a_clock_set_back_is_no_time(void **unused)
{
	struct histogram_value before, after;

	histogram_read(HISTOGRAM_DELIVERY_DELAY, &before);
	observe(HISTOGRAM_DELIVERY_DELAY, -3600000);
	observe(HISTOGRAM_DELIVERY_DELAY, 0);
	observe(HISTOGRAM_DELIVERY_DELAY, INT64_MAX / 2);
	histogram_read(HISTOGRAM_DELIVERY_DELAY, &after);
	assert_int_equal(after.n[0] - before.n[0], 2);
	assert_int_equal(after.n[HISTOGRAM_BOUNDS] - before.n[HISTOGRAM_BOUNDS],
			 1);
	assert_int_equal(after.sum_ms - before.sum_ms, INT64_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_ascend),
		cmocka_unit_test(each_has_its_bucket),
		cmocka_unit_test(a_clock_set_back_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
