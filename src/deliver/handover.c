/*
 * Handed over or kept: what the client is told after its final dot.
 *
 *	deliver_hold() ─▶ conclude
 *	deliver_accept()
 *	   keeps_first ─▶ keep ─▶ 250, attempts go on by themselves
 *	   hand_over   ─▶ attempts, up to handover_ms
 *	      └─ still running ─▶ keep ─▶ 250, attempts go on
 *	   conclude
 *	      ├─ full       ─▶ the only mailbox: its 452
 *	      ├─ any later    ─▶ keep ─▶ 250
 *	      ├─ all refused  ─▶ the first refusal
 *	      ├─ some refused ─▶ DSN kept ─▶ 250
 *	      └─ all done     ─▶ 250
 *
 * What cannot be kept is answered 451 or 452: the client keeps it.  Recipients
 * who have it by then will get it again; that is logged.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mutants.h"
#include "deliver/attempt.h"
#include "deliver/dsn.h"
#include "deliver/fate.h"
#include "deliver/follow.h"
#include "deliver/hop_state.h"
#include "deliver/line.h"
#include "deliver/pool.h"
#include "deliver/probes.h"
#include "deliver/round.h"
#include "deliver/settle.h"
#include "filter/filter.h"
#include "rt/counter.h"
#include "rt/log.h"

enum { DRAIN_UNSENT_MS = 3000, DRAIN_CANCELLED_MS = 5000 };

struct tally_of {
	size_t done, refused, later;
	const struct share *first_refusal; /* of one who was named */
};

struct deliver *deliver_open(const struct deliver_settings *settings,
			     struct router *router, struct queue *queue)
{
	struct deliver *d = must_alloc(sizeof *d);

	memset(d, 0, sizeof *d);
	d->settings = settings;
	d->router = router;
	d->queue = queue;
	d->pool = pool_open(settings->hosts);
	d->follow = follow_open();
	d->probes = probes_open(d);
	return d;
}

static bool is_quiet(const struct deliver *d)
{
	return !d->busy && !d->has_scheduler && !d->is_asleep && !d->looks &&
	       !follow_runs(d->follow);
}

void deliver_close(struct deliver *d)
{
	check(is_quiet(d));
	probes_close(d->probes);
	pool_close(d->pool);
	filters_close(d->filters);
	hops_close(d);
	follow_close(d->follow);
	free(d);
}

unsigned deliver_busy(const struct deliver *d)
{
	return d->busy;
}

void deliver_connections(struct deliver *d,
			 void (*each)(void *arg, struct str name,
				      unsigned in_use, unsigned idle),
			 void *arg)
{
	pool_list(d->pool, each, arg);
}

/* ---- replies ---- */

static struct reply say(struct deliver *d, int code, const char *status,
			const char *format, ...) printf_like(4, 5);

static struct reply say(struct deliver *d, int code, const char *status,
			const char *format, ...)
{
	struct reply r = { .code = code };
	va_list args;

	snprintf(r.status, sizeof r.status, "%s", status);
	va_start(args, format);
	vsnprintf(d->said, sizeof d->said, format, args);
	va_end(args);
	r.text = str_of(d->said);
	return r;
}

static struct reply say_kept(struct round *round)
{
	count(COUNT_MAILS_KEPT);
	fates_told(round);
	return say(round->deliver, 250, "2.0.0", "Ok: queued as %s",
		   round->message->id);
}

static struct reply say_handed_over(struct round *round)
{
	count(COUNT_MAILS_HANDED_OVER);
	fates_told(round);
	return say(round->deliver, 250, "2.0.0", "Ok: handed over, %s",
		   round->message->id);
}

static struct reply say_refused(struct round *round, const struct share *s)
{
	fates_told(round);
	return say(round->deliver, s->reply.code, reply_status(&s->reply),
		   "%.*s", STR(s->reply.text));
}

/* Ours, whatever it is: the client is to try again. */
static struct reply say_trouble(struct round *round, const struct tally_of *c)
{
	struct deliver *d = round->deliver;

	if (c->done)
		log_warn("qmgr",
			 "%s: %zu recipients have it, but the rest "
			 "cannot be kept: they will get it again",
			 round->message->id, c->done);
	if (cause_kind() == FAIL_NO_ROOM)
		return say(d, 452, "4.3.1", "No space left, try again later");
	return say(d, 451, "4.3.0", "Trouble of our own, try again later");
}

