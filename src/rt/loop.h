/*
 * Loops: one thread each, with its own fibers, timers and streams.
 *
 *	int main(...)
 *	{
 *		...
 *		loops_run(2, engine_main, &engine);	returns when all ended
 *	}
 *
 * engine_main(arg) runs once per loop as that loop's first fiber.  A loop ends
 * when its first fiber has returned and no other fiber is left; loops_run()
 * returns when all have ended.  Signals arrive on loop 0 as calls of a fiber.
 *
 * A plain program that wants fibers for a moment (a subcommand, a unit test)
 * calls loops_run(1, ...) and is done when it returns.
 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include "rt/fiber.h"

void loops_run(int n, void (*main)(void *), void *arg);
int loop_index(void);			/* 0..n-1 */
int loop_count(void);

/* Run CALL(ARG) soon on loop INDEX, outside any fiber; it must not wait but
 * may start fibers and open gates.  From any thread. */
void loop_post(int index, void (*call)(void *), void *arg);

/* Park until the process gets one of the SIGNALS (SIGTERM, SIGHUP, SIGCHLD);
 * its number is put into *GOT.  On loop 0 only, by one fiber. */
enum wait_result waits signal_wait(const int *signals, int n, int *got,
				   int64_t deadline_ms);

#endif
