/*
 * Fibers: straight-line code on one event loop per core.
 *
 *	static void greet(void *arg)
 *	{
 *		struct stream *s = arg;
 *		stream_say(s, S("hello\r\n"));
 *		stream_flush(s, after_ms(1000));	parks here
 *		stream_close(s);
 *	}
 *	...
 *	fiber_start("greet", greet, s);
 *
 * A fiber lives on the loop (thread) that started it and never leaves it, so
 * fibers of one loop share memory without locks: nothing else runs until one
 * of them waits.  Across a wait hold only what is your own.
 *
 * Deadlines, not timeouts: every wait takes the instant at which it gives up
 * (rt/clock.h).  Cancellation is a wait that fails: after fiber_cancel() the
 * fiber's present wait and all later ones end at once with WAIT_CANCELLED, so
 * it leaves by its ordinary error paths.
 *
 * Stacks are LIMIT_STACK_BYTES with a guard page; large things go into arenas.
 * errno does not survive a wait: what "%m" is to say has to be said before.
 */
#ifndef RT_FIBER_H
#define RT_FIBER_H

#include "base/fail.h"
#include "rt/clock.h"

struct fiber;

enum wait_result {
	WAIT_DONE,
	WAIT_DEADLINE,
	WAIT_CANCELLED,
};

/*
 * Start MAIN(ARG) as a new fiber of this loop; it runs when the caller next
 * waits.  NAME is a literal, for logs and debuggers.  The fiber frees itself
 * when MAIN returns.  NULL when LIMIT_FIBERS is reached (cause() says so).
 */
struct fiber *fiber_start(const char *name, void (*main)(void *), void *arg);

struct fiber *fiber_self(void);
const char *fiber_name(void);
/* Make every wait of F fail from now on.  F must not have ended. */
void fiber_cancel(struct fiber *f);
bool fiber_cancelled(void);

/* WAIT_DEADLINE is the ordinary end of a sleep. */
enum wait_result waits fiber_sleep(int64_t deadline_ms);
/* Let the others run once. */
void waits fiber_yield(void);

/*
 * A gate: fibers of one loop wait until somebody opens it.  gate_open() wakes
 * all that wait now; it is not remembered.  So wait in a loop on a condition:
 *
 *	while (m->unsettled > 0)
 *		if (gate_wait(&m->settled, deadline) != WAIT_DONE)
 *			break;
 *
 * Zeroed memory is a valid gate; it owns nothing.
 */
struct gate {
	struct fiber *first;
};

enum wait_result waits gate_wait(struct gate *g, int64_t deadline_ms);
void gate_open(struct gate *g);

#endif
