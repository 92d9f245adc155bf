/* One world from its first to its last instant. */
#ifndef TEST_SIM_ONE_WORLD_H
#define TEST_SIM_ONE_WORLD_H

#include "books.h"

struct outcome {
	bool is_bad;
	uint64_t trace;
	struct books_totals totals;
	char verdict[400]; /* what was wrong first */
};

/* Leaves what killed processes had on their heaps: once in a process. */
void one_world(uint64_t seed, struct outcome *o);
/* The same, told line by line; the status to end with. */
int show_world(uint64_t seed, bool with_log);

#endif
