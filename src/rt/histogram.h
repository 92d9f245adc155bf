/*
 * How long things take: counters by duration, as Prometheus wants them.  Their
 * names and help texts are one table (rt/histograms.def).
 *
 *	observe(HISTOGRAM_ANSWER, now_ms() - begun_ms);
 *	histogram_read(HISTOGRAM_ANSWER, &value);	of this process
 */
#ifndef RT_HISTOGRAM_H
#define RT_HISTOGRAM_H

#include <stdint.h>

enum histogram {
#define HISTOGRAM(name, metric, help) HISTOGRAM_##name,
#include "rt/histograms.def"
#undef HISTOGRAM
	HISTOGRAM_COUNT
};

enum { HISTOGRAM_BOUNDS = 16 };
extern const int64_t histogram_bounds_ms[HISTOGRAM_BOUNDS]; /* ascending */

struct histogram_value {
	/* n[i]: more than the bound before, at most histogram_bounds_ms[i];
	 * the last: more than all. */
	uint64_t n[HISTOGRAM_BOUNDS + 1];
	uint64_t sum_ms;
};

/* MS below 0 is 0: a wall clock may have been set back meanwhile. */
void observe(enum histogram h, int64_t ms);
void histogram_read(enum histogram h, struct histogram_value *out);
const char *histogram_name(enum histogram h);
const char *histogram_help(enum histogram h);

#endif
