/* Decisions of the plan (plan.c, subject.c), from the world's seed. */
#ifndef TEST_SIM_DRAW_H
#define TEST_SIM_DRAW_H

#include "rt/sim/sim.h"

static inline bool one_in(uint64_t n)
{
	return sim_draw(n) == 0;
}

static inline int below(int n)
{
	return (int)sim_draw((uint64_t)n);
}

static inline int64_t between(int64_t from, int64_t to)
{
	return from + (int64_t)sim_draw((uint64_t)(to - from + 1));
}

#endif
