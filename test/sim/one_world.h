/* One world from its first to its last instant. */
#ifndef TEST_SIM_ONE_WORLD_H
#define TEST_SIM_ONE_WORLD_H

#include "books.h"

struct one_world {
	uint64_t seed;
	struct str without; /* entries.h */
	bool is_told;       /* line by line */
	bool with_log;      /* and what the servers log */
};

struct outcome {
	bool is_bad;
	uint64_t trace;
	struct books_totals totals;
	char verdict[400]; /* what was wrong first */
};

/* In a process of its own: nothing of others lies on its heap. */
bool one_world_begins_anew(uint64_t seed);
/* Leaves what killed processes had on their heaps. */
void one_world(const struct one_world *w, struct outcome *o);
/* Its plan only, told. */
void world_tell_plan(const struct one_world *w);
bool world_is_about(uint64_t seed, const char *subject);

/* As it is before anything happens, or takes any time.  A name of an entry that
 * it has not ends this process. */
void world_open(const struct one_world *w);
void world_close(void);

#endif
