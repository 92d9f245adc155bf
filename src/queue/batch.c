/*
 * What every call that writes begins with: the transaction it shares with others,
 * and what time it is.
 */
#include "queue/queue.h"

#include "queue/inside.h"

bool batch_begin(struct queue *q)
{
	if (q->batch.begun)
		return store_stands(q->store);
	q->batch.begun = store_begin(q->store);
	return q->batch.begun;
}

/* A gap that is longer than any sleep between two looks counts as that. */
int64_t queue_now(struct queue *q)
{
	int64_t boot = boot_ms(), last = atomic_load(&q->last_boot_ms);
	int64_t gap = boot - last;

	if (gap <= 0)
		return last + atomic_load(&q->offset_ms);
	if (atomic_compare_exchange_strong(&q->last_boot_ms, &last, boot) &&
	    gap > CLOCK_MOST_AWAY_MS)
		atomic_fetch_sub(&q->offset_ms, gap - CLOCK_MOST_AWAY_MS);
	return boot + atomic_load(&q->offset_ms);
}
