/*
 * Worlds in processes beside this one.
 *
 * A worker lives a batch of worlds, one after the other, and says of each what
 * came of it.  When it dies, the world it was in is wrong, and the rest of its
 * batch goes to another worker.
 */
#ifndef TEST_SIM_WORKERS_H
#define TEST_SIM_WORKERS_H

#include "one_world.h"

enum { JOBS = 64 };

struct work {
	int jobs; /* so many workers at once */
	/* The next world's seed; false: there is none. */
	bool (*next)(void *arg, uint64_t *seed);
	/* In any order, if there are several workers. */
	void (*ended)(void *arg, uint64_t seed, const struct outcome *o);
	void *arg;
};

void workers_run(const struct work *w);

/* One world in a process that has lived no other and may take so long.  QUIET:
 * nothing that it writes is seen. */
void world_alone(const struct one_world *w, unsigned seconds, bool quiet,
		 struct outcome *o);

#endif
