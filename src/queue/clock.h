/*
 * The queue's own time: how long mail has really waited.
 *
 * Milliseconds that only go forward, begun with the wall clock's when queue.db
 * was made.  They follow the clock that counts since the machine started, so
 * that nobody who sets the wall clock makes mail wait or expire.  Where that
 * clock was not counting for us (another boot) the wall clock's difference is
 * taken, and no gap counts for more than CLOCK_MOST_AWAY_MS: mail that waits
 * longer than it should is the smaller evil beside mail that is thrown back
 * because a clock was years ahead.
 *
 * The last instant is kept in queue.db (table clock), about once a minute.
 */
#ifndef QUEUE_CLOCK_H
#define QUEUE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "rt/clock.h"

enum {
	CLOCK_MOST_AWAY_MS = 24 * 3600 * 1000,
	CLOCK_KEEP_MS = 60000,
	CLOCK_STEP_MS = 1000, /* of the wall clock, to be noticed */
};

/* One instant by every clock. */
struct instant {
	int64_t queue_ms; /* 0: there was none yet */
	int64_t wall_ms, boot_ms;
	char boot_id[BOOT_ID_BYTES];
};

/* What the machine's clocks say; queue_ms is 0. */
struct instant instant_now(void);
/* The queue's time at NOW, if it was LAST->queue_ms at LAST. */
int64_t queue_time(const struct instant *last, const struct instant *now);
/* Is it time to write NOW down again: long after LAST, or has the wall clock
 * been set? */
bool instant_is_news(const struct instant *last, const struct instant *now);

#endif
