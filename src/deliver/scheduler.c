/*
 * The queue's turn: what is due is claimed and attempted.
 *
 * One fiber, on loop 0.  Each claimed message is a job like one at acceptance,
 * only that nobody waits for it: its attempts settle it.  At most
 * MESSAGES_AT_ONCE are out; a next hop that has enough to do, or did not
 * answer a moment ago, costs no turn (attempt.c), so one that is down does not
 * hold up the others.
 */
#include "deliver/job.h"

#include "rt/log.h"

enum { MESSAGES_AT_ONCE = 100, LOOK_MS = 500 };

/* As Postfix: wait as long again as it has been waiting. */
int64_t retry_time(const struct deliver_settings *s, int64_t arrived_wall_ms,
                   int64_t now_wall_ms)
{
	int64_t wait = now_wall_ms - arrived_wall_ms;

	if (wait < s->retry_min_s * 1000)
		wait = s->retry_min_s * 1000;
	if (wait > s->retry_max_s * 1000)
		wait = s->retry_max_s * 1000;
	return now_wall_ms + wait;
}

static void attempt_again(struct deliver *d, struct message *m)
{
	struct job *job = job_new(d, m, true);

	attempts_start(job);
	job_detach(job);
}

/* Returns when to look again, as a wall clock. */
static int64_t take_turn(struct deliver *d)
{
	struct message *due[MESSAGES_AT_ONCE];
	size_t n, room = MESSAGES_AT_ONCE - d->scheduled;
	int64_t next;

	if (!queue_claim(d->queue, wall_ms(), room, due, &n, &next)) {
		log_error("qmgr", "the queue cannot be read: %s", cause());
		return wall_ms() + 10 * LOOK_MS;
	}
	for (size_t i = 0; i < n; i++)
		attempt_again(d, due[i]);
	return next;
}

/* Until half of those that are out are back, if all are out: a long queue
 * flows as fast as the next hops take it.  Otherwise until the next look. */
static bool waits await_turn(struct deliver *d)
{
	bool is_full = d->scheduled >= MESSAGES_AT_ONCE;
	int64_t look_ms = after_ms(LOOK_MS);

	do {
		if (gate_wait(&d->turn, look_ms) != WAIT_DONE)
			break;
	} while (!is_full || d->scheduled > MESSAGES_AT_ONCE / 2);
	return !fiber_cancelled();
}

void deliver_scheduler(void *deliver)
{
	struct deliver *d = deliver;
	int64_t next = 0;

	d->has_scheduler = true;
	while (!d->is_draining) {
		bool is_time = queue_changed(d->queue) || wall_ms() >= next;

		if (is_time && d->scheduled < MESSAGES_AT_ONCE)
			next = take_turn(d);
		else if (is_time)
			next = 0; /* news that must not be forgotten */
		if (!await_turn(d))
			break;
	}
	d->has_scheduler = false;
	gate_open(&d->quiet);
}
