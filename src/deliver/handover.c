/*
 * Handed over or kept: what the client is told after its final dot.
 *
 *	deliver_accept()
 *	   keeps_first ─▶ keep ─▶ 250, attempts go on by themselves
 *	   hand_over   ─▶ attempts, up to handover_ms
 *	      └─ still running ─▶ keep ─▶ 250, attempts go on
 *	   conclude
 *	      ├─ any later    ─▶ keep ─▶ 250
 *	      ├─ all refused  ─▶ the first refusal
 *	      ├─ some refused ─▶ DSN kept ─▶ 250
 *	      └─ all done     ─▶ 250
 *
 * What cannot be kept is answered 451 or 452: the client keeps it.  Recipients
 * who have it by then will get it again; that is logged.
 */
#include "deliver/job.h"

#include <stdio.h>
#include <stdlib.h>

#include "deliver/pool.h"
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
	d->pool = pool_open();
	return d;
}

void deliver_close(struct deliver *d)
{
	check(!d->busy && !d->has_scheduler);
	pool_close(d->pool);
	hops_close(d);
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

static struct reply say_kept(struct job *job)
{
	count(COUNT_MAILS_KEPT);
	ledgers_count_job(job);
	return say(job->deliver, 250, "2.0.0", "Ok: queued as %s",
	           job->message->id);
}

static struct reply say_handed_over(struct job *job)
{
	count(COUNT_MAILS_HANDED_OVER);
	ledgers_count_job(job);
	return say(job->deliver, 250, "2.0.0", "Ok: handed over, %s",
	           job->message->id);
}

static struct reply say_refused(struct job *job, const struct share *s)
{
	ledgers_count_job(job);
	return say(job->deliver, s->reply.code, reply_status(&s->reply), "%.*s",
	           STR(s->reply.text));
}

/* Ours, whatever it is: the client is to try again. */
static struct reply say_trouble(struct job *job, const struct tally_of *c)
{
	struct deliver *d = job->deliver;

	if (c->done)
		log_warn("qmgr",
		         "%s: %zu recipients have it, but the rest "
		         "cannot be kept: they will get it again",
		         job->message->id, c->done);
	if (strstr(cause(), "no space") || strstr(cause(), "No space") ||
	    strstr(cause(), "full"))
		return say(d, 452, "4.3.1", "No space left, try again later");
	return say(d, 451, "4.3.0", "Trouble of our own, try again later");
}

/* ---- outcomes ---- */

static struct tally_of count_outcomes(const struct job *job)
{
	struct tally_of c = { 0 };

	for (size_t i = 0; i < job->n; i++) {
		const struct share *s = job->shares[i];
		const struct recipient *r = &job->message->recipients[s->index];

		switch (s->state) {
		case RECIPIENT_DONE:
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
		case RECIPIENT_DROPPED:
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
static bool keep(struct job *job, bool claim)
{
	struct message *dsns[DSN_MOST];
	struct message *m = job->message;
	size_t n;
	bool ok;

	job_collect(job);
	n = dsn_make(job, dsns);
	for (size_t i = 0; i < m->n; i++)
		if (m->recipients[i].state == RECIPIENT_WAITING)
			m->recipients[i].next_attempt_ms = wall_ms();
	ok = queue_keep(job->deliver->queue, m, claim, dsns, n);
	if (!ok)
		log_error("qmgr", "%s: cannot be kept: %s", m->id, cause());
	else
		dsn_told(job);
	drop_all(dsns, n);
	return ok;
}

/* Of a message that is not kept itself: only what the sender is to know. */
static bool keep_dsns(struct job *job)
{
	struct message *dsns[DSN_MOST];
	size_t n;
	bool ok;

	job_collect(job);
	n = dsn_make(job, dsns);
	ok = queue_settle(job->deliver->queue, job->message, dsns, n);
	if (!ok)
		log_error("qmgr", "%s: DSN cannot be kept: %s",
		          job->message->id, cause());
	drop_all(dsns, n);
	return ok;
}

/* Nothing runs any more. */
static struct reply conclude(struct job *job)
{
	struct tally_of c = count_outcomes(job);

	if (c.later)
		return keep(job, false) ? say_kept(job) : say_trouble(job, &c);
	if (!c.done && c.first_refusal)
		return say_refused(job, c.first_refusal);
	if (!keep_dsns(job) && c.refused)
		return say_trouble(job, &c);
	return say_handed_over(job);
}

/* ---- the story ---- */

static void await_attempts(struct job *job, int64_t deadline_ms)
{
	while (job->running && !job->deliver->is_draining)
		if (gate_wait(&job->news, deadline_ms) != WAIT_DONE)
			break;
}

static struct reply finish(struct job *job, struct reply r)
{
	log_fact("qmgr", "%s: removed", job->message->id);
	job_free(job);
	return r;
}

static struct reply keep_first(struct job *job)
{
	struct tally_of c = count_outcomes(job);
	struct reply r;

	if (!keep(job, true)) {
		r = say_trouble(job, &c);
		job_free(job);
		return r;
	}
	r = say_kept(job);
	attempts_start(job);
	job_detach(job);
	return r;
}

/* Too slow, or we are stopping: the attempts go on without the client. */
static bool keep_running(struct job *job, struct reply *r)
{
	struct tally_of c;

	if (keep(job, true)) {
		*r = say_kept(job);
		job_detach(job);
		return true;
	}
	/* Nothing to lose: the client waits a little longer. */
	while (job->running && gate_wait(&job->news, NEVER) == WAIT_DONE)
		;
	if (!job->running)
		return false;
	c = count_outcomes(job);
	*r = say_trouble(job, &c);
	job_detach(job);
	return true;
}

static struct reply hand_over(struct job *job)
{
	struct reply r;
	bool was_kept;

	attempts_start(job);
	await_attempts(job, after_ms(job->deliver->settings->handover_ms));
	if (job->running && keep_running(job, &r))
		return r;
	r = conclude(job);
	was_kept = job->message->is_kept;
	if (!was_kept)
		return finish(job, r);
	job_free(job);
	return r;
}

struct reply deliver_accept(struct deliver *d, struct message *m)
{
	struct job *job = job_new(d, m, false);

	return job->keeps_first ? keep_first(job) : hand_over(job);
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
	for (struct job *job = d->jobs; job; job = job->next)
		for (struct attempt *a = job->attempts; a; a = a->next)
			if (!awaits_outcome(a))
				fiber_cancel(a->fiber);
}

static void cancel_all(struct deliver *d)
{
	for (struct job *job = d->jobs; job; job = job->next) {
		if (job->settler)
			fiber_cancel(job->settler);
		for (struct attempt *a = job->attempts; a; a = a->next)
			fiber_cancel(a->fiber);
	}
}

static void await_quiet(struct deliver *d, int64_t deadline_ms)
{
	while (d->busy || d->has_scheduler)
		if (gate_wait(&d->quiet, deadline_ms) != WAIT_DONE)
			break;
}

void deliver_stop(struct deliver *d)
{
	d->is_draining = true;
	gate_open(&d->turn);
	for (struct job *job = d->jobs; job; job = job->next)
		gate_open(&job->news);
}

void deliver_drain(struct deliver *d, int64_t deadline_ms)
{
	int64_t unsent_ms = after_ms(DRAIN_UNSENT_MS);

	deliver_stop(d);
	await_quiet(d, unsent_ms < deadline_ms ? unsent_ms : deadline_ms);
	cancel_unsent(d);
	await_quiet(d, deadline_ms);
	cancel_all(d);
	await_quiet(d, after_ms(DRAIN_CANCELLED_MS));
}
