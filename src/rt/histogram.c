/* Histograms: every thread adds in its own lane, as counters do. */
#include "rt/histogram.h"

#include <stdatomic.h>

#include "rt/own_inside.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* From a disk's commit to a system that was away for a day. */
const int64_t histogram_bounds_ms[HISTOGRAM_BOUNDS] = {
	5,           10,     25,         50,          100,         250,
	500,         SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE,
	10 * MINUTE, HOUR,   6 * HOUR,   24 * HOUR,
};

static int bucket_of(int64_t ms)
{
	int i = 0;

	while (i < HISTOGRAM_BOUNDS && ms > histogram_bounds_ms[i])
		i++;
	return i;
}

void observe(enum histogram h, int64_t ms)
{
	struct histogram_lane *lane = &counter_lane()->histograms[h];

	if (ms < 0)
		ms = 0;
	atomic_fetch_add_explicit(&lane->n[bucket_of(ms)], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&lane->sum_ms, (uint64_t)ms,
				  memory_order_relaxed);
}

void histogram_read(enum histogram h, struct histogram_value *out)
{
	*out = (struct histogram_value){ .sum_ms = 0 };
	for (int i = 0; i < COUNTER_LANES; i++) {
		struct histogram_lane *lane = &own()->lanes[i].histograms[h];

		for (int b = 0; b <= HISTOGRAM_BOUNDS; b++)
			out->n[b] += atomic_load_explicit(&lane->n[b],
							  memory_order_relaxed);
		out->sum_ms += atomic_load_explicit(&lane->sum_ms,
						    memory_order_relaxed);
	}
}

static const struct {
	const char *name, *help;
} table[HISTOGRAM_COUNT] = {
#define HISTOGRAM(name, metric, help) [HISTOGRAM_##name] = { metric, help },
#include "rt/histograms.def"
#undef HISTOGRAM
};

const char *histogram_name(enum histogram h)
{
	return table[h].name;
}

const char *histogram_help(enum histogram h)
{
	return table[h].help;
}
