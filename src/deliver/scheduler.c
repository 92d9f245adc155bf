/*
 * The queue's turn: what is due is claimed and attempted.
 *
 * One fiber, on loop 0.  Who changes the queue or the directory says so
 * (deliver_look()); it looks by itself what has changed, too, every moment and
 * after a minute of calm now and then, and sleeps as long as nothing waits.  Each
 * claimed message is a round like one at acceptance, only that nobody waits for
 * it: its attempts settle it.  At most MESSAGES_AT_ONCE are out, and of each next
 * hop what it has room for (hops_rooms()): one that hangs, allows two connections
 * or is down costs no turn, however much waits for it.
 */
#include "deliver/attempt.h"
#include "deliver/follow.h"
#include "deliver/hop_state.h"
#include "deliver/round.h"
#include "deliver/settle.h"
#include "deliver/toward.h"
#include "rt/log.h"
#include "rt/loop.h"

enum {
	MESSAGES_AT_ONCE = 200,
	LOOK_MS = 500,
	CALM_LOOK_MS = 10000,
	CALM_MS = 60000, /* without a change by others */
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

void deliver_look(struct deliver *d)
{
	d->is_to_look = true;
	gate_open(&d->turn);
}

bool deliver_wake(struct deliver *d, struct str name)
{
	return toward_wake(d, name);
}

/* ---- between two turns ---- */

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

/* Until an attempt has ended, which may have made room, or the next look. */
static bool waits await_turn(struct deliver *d, int64_t until_ms)
{
	int64_t turned_ms = now_ms();

	if (!d->is_to_look && gate_wait(&d->turn, until_ms) == WAIT_DONE &&
	    now_ms() < turned_ms + PAUSE_MS)
		fiber_sleep(turned_ms + PAUSE_MS);
	return !fiber_cancelled();
}

/* The wake that is on its way is awaited: it is about this rest. */
static void waits rest_ends(struct deliver *d)
{
	if (queue_rest_end(d->queue))
		d->is_asleep = false;
	while (d->is_asleep && gate_wait(&d->turn, NEVER) == WAIT_DONE)
		continue;
}

/* ...or until there is more in the queue than was seen; which may be all the
 * time, so not at once. */
static bool waits sleep_until(struct deliver *d, int64_t until_ms)
{
	int64_t soon_ms = after_ms(LOOK_MS);
	bool is_woken;

	d->is_asleep = true;
	if (!queue_rest(d->queue, false, wake, d)) {
		d->is_asleep = false;
		return await_turn(d, soon_ms);
	}
	if (d->is_asleep && !await_turn(d, until_ms))
		soon_ms = 0;
	is_woken = !d->is_asleep;
	rest_ends(d);
	return is_woken ? await_turn(d, soon_ms) : !fiber_cancelled();
}

/* Until something waits; false: it does. */
static bool waits sleep_well(struct deliver *d)
{
	d->is_asleep = true;
	if (!queue_rest(d->queue, true, wake, d)) {
		d->is_asleep = false;
		return false;
	}
	while (d->is_asleep && !d->is_draining &&
	       gate_wait(&d->turn, NEVER) == WAIT_DONE)
		continue;
	rest_ends(d);
	return true;
}

/* How long there is nothing to do, if nobody says so: NEXT is when something is
 * due, by the queue's time. */
static int64_t calm_until(struct deliver *d, int64_t next)
{
	int64_t until = after_ms(CALM_LOOK_MS), soon = after_ms(LOOK_MS);
	int64_t news = hops_next_ms(d), left = next - queue_now(d->queue);

	if (left < CALM_LOOK_MS)
		until = now_ms() + left;
	if (news < until)
		until = news;
	return until < soon ? soon : until;
}

void deliver_scheduler(void *deliver)
{
	struct deliver *d = deliver;
	int64_t next = 0, stirred_ms = now_ms(), until_ms;
	bool is_calm, goes_on = true;

	d->has_scheduler = true;
	hops_recall(d);
	while (goes_on && !d->is_draining) {
		bool by_others, is_time, is_idle;

		d->is_to_look = false;
		is_time = queue_changed(d->queue, &by_others) ||
			  hops_have_news(d) || queue_now(d->queue) >= next;

		if (is_time && d->scheduled < MESSAGES_AT_ONCE)
			next = take_turn(d);
		else if (is_time)
			next = 0; /* news that must not be forgotten */
		follow_look(d);
		if (by_others || follow_runs(d->follow))
			stirred_ms = now_ms();
		is_calm = next && now_ms() >= stirred_ms + CALM_MS;
		until_ms = is_calm ? calm_until(d, next) : after_ms(LOOK_MS);
		/* one that does not answer may be given other settings */
		is_idle = next == INT64_MAX && hops_are_well(d) &&
			  !follow_runs(d->follow);
		if (is_idle && sleep_well(d))
			goes_on = !fiber_cancelled();
		else
			goes_on = is_calm ? sleep_until(d, until_ms)
					  : await_turn(d, until_ms);
	}
	d->has_scheduler = false;
	gate_open(&d->quiet);
}
