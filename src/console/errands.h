/*
 * What has to be done on the console's loop before a request can be answered,
 * because it waits: the request is parked meanwhile.
 *
 *	static void waits ask(struct request *r) { ... }
 *
 *	if (!r->errand_ended)
 *		return errand_begin(r, ask);
 *	...what ask() has found
 *
 * The request is the errand's until it ends; then its handler is called again.
 */
#ifndef CONSOLE_ERRANDS_H
#define CONSOLE_ERRANDS_H

#include "console/request.h"

/* RUN(r) as a fiber of the loop.  The answer to be returned: none yet, or that
 * we are stopping. */
struct response errand_begin(struct request *r, void (*run)(struct request *r));

/* RUN(arg) as a fiber of the loop, and nobody waits for it; not when we are
 * stopping. */
void errand_alone(void (*run)(void *arg), void *arg);

/* On the loop, before the server and after it has been quiesced: none begins
 * any more, and those that run have ended. */
void errands_open(void);
void waits errands_stop(void);

#endif
