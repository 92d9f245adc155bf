/*
 * What came of a round is written down.
 *
 * Attempts write what they learn into their shares; from there it is collected
 * into the message's recipients and settled in the queue: when the last attempt
 * has ended, and before that what is known.  One next hop that takes minutes, or
 * one mailbox of many, does not keep it from being written that others have the
 * message, which a crash would deliver to them again, nor the sender from hearing
 * who has refused it.
 */
#include "deliver/settle.h"

#include "base/mutants.h"
#include "deliver/dsn.h"
#include "deliver/fate.h"
#include "deliver/hop_state.h"
#include "deliver/retry.h"
#include "deliver/round.h"
#include "rt/log.h"

enum {
	SETTLE_AGAIN_MS = 1000,
	SETTLE_AGAIN_MOST_MS = 60000,
	SETTLE_PART_MS = 1000, /* most messages are through by then */
	COMEBACKS = 3,   /* what fails as often waits: it comes and goes */
	ASIDE_MS = 5000, /* what nobody calls when there is room */
};

/* ---- from shares to recipients ---- */

void round_tell_followers(const struct round *round, const struct share *s)
{
	if (!round->has_followers || MUTANT(follower_is_untold))
		return;
	for (size_t i = 0; i < round->n; i++) {
		struct share *f = round->shares[i];

		if (f->follows != s || f->state != RECIPIENT_WAITING)
			continue;
		f->state = s->state;
		f->reply = s->reply;
		f->remote = s->remote;
		f->dsn_goes_on = s->dsn_goes_on;
		f->is_put_off = s->is_put_off;
		f->is_unreached = s->is_unreached;
		if (!s->is_put_off)
			fate_followed(round, f);
	}
}

static void copy_reply(struct message *m, struct recipient *r,
		       const struct share *s)
{
	r->reply = s->reply;
	r->reply.text = arena_str(m->arena, s->reply.text);
	r->remote = arena_str(m->arena, s->remote);
}

/* What Dovecot puts off for trouble of its own is mostly well in seconds; a
 * mailbox that is full stays so. */
static bool is_soon_well(const struct share *s)
{
	return s->leg.kind == LEG_MAILBOX &&
	       !str_same(str_of(s->reply.status), S("4.2.2"));
}

/* Does it wait among others for its next hop?  Mail for the Internet does so by
 * its own domain, which is not the one it goes to when somebody stands for it
 * there: the queue does not know then that there is no room, and would give it
 * out again at once. */
static bool is_in_its_lane(const struct round *round, const struct share *s,
			   const struct recipient *r)
{
	const struct address *a = s->leg.kind == LEG_INTERNET
					  ? recipient_parsed(r, round->arena)
					  : NULL;

	return !a || str_same(a->domain, s->leg.domain);
}

/* When it is tried again.  What was not tried keeps its place. */
static void plan_next(const struct round *round, const struct share *s,
		      struct recipient *r)
{
	int64_t waited = message_waited_ms(round->deliver, round->message);
	int64_t now = MUTANT(retry_by_the_wall_clock)
			      ? wall_ms()
			      : queue_now(round->deliver->queue);

	if (s->is_put_off) {
		r->next_attempt_ms = r->row ? r->row_attempt_ms : now;
		if (r->row && !is_in_its_lane(round, s, r))
			r->next_attempt_ms = now + ASIDE_MS;
		return;
	}
	if (s->rest_ms) {
		r->next_attempt_ms = now + s->rest_ms;
		return;
	}
	r->attempts++;
	r->next_attempt_ms = retry_time(round->deliver->settings,
					is_soon_well(s), now - waited, now);
}

/* It was tried, and has been for as long as is tried at all. */
static bool has_expired(const struct round *round, const struct share *s)
{
	return !s->is_put_off &&
	       message_waited_ms(round->deliver, round->message) >=
		       round->deliver->settings->expiry_s * 1000;
}

static void expire(const struct round *round, struct share *s)
{
	s->state =
		MUTANT(expires_in_silence) ? RECIPIENT_DONE : RECIPIENT_REFUSED;
	s->is_expired = true;
	fate_expired(round, s);
}

/* Whoever was refused or put off may be taken by another host as long as his
 * attempt runs, and of a mailbox that denies its user route() is asked at the end
 * of it (mailbox.c). */
static bool is_settled(const struct share *s)
{
	return s->state == RECIPIENT_DONE ||
	       (s->state != RECIPIENT_WAITING &&
		(!s->is_under_way || MUTANT(first_word_is_the_last)));
}

static void collect_share(struct round *round, struct share *s)
{
	struct message *m = round->message;
	struct recipient *r = &m->recipients[s->index];

	if (s->is_counted || !is_settled(s))
		return;
	s->is_counted = true;
	if (!s->is_put_off)
		copy_reply(m, r, s);
	if (s->state == RECIPIENT_LATER) {
		plan_next(round, s, r);
		if (has_expired(round, s))
			expire(round, s);
	}
	r->state = s->state;
	fate_written(round, s);
}

