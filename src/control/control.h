/*
 * The control socket: questions to the engine that runs, by a Unix socket that
 * only its own user (and root) can open.
 *
 *	status\n                      one line asks
 *	{"hostname":...}              one JSON document answers, and that is all
 *
 * Both ends are here.  The one who asks:
 *
 *	struct buf text scoped(buf) = BUF_EMPTY;
 *	if (!control_ask(path, S("status"), after_ms(1000), &text))
 *		...nobody answers: cause()
 *
 * The engine gives each connection to control_serve(), in a fiber.  Who stalls
 * is cut off after LIMIT_CONTROL_MS, and more than LIMIT_CONTROL_CONNECTIONS
 * at once are turned away.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/buf.h"
#include "rt/stream.h"

#define CONTROL_SOCKET "run/control" /* in the data folder */

struct control {
	/* The answer to QUESTION into OUT; may wait.  False: there is no such
	 * question. */
	bool (*answer)(void *arg, struct str question, struct buf *out);
	void *arg;
	unsigned open; /* conversations now; 0 at first */
};

/* One conversation; closes PEER. */
void waits control_serve(struct control *c, struct stream *peer);

/* False: cause(); FAIL_LATE when somebody is there who says nothing. */
bool waits control_ask(const char *path, struct str question,
		       int64_t deadline_ms, struct buf *answer) must_check;

#endif
