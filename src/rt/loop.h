/*
 * Loops: one thread each, with its own fibers, timers and streams.
 *
 *	int main(...)
 *	{
 *		...
 *		loops_run(2, engine_main, &engine);	returns when all ended
 *	}
 *
 * engine_main(arg) runs once per loop as that loop's first fiber.  The loops
 * end together, when no loop has a fiber or a posted call left: one that has
 * nothing to do stays ready for what others post.  Signals arrive on loop 0.
 *
 * A plain program that wants fibers for a moment (a subcommand, a unit test)
 * calls loops_run(1, ...) and is done when it returns.
 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include "rt/fiber.h"

void loops_run(int n, void (*main)(void *), void *arg);
int loop_index(void); /* 0..n-1 */
int loop_count(void);

/* Run CALL(ARG) soon on loop INDEX, outside any fiber; it must not wait but
 * may start fibers and open gates.  From any thread. */
void loop_post(int index, void (*call)(void *), void *arg);

/* Park until the process gets one of the SIGNALS (SIGTERM, SIGHUP); its number
 * is put into *GOT.  On loop 0 only, by one fiber.  From the first wait on the
 * signal has no other effect, and between two waits it is remembered. */
enum wait_result waits signal_wait(const int *signals, int n, int *got,
				   int64_t deadline_ms);
/* From now on, not only from the first wait on. */
void signal_watch(const int *signals, int n);

#endif