/* ---- outcomes ---- */

static struct tally_of count_outcomes(const struct round *round)
{
	struct tally_of c = { 0 };

	for (size_t i = 0; i < round->n; i++) {
		const struct share *s = round->shares[i];
		const struct recipient *r =
			&round->message->recipients[s->index];

		switch (s->state) {
		case RECIPIENT_DONE:
		case RECIPIENT_DROPPED: /* has it already (given_back.c) */
			c.done++;
			break;
		case RECIPIENT_REFUSED:
			c.refused++;
			if (!c.first_refusal && !r->is_member)
				c.first_refusal = s;
			break;
		case RECIPIENT_WAITING:
		case RECIPIENT_LATER:
			c.later++;
			break;
		}
	}
	return c;
}

static void drop_all(struct message **m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		message_drop(m[i]);
}

/* Commit what is not done, and the DSNs about what was refused. */
static bool keep(struct round *round, bool claim)
{
	struct message *dsns[DSN_MOST];
	struct message *m = round->message;
	size_t n;
	bool ok;

	round_collect(round);
	n = dsn_make(round, dsns);
	for (size_t i = 0; i < m->n; i++)
		if (m->recipients[i].state == RECIPIENT_WAITING)
			m->recipients[i].next_attempt_ms =
				queue_now(round->deliver->queue);
	ok = queue_keep(round->deliver->queue, m, claim, dsns, n);
	if (!ok)
		log_error("qmgr", "%s: cannot be kept: %s", m->id, cause());
	if (ok || MUTANT(told_by_a_failed_commit))
		dsn_told(round);
	drop_all(dsns, n);
	return ok;
}

/* Of a message that is not kept itself: only what the sender is to know. */
static bool keep_dsns(struct round *round)
{
	struct message *dsns[DSN_MOST];
	size_t n;
	bool ok;

	round_collect(round);
	n = dsn_make(round, dsns);
	ok = queue_settle(round->deliver->queue, round->message, dsns, n);
	if (!ok)
		log_error("qmgr", "%s: DSN cannot be kept: %s",
			  round->message->id, cause());
	drop_all(dsns, n);
	return ok;
}

/*
 * The only recipient's mailbox is full, says the mailbox itself: about him, and
 * for longer than we would try.  The client keeps the mail and its sender
 * learns of it.  Any other 4xx is perhaps over in a minute: we keep it.
 */
static const struct share *only_full_mailbox(const struct round *round)
{
	const struct share *s = round->n == 1 ? round->shares[0] : NULL;

	if (!s || round->message->n != 1 || round->message->is_kept ||
	    s->state != RECIPIENT_LATER || s->leg.kind != LEG_MAILBOX ||
	    !s->remote.n || !str_same(str_of(s->reply.status), S("4.2.2")))
		return NULL;
	return s;
}

/* Nothing runs any more. */
static struct reply conclude(struct round *round)
{
	struct tally_of c = count_outcomes(round);
	const struct share *full = only_full_mailbox(round);

	if (full)
		return say(round->deliver, full->reply.code,
			   reply_status(&full->reply), "%.*s",
			   STR(full->reply.text));
	if (c.later) {
		if (!keep(round, false))
			return say_trouble(round, &c);
		round_note_comebacks(round);
		return say_kept(round);
	}
	if (MUTANT(some_refused_is_all_refused) && c.first_refusal)
		return say_refused(round, c.first_refusal);
	if (!c.done && c.first_refusal)
		return say_refused(round, c.first_refusal);
	if (MUTANT(refused_in_silence))
		return say_handed_over(round);
	if (!keep_dsns(round) && c.refused)
		return say_trouble(round, &c);
	return say_handed_over(round);
}

/* ---- the story ---- */

static void await_attempts(struct round *round, int64_t deadline_ms)
{
	while (round->running && !round->deliver->is_draining)
		if (gate_wait(&round->news, deadline_ms) != WAIT_DONE)
			break;
}

static struct reply keep_first(struct round *round)
{
	struct tally_of c = count_outcomes(round);
	struct reply r;

