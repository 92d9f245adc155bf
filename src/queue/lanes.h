/*
 * Which next hops have mail that waits, and when the first of it is due.
 *
 * A lane is one next hop's part of the queue, in the order of its attempts.
 * There is one for each next hop that rows wait for, however many rows: so
 * who has no room for more costs nothing while thousands wait for it.
 *
 * Times here are no promise but a lower bound: nothing of a lane is due
 * before.  The writer's thread alone uses them.
 */
#ifndef QUEUE_LANES_H
#define QUEUE_LANES_H

#include "base/hash.h"
#include "base/next_hop.h"

struct lane {
	struct next_hop hop;
	int64_t due_ms;  /* INT64_MAX: nothing is known to wait */
	bool is_ordered; /* an administrator wants it tried now */
	/* For one claim: what is known of the next hop. */
	unsigned room;
	bool knocks, is_down;
	UT_hash_handle hh;
	size_t key_bytes;
	char key[]; /* its text */
};

struct lanes {
	struct lane *all;
	size_t n_read; /* when the rows were read last */
};

struct lane *lane_make(struct lanes *l, struct next_hop hop);
/* Something of HOP is due at DUE_MS. */
void lane_note(struct lanes *l, struct next_hop hop, int64_t due_ms);
void lanes_clear(struct lanes *l);
/* What there is now follows from the rows. */
void lanes_are_read(struct lanes *l);
/* Have so many come since that they take more memory than those with mail?
 * Lanes stay when they are empty, until the rows are read again. */
bool lanes_are_stale(const struct lanes *l);

#endif
