/*
 * The queue's turn: what is due is claimed and attempted.
 *
 * One fiber, on loop 0.  It looks every moment what others have changed, and
 * sleeps as long as nothing waits.  Each claimed message is a round like one at
 * acceptance, only that nobody waits for it: its attempts settle it.  At most
 * MESSAGES_AT_ONCE are out, and of each next hop what it has room for
 * (hops_rooms()): one that hangs, allows two connections or is
 * down costs no turn, however much waits for it.
 */
#include "deliver/attempt.h"
#include "deliver/follow.h"
#include "deliver/hop_state.h"
#include "deliver/round.h"
#include "deliver/settle.h"
#include "rt/log.h"
#include "rt/loop.h"

enum {
	MESSAGES_AT_ONCE = 200,
	LOOK_MS = 500,
	CALM_LOOK_MS = 2000,
	CALM_MS = 60000, /* without anything to do */
	PAUSE_MS = 20,   /* between two turns: attempts end one by one */
};

static void attempt_again(struct deliver *d, struct message *m)
{
	struct round *round;

	if (m->damage)
		log_error("qmgr", "%s: its body cannot be read: %s", m->id,
			  m->damage);
	round = round_new(d, m, NULL);
	attempts_start(round);
	round_detach(round);
}

/* Returns when to look again, by the queue's time. */
static int64_t take_turn(struct deliver *d)
{
	const struct deliver_settings *set = d->settings;
	struct arena *a scoped(arena) = arena_open();
	struct message *due[MESSAGES_AT_ONCE];
	struct claim_wish wish = {
		.now_ms = queue_now(d->queue),
		.max = MESSAGES_AT_ONCE - d->scheduled,
		.room = hops_room_unknown,
		.warning_ms = set->delay_warning_s * 1000,
		.expiry_ms = set->expiry_s * 1000,
		.most_ms = set->retry_max_s * 1000,
	};
	size_t n;
	int64_t next;

	wish.n_hops = hops_rooms(d, a, &wish.hops);
	if (!queue_claim(d->queue, &wish, due, &n, &next)) {
		log_error("qmgr", "the queue cannot be read: %s", cause());
		return wish.now_ms + 10 * LOOK_MS;
	}
	for (size_t i = 0; i < n; i++)
		attempt_again(d, due[i]);
	/* What route() sent elsewhere has left the room it was claimed for. */
	return n ? wish.now_ms : next;
}

/* Until an attempt has ended, which may have made room, or the next look. */
static bool waits await_turn(struct deliver *d, bool is_calm)
{
	int64_t turned_ms = now_ms();
	int64_t look_ms = turned_ms + (is_calm ? CALM_LOOK_MS : LOOK_MS);

	if (gate_wait(&d->turn, look_ms) == WAIT_DONE &&
	    now_ms() < turned_ms + PAUSE_MS)
		fiber_sleep(turned_ms + PAUSE_MS);
	return !fiber_cancelled();
}

/* ---- nothing waits ---- */

static void on_wake(void *deliver)
{
	struct deliver *d = deliver;

	d->is_asleep = false;
	gate_open(&d->turn);
	gate_open(&d->quiet);
}

static void wake(void *deliver)
{
	loop_post(0, on_wake, deliver);
}

/* With a next hop that does not answer, it is looked whether somebody has
 * changed its settings. */
static bool waits sleep_well(struct deliver *d, bool is_calm)
{
	if (!hops_are_well(d) || follow_runs(d->follow))
		return await_turn(d, is_calm);
	d->is_asleep = true;
	if (!queue_rest(d->queue, wake, d)) {
		d->is_asleep = false;
		return await_turn(d, is_calm);
	}
	while (d->is_asleep && !d->is_draining &&
	       gate_wait(&d->turn, NEVER) == WAIT_DONE)
		continue;
	/* else on_wake() is on its way */
	if (queue_rest_end(d->queue))
		d->is_asleep = false;
	return !fiber_cancelled();
}

void deliver_scheduler(void *deliver)
{
	struct deliver *d = deliver;
	int64_t next = 0, stirred_ms = 0;
	bool is_calm, goes_on = true;

	d->has_scheduler = true;
	while (goes_on && !d->is_draining) {
		bool changed = queue_changed(d->queue);
		bool is_time = changed || hops_have_news(d) ||
			       queue_now(d->queue) >= next;

		if (is_time && d->scheduled < MESSAGES_AT_ONCE)
			next = take_turn(d);
		else if (is_time)
			next = 0; /* news that must not be forgotten */
		follow_look(d);
		if (is_time)
			stirred_ms = now_ms();
		is_calm = now_ms() >= stirred_ms + CALM_MS;
		goes_on = next == INT64_MAX ? sleep_well(d, is_calm)
					    : await_turn(d, is_calm);
	}
	d->has_scheduler = false;
	gate_open(&d->quiet);
}
