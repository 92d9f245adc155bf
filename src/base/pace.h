/*
 * So many a minute: never more than that within any 60 seconds, and never
 * less while somebody waits.
 *
 *	struct pace pace = PACE_NEW;
 *	int64_t again;
 *
 *	while (!pace_take(&pace, 20, now_ms(), &again))
 *		...wait until then
 *	...
 *	pace_free(&pace);
 *
 * It remembers when each one of the last minute went: 8 bytes each.
 */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include "base/check.h"

struct pace {
	int64_t *at; /* a ring, the oldest at `first` */
	unsigned room, n, first;
};

#define PACE_NEW \
	{ \
		0 \
	}

/* May one go NOW_MS?  Then it has gone.  False: *AGAIN_MS is when the next one
 * may.  PER_MINUTE is at least 1 and may be another each time; NOW_MS never
 * goes back. */
bool pace_take(struct pace *p, unsigned per_minute, int64_t now_ms,
	       int64_t *again_ms) must_check;
/* It has not gone after all. */
void pace_return(struct pace *p);
void pace_free(struct pace *p);

#endif
