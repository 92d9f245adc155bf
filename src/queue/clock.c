#include "queue/clock.h"

#include <string.h>

#include "base/mutants.h"

struct instant instant_now(void)
{
	struct instant i = { .wall_ms = wall_ms(), .boot_ms = boot_ms() };

	boot_id(i.boot_id);
	return i;
}

static int64_t gap(int64_t from, int64_t to)
{
	int64_t ms;

	if (to <= from || __builtin_sub_overflow(to, from, &ms))
		return 0;
	if (MUTANT(away_counts_as_waited))
		return ms;
	return ms < CLOCK_MOST_AWAY_MS ? ms : CLOCK_MOST_AWAY_MS;
}

static bool is_same_boot(const struct instant *a, const struct instant *b)
{
	return a->boot_id[0] && strcmp(a->boot_id, b->boot_id) == 0 &&
	       a->boot_ms <= b->boot_ms;
}

int64_t queue_time(const struct instant *last, const struct instant *now)
{
	if (!last->queue_ms)
		return now->wall_ms;
	if (is_same_boot(last, now))
		return last->queue_ms + gap(last->boot_ms, now->boot_ms);
	return last->queue_ms + gap(last->wall_ms, now->wall_ms);
}

bool instant_is_news(const struct instant *last, const struct instant *now)
{
	int64_t stepped = (now->wall_ms - now->queue_ms) -
			  (last->wall_ms - last->queue_ms);

	return stepped > CLOCK_STEP_MS || stepped < -CLOCK_STEP_MS ||
	       now->queue_ms - last->queue_ms > CLOCK_KEEP_MS;
}
