/*
 * Work that blocks, off the loop.
 *
 * offload(): any of a few threads runs a call that blocks (a file's sync, a
 * password hash); the calling fiber parks until it is done.
 *
 * A worker is one thread with an inbox, for a thing that has one owner, such
 * as a database that is written.  It takes all calls that wait, runs
 * begin(), each call in order of arrival, end(), and only then wakes the
 * callers: with BEGIN and COMMIT as the two this is group commit.
 *
 *	static bool add_row(void *job) { ... }		on the worker's thread
 *	...
 *	if (!worker_call(queue->writer, add_row, &job))	parks the fiber
 *		...the row is not there: cause() is the call's or end()'s
 *
 * A call cannot be abandoned half-way: worker_call() and offload() ignore
 * cancellation and have no deadline, since the other thread uses the caller's
 * memory.  fail() inside the call is carried over to the fiber.
 */
#ifndef RT_WORKER_H
#define RT_WORKER_H

#include "rt/fiber.h"

bool waits offload(bool (*call)(void *), void *arg) must_check;
/* The same, and nobody waits: CALL frees ARG, and says nothing.  The loop does
 * not end before it. */
void offload_forgotten(void (*call)(void *), void *arg);

struct worker;

struct worker_hooks {
	bool (*begin)(void *self); /* false: every call of the batch fails */
	bool (*end)(void *self);   /* false: likewise */
	void (*idle)(void *self);  /* no call came for IDLE_MS; may be NULL */
	int64_t idle_ms;
};

/* NAME is the thread's.  SELF is passed to the hooks. */
struct worker *worker_open(const char *name, const struct worker_hooks *hooks,
			   void *self);
/* A call that returned false does not fail its batch: it must undo its own
 * part (a savepoint).  False: the call, begin() or end() failed. */
bool waits worker_call(struct worker *w, bool (*call)(void *),
		       void *arg) must_check;
/* Runs what waits, then ends the thread.  Not from a fiber's loop while
 * others still call. */
void worker_close(struct worker *w);
/* Batches run and calls made since open: fewer batches than calls is the
 * proof of group commit. */
void worker_counts(const struct worker *w, uint64_t *batches, uint64_t *calls);

#endif
