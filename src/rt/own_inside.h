/*
 * What rt's common part has once a process.  On Linux that is once a program;
 * in a simulated world (sim/sim.h) each process has its own, so that whole
 * engines live side by side in one program and know nothing of each other.
 */
#ifndef RT_OWN_INSIDE_H
#define RT_OWN_INSIDE_H

#include <stdint.h>

#include "rt/counter.h"
#include "rt/histogram.h"

#ifdef RT_SIM
enum { COUNTER_LANES = 1, LANE_ALIGN = 8 }; /* a world is one thread */
#else
enum { COUNTER_LANES = 32, LANE_ALIGN = 64 }; /* more threads share */
#endif

struct histogram_lane {
	_Atomic uint64_t n[HISTOGRAM_BOUNDS + 1], sum_ms;
};

struct counter_lane {
	_Alignas(LANE_ALIGN) _Atomic uint64_t n[COUNTER_COUNT];
	struct histogram_lane histograms[HISTOGRAM_COUNT];
};

struct own {
	struct counter_lane lanes[COUNTER_LANES];
	/* In the head of each line of the log. */
	char log_host[280];  /* "HOST splitmail/" */
	char log_number[24]; /* "[1234]: " */
	bool log_is_journal;
};

#define OWN_AT_FIRST \
	{ \
		.log_host = "localhost splitmail/", .log_number = "[0]: " \
	}

#ifdef RT_SIM
struct own *own(void);
#else
extern struct own own_of_program;

static inline struct own *own(void)
{
	return &own_of_program;
}
#endif

struct counter_lane *counter_lane(void); /* this thread's */

#endif
