/*
 * Fibers as seen from inside rt: parking, waking, and what a loop needs to
 * run them.  Nothing outside rt includes this.
 *
 *	fiber_park(why, deadline)	the running fiber leaves the processor
 *	fiber_wake(f)			it will run in this loop's next round
 *
 * The scheduler is per thread: fibers_open() in the thread that runs the loop,
 * then fibers_turn() after everything that may have woken somebody.
 */
#ifndef RT_FIBER_INSIDE_H
#define RT_FIBER_INSIDE_H

#include "rt/fiber.h"

/* WHY is a literal, for debuggers.  Fails at once when the fiber is cancelled
 * or the deadline has passed. */
enum wait_result waits fiber_park(const char *why, int64_t deadline_ms);
/* Neither deadline nor cancellation: another thread uses our memory. */
void waits fiber_park_deaf(const char *why);
/* The same of a fiber that stands for a thread: to itself it blocks. */
void fiber_block(const char *why);

/* Nothing happens when F is not parked. */
void fiber_wake(struct fiber *f);
/* Give way when this fiber has gone on for too long without waiting: called
 * where bytes are had without a wait, so that a flood starves nobody. */
void waits fiber_breathe(void);
/* Where fail() writes for F; another thread may use it while F is deaf. */
struct failure *fiber_failure(struct fiber *f);

void fibers_open(void);
void fibers_close(void); /* none is left */
/* Run what is ready; true: somebody is ready again. */
bool fibers_turn(int64_t now_ms);
/* The earliest instant at which fibers_turn() has something to do. */
int64_t fibers_alarm(void);

/* ---- for a loop that chooses who runs (rt/sim) ---- */

/* Whose fibers are that are started from now on.  While a fiber runs it is
 * that fiber's home: whom it starts is at home where it is. */
void fibers_use_home(void *home);
void *fibers_home(void);
/* End the waits whose deadline has come. */
void fibers_ring(int64_t now_ms);
/* Of the N fibers of this round the one that CHOOSE says, to be run at once;
 * who becomes ready meanwhile is in the next round.  NULL: nobody is ready. */
struct fiber *fibers_next(size_t (*choose)(size_t n));
void fibers_run(struct fiber *f);
/* The fibers of HOME do not go on, and none of them runs now: they end without
 * another line of theirs.  What is on their stacks is forgotten. */
void fibers_drop(const void *home);

/* Every fiber and every posted call keeps the loops running. */
void loops_keep(void);
void loops_release(void);

/* A stack's memory: a guard page at LOW, usable up to LOW + BYTES. */
struct stack {
	char *low;
	size_t bytes;
};

struct stack stack_take(void);
/* Forget the contents below the uppermost KEEP bytes. */
void stack_trim(struct stack s, size_t keep);
/* All stacks this thread has taken go back to the kernel. */
void stacks_close(void);

#endif
