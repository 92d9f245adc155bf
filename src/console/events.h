/*
 * Events: what changes is pushed to whoever watches (GET /api/v1/events).
 *
 *	 watchers (HTTP connections)             the beat, a fiber of the loop
 *	 ───────────────────────────             ─────────────────────────────
 *	 parked, nothing to say                  once a second while anybody
 *	       ▲                                 watches: is he still welcome?
 *	       │ its letters are read            what is new since the last look?
 *	       └───────────── put a letter ───── the answer differs: a letter
 *
 * What can be watched is topics.def.  A letter is one event as bytes, shared
 * by all who get the same.  Per topic a watcher has at most one letter that he
 * has not begun to read: a newer one takes its place, so that a slow reader
 * costs no memory and misses nothing but the past.
 *
 * A watcher ends when his session or token does, when the administrator's
 * rights change, when he has hung up, and when the console stops.  Watching is
 * no sign of life: a session that only watches is idle.
 */
#ifndef CONSOLE_EVENTS_H
#define CONSOLE_EVENTS_H

#include "console/request.h"

/* On the loop: before the server starts, */
bool events_open(struct console *c) must_check;
/* after it was quiesced: all streams are told to end, and none begins any
 * more; */
void waits events_stop(void);
/* and when nothing of it runs. */
void events_close(void);

#endif