void round_collect(struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		collect_share(round, round->shares[i]);
}

/* Longer each time, but not while we are stopping: there is little time left to
 * write it.  False: none at all. */
static bool waits settle_pause(struct deliver *d, int64_t *pause_ms)
{
	int64_t until = after_ms(d->is_draining ? SETTLE_AGAIN_MS : *pause_ms);

	*pause_ms *= 2;
	if (*pause_ms > SETTLE_AGAIN_MOST_MS)
		*pause_ms = SETTLE_AGAIN_MOST_MS;
	return gate_wait(&d->stop, until) != WAIT_CANCELLED;
}

/*
 * The outcome has to be written, or what was delivered would be delivered
 * again: a full disk is waited for.
 */
static void settle_until_done(struct round *round, struct message *const *dsns,
			      size_t n)
{
	struct deliver *d = round->deliver;
	int64_t pause_ms = SETTLE_AGAIN_MS;

	while (!queue_settle(d->queue, round->message, dsns, n)) {
		log_error("qmgr", "%s: outcome cannot be written: %s",
			  round->message->id, cause());
		if (!settle_pause(d, &pause_ms)) {
			log_error("qmgr",
				  "%s: outcome not written; it may be "
				  "delivered again after the restart",
				  round->message->id);
			return;
		}
	}
}

/* Who comes back hurries what is in the queue (hop_came_back()): not what was
 * on its way there, perhaps for seconds, because its message has parts for
 * others, nor what was being attempted. */
void round_note_comebacks(struct round *round)
{
	struct deliver *d = round->deliver;
	struct message *m = round->message;
	struct waiting *list =
		arena_array(round->arena, struct waiting, round->n);
	size_t n = 0;

	for (size_t i = 0; i < round->n; i++) {
		const struct share *s = round->shares[i];
		const struct recipient *r = &m->recipients[s->index];
		struct next_hop hop = leg_next_hop(&s->leg);

		if (r->state != RECIPIENT_LATER || !s->is_unreached ||
		    r->attempts > COMEBACKS ||
		    hop_is_noted_down(d, &hop, round->arena))
			continue;
		list[n] = (struct waiting){ .message = m->row };
		list[n].r.row = r->row;
		list[n++].r.next_hop = hop;
	}
	if (n && !queue_redirect(d->queue, list, n))
		log_warn("qmgr", "%s: is not hurried: %s", m->id, cause());
}

static void round_settle(struct round *round)
{
	struct message *dsns[DSN_MOST];
	size_t n;

	round->settler = fiber_self();
	round_collect(round);
	if (round->message->is_kept) {
		n = dsn_make(round, dsns);
		settle_until_done(round, dsns, n);
		for (size_t i = 0; i < n; i++)
			message_drop(dsns[i]);
		if (!round->message->is_kept)
			log_fact("qmgr", "%s: removed", round->message->id);
		else
			round_note_comebacks(round);
	}
	round_free(round);
}

static void settle_main(void *round)
{
	round_settle(round);
}

/* ---- what is known, while others are attempted ---- */

static bool has_news(const struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		const struct share *s = round->shares[i];

		if (is_settled(s) && !s->is_counted && !s->is_put_off)
			return true;
	}
	return false;
}

/* When it fails the settling at the end does it all. */
static void waits settle_part(struct round *round)
{
	struct message *dsns[DSN_MOST];
	size_t n;

	round_collect(round);
	n = dsn_make(round, dsns);
	if (queue_settle_part(round->deliver->queue, round->message, dsns, n)) {
		dsn_told(round);
	} else {
		log_warn("qmgr", "%s: what is known is not written yet: %s",
			 round->message->id, cause());
		dsn_untold(round);
	}
	for (size_t i = 0; i < n; i++)
		message_drop(dsns[i]);
}

/* It counts as an attempt that runs, so the message is settled after it. */
static void settle_part_main(void *arg)
{
	struct round *round = arg;
	int64_t until = after_ms(SETTLE_PART_MS);

	while (round->running > 1 &&
	       gate_wait(&round->news, until) == WAIT_DONE)
		;
	if (round->running > 1)
		settle_part(round);
	round->settles_part = false;
	round_attempt_ended(round);
}

static void settle_part_soon(struct round *round)
{
	if (round->settles_part || !round->message->is_kept ||
	    !has_news(round) || !fiber_start("settle", settle_part_main, round))
		return;
	round->settles_part = true;
	round->running++;
}

void round_has_news(struct round *round)
{
	if (round->is_detached)
		settle_part_soon(round);
}

void round_detach(struct round *round)
{
	round->is_detached = true;
	if (round->running)
		settle_part_soon(round);
	else if (!fiber_start("settle", settle_main, round))
		round_settle(round);
}

void round_attempt_ended(struct round *round)
{
	round->running--;
	gate_open(&round->news);
	if (!round->is_detached)
		return;
	if (round->running)
		settle_part_soon(round);
	else
		round_settle(round);
}
