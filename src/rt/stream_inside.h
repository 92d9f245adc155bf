/*
 * Streams from inside rt: what both implementations share, and what each of
 * them does.  The struct is that of whichever is built.
 */
#ifndef RT_STREAM_INSIDE_H
#define RT_STREAM_INSIDE_H

#ifdef RT_SIM
#include "rt/sim/stream_inside.h"
#else
#include "rt/linux/stream_inside.h"
#endif

/* stream_wait(), with the cause set unless it is WAIT_DONE. */
bool waits stream_wait_or_fail(struct stream *s, int events,
			       int64_t deadline_ms);
/* Of ROOM octets, how many the next read may fill. */
static inline size_t stream_appetite(const struct stream *s, size_t room)
{
	return s->at_most && s->at_most < room ? s->at_most : room;
}

/* Says so in cause(). */
enum stream_state stream_cancelled(void);

/* ---- of each implementation ---- */

/* Reads, and waits until something came: never STREAM_FULL. */
enum stream_state waits stream_fill_now(struct stream *s, int64_t deadline_ms);
/* 0: wrote some; else the events to wait for; -1: broken, cause(). */
int stream_write_some(struct stream *s);

#endif