	if (!keep(round, true)) {
		r = say_trouble(round, &c);
		round_free(round);
		return r;
	}
	r = say_kept(round);
	attempts_start(round);
	round_detach(round);
	return r;
}

/* Too slow, or we are stopping: the attempts go on without the client. */
static bool keep_running(struct round *round, struct reply *r)
{
	struct tally_of c;

	if (MUTANT(answers_before_commit) || keep(round, true)) {
		*r = say_kept(round);
		round_detach(round);
		return true;
	}
	/* Nothing to lose: the client waits a little longer. */
	while (round->running && gate_wait(&round->news, NEVER) == WAIT_DONE)
		;
	if (!round->running)
		return false;
	c = count_outcomes(round);
	*r = say_trouble(round, &c);
	round_detach(round);
	return true;
}

/* Nothing runs any more, and the client is told. */
static struct reply end(struct round *round)
{
	struct reply r = conclude(round);

	if (!round->message->is_kept)
		log_fact("qmgr", "%s: removed", round->message->id);
	round_free(round);
	return r;
}

static struct reply hand_over(struct round *round)
{
	struct reply r;

	attempts_start(round);
	await_attempts(round, after_ms(round->deliver->settings->handover_ms));
	if (round->running && keep_running(round, &r))
		return r;
	return end(round);
}

struct reply deliver_accept(struct deliver *d, struct message *m,
			    const struct asker *asker)
{
	struct round *round = round_new(d, m, asker);

	return round->keeps_first ? keep_first(round) : hand_over(round);
}

/* Their last reply is what lists say of those that wait (show/show.h). */
static void hold_all(struct message *m, struct str why)
{
	log_fact("qmgr", "%s: held: %s", m->id,
		 log_safe(m->arena, why, LIMIT_REPLY_LINE_BYTES));
	why = arena_str(m->arena, why);
	for (size_t i = 0; i < m->n; i++) {
		struct recipient *r = &m->recipients[i];

		if (r->state != RECIPIENT_WAITING)
			continue;
		r->held = true;
		r->reply.text = why;
	}
}

struct reply deliver_hold(struct deliver *d, struct message *m,
			  const struct asker *asker, struct str why)
{
	struct round *round = round_new(d, m, asker);

	hold_all(m, why);
	return end(round);
}

/* Would the end of it leave open whether the mail arrives? */
static bool awaits_outcome(const struct attempt *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->shares[i]->is_sent &&
		    a->shares[i]->state == RECIPIENT_WAITING)
			return true;
	return false;
}

static void cancel_unsent(struct deliver *d)
{
	for (struct round *round = d->rounds; round; round = round->next)
		for (struct attempt *a = round->attempts; a; a = a->next)
			if (!awaits_outcome(a) || MUTANT(stop_awaits_nobody))
				fiber_cancel(a->fiber);
}

static void cancel_all(struct deliver *d)
{
	for (struct round *round = d->rounds; round; round = round->next) {
		if (round->settler)
			fiber_cancel(round->settler);
		for (struct attempt *a = round->attempts; a; a = a->next)
			fiber_cancel(a->fiber);
	}
}

static void await_quiet(struct deliver *d, int64_t deadline_ms)
{
	while (!is_quiet(d))
		if (gate_wait(&d->quiet, deadline_ms) != WAIT_DONE)
			break;
}

void deliver_stop(struct deliver *d)
{
	d->is_draining = true;
	probes_stop(d->probes);
	looks_end(d);
	gate_open(&d->turn);
	gate_open(&d->stop);
	for (struct round *round = d->rounds; round; round = round->next)
		gate_open(&round->news);
}

bool deliver_drain(struct deliver *d, int64_t deadline_ms)
{
	int64_t unsent_ms = after_ms(DRAIN_UNSENT_MS);

	deliver_stop(d);
	probes_drain(d->probes, deadline_ms);
	await_quiet(d, unsent_ms < deadline_ms ? unsent_ms : deadline_ms);
	cancel_unsent(d);
	await_quiet(d, deadline_ms);
	cancel_all(d);
	await_quiet(d, after_ms(DRAIN_CANCELLED_MS));
	return is_quiet(d) && probes_are_over(d->probes);
}
