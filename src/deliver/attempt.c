/*
 * One next hop, many recipients: a fiber.
 *
 * Recipients of a message that have the same next hop go in one transaction,
 * LIMIT_PER_TRANSACTION at a time, one transaction after the other; next hops
 * are served in parallel.  What came of it is logged here, one line for each
 * recipient, and told to verification.
 *
 * A system that did not answer rests for HOP_REST_MS: its queued mail is put
 * off without another try, so that it takes no turns from the others.
 */
#include "deliver/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/limits.h"
#include "route/verify.h"
#include "rt/board.h"
#include "rt/counter.h"
#include "rt/log.h"

enum {
	HOP_REST_MS = 5000,
	HOPS_REMEMBERED = 1000,
	RETRIES_PER_HOP = 20, /* attempts from the queue at one next hop that
	                         has not answered lately */
	LATELY_MS = 1000,
};

/* ---- what is known of next hops ---- */

struct hop_state {
	UT_hash_handle hh;
	int64_t rest_until_ms;
	bool is_slow;
	unsigned retries; /* attempts from the queue that run */
	int64_t answered_ms; /* one of these: when it last settled a mail */
	struct reply why;
	char text[256];
	size_t key_bytes;
	char key[];
};

static struct hop_state *hop_find(struct deliver *d, struct str key)
{
	struct hop_state *h;

	HASH_FIND(hh, d->hops, key.p, key.n, h);
	return h;
}

static void hops_forget(struct deliver *d, int64_t rested_before_ms)
{
	struct hop_state *h, *next;

	HASH_ITER (hh, d->hops, h, next)
		if (!h->retries && h->rest_until_ms < rested_before_ms) {
			HASH_DEL(d->hops, h);
			free(h);
		}
}

static struct hop_state *hop_make(struct deliver *d, struct str key)
{
	struct hop_state *h = hop_find(d, key);

	if (h)
		return h;
	if (HASH_COUNT(d->hops) >= HOPS_REMEMBERED)
		hops_forget(d, now_ms());
	h = must_alloc(sizeof *h + key.n);
	memset(h, 0, sizeof *h);
	h->key_bytes = key.n;
	memcpy(h->key, key.p, key.n);
	HASH_ADD_KEYPTR(hh, d->hops, h->key, h->key_bytes, h);
	return h;
}

const struct reply *hop_resting(struct deliver *d, struct str key,
                                bool only_slow)
{
	struct hop_state *h = hop_find(d, key);

	if (!h || h->rest_until_ms <= now_ms() || (only_slow && !h->is_slow))
		return NULL;
	return &h->why;
}

void hop_rest(struct deliver *d, struct str key, const struct reply *why,
              bool is_slow)
{
	struct hop_state *h = hop_make(d, key);

	h->rest_until_ms = after_ms(HOP_REST_MS);
	h->is_slow = is_slow;
	h->why = *why;
	snprintf(h->text, sizeof h->text, "%.*s", STR(why->text));
	h->why.text = str_of(h->text);
}

void hop_answered(struct deliver *d, struct str key)
{
	struct hop_state *h = hop_find(d, key);

	if (h)
		h->rest_until_ms = 0;
}

void hops_close(struct deliver *d)
{
	hops_forget(d, INT64_MAX);
}

/* ---- what came of it ---- */

static const char *status_word(enum recipient_state s)
{
	switch (s) {
	case RECIPIENT_DONE:
		return "sent";
	case RECIPIENT_REFUSED:
		return "bounced";
	case RECIPIENT_LATER:
	case RECIPIENT_WAITING:
		return "deferred";
	case RECIPIENT_DROPPED:
		return "dropped";
	}
	return "unknown";
}

static void log_share(const struct attempt *a, const struct share *s)
{
	const struct message *m = a->job->message;
	struct arena *arena = a->job->arena;
	struct str said = reply_line(&s->reply, arena);
	struct str remote = s->remote.n ? s->remote : S("none");

	log_fact(s->leg.kind == LEG_MAILBOX ? "lmtp" : "smtp",
	         "%s: to=<%s>, relay=%s, delay=%.2f, dsn=%s, status=%s (%s)",
	         m->id, log_safe(arena, s->leg.address, LIMIT_PATH_BYTES),
	         log_safe(arena, remote, 300),
	         (double)(wall_ms() - m->arrived_wall_ms) / 1000,
	         reply_status(&s->reply), status_word(s->state),
	         log_safe(arena, said, 400));
}

static void count_share(const struct attempt *a, const struct share *s)
{
	ledgers_count_share(a->job->deliver, s, a->job->arena);
	if (s->state == RECIPIENT_DONE)
		count(COUNT_DELIVERIES);
	else if (s->state == RECIPIENT_LATER)
		count(COUNT_DELIVERIES_DEFERRED);
}

/* As good as a probe: what RCPT said about the address. */
static void learn(const struct attempt *a, const struct share *s)
{
	struct verification *v = a->job->deliver->router->verification;
	struct arena *arena = a->job->arena;
	struct address address;

	if (!v || s->leg.kind != LEG_SYSTEM ||
	    !address_parse(s->leg.address, arena, &address))
		return;
	if (s->state == RECIPIENT_DONE)
		verify_learn(v, s->leg.system.name,
		             address_key(&address, arena), VERDICT_YES,
		             &s->reply);
	else if (s->state == RECIPIENT_REFUSED && s->at_rcpt)
		verify_learn(v, s->leg.system.name,
		             address_key(&address, arena), VERDICT_NO,
		             &s->reply);
}

static void tell_followers(const struct attempt *a, const struct share *s)
{
	struct job *job = a->job;

	for (size_t i = 0; i < job->n; i++) {
		struct share *f = job->shares[i];

		if (f->follows != s || f->state != RECIPIENT_WAITING)
			continue;
		f->state = s->state;
		f->reply = s->reply;
		f->remote = s->remote;
		f->dsn_goes_on = s->dsn_goes_on;
		f->is_put_off = s->is_put_off;
		if (!s->is_put_off)
			log_share(a, f);
	}
}

static void tell(const struct attempt *a, struct share **shares, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct share *s = shares[i];

		check(s->state != RECIPIENT_WAITING);
		log_share(a, s);
		count_share(a, s);
		learn(a, s);
		if (a->job->has_followers)
			tell_followers(a, s);
	}
}

static void defer(struct share **shares, size_t n, struct reply why)
{
	for (size_t i = 0; i < n; i++) {
		shares[i]->state = RECIPIENT_LATER;
		shares[i]->reply = why;
	}
}

/* ---- a system that comes back ---- */

static bool is_system(const struct attempt *a)
{
	return a->leg.kind == LEG_SYSTEM && a->job->deliver->settings->down;
}

static bool has_taken(const struct attempt *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->shares[i]->state == RECIPIENT_DONE)
			return true;
	return false;
}

/* It takes mail again: what waits for it shall not wait for its own time. */
static void waits welcome_back(struct attempt *a)
{
	struct deliver *d = a->job->deliver;
	struct str note;

	if (!is_system(a) || !has_taken(a) ||
	    !board_read(d->settings->down, a->key, a->job->arena, &note))
		return;
	board_erase(d->settings->down, a->key);
	if (!queue_hurry(d->queue, a->leg.system.name))
		log_warn("qmgr", "what waits for %.*s is not hurried: %s",
		         STR(a->leg.system.name), cause());
}

/* Why it is not dialled; NULL: it is, or another loop found it at work. */
static const struct reply *is_resting(const struct attempt *a)
{
	struct deliver *d = a->job->deliver;
	const struct reply *why = hop_resting(d, a->key, !a->job->is_retry);
	struct str note;

	if (!why || !is_system(a) ||
	    board_read(d->settings->down, a->key, a->job->arena, &note))
		return why;
	hop_answered(d, a->key);
	return NULL;
}

void hop_is_down(struct attempt *a, const struct reply *why, bool is_slow)
{
	hop_rest(a->job->deliver, a->key, why, is_slow);
	ledgers_say_down(a->job->deliver, &a->leg, why, a->job->arena);
	if (is_system(a))
		board_write(a->job->deliver->settings->down, a->key, S(""));
}

/* ---- the fiber ---- */

static void attempt_chunk(struct attempt *a, struct share **shares, size_t n)
{
	struct arena *arena = a->job->arena;
	const struct reply *why = is_resting(a);

	if (fiber_cancelled()) {
		defer(shares, n,
		      own_reply(arena, 451, "4.3.2", "the server is stopping"));
	} else if (why) {
		defer(shares, n,
		      own_reply(arena, why->code < 500 ? why->code : 451,
		                why->status[0] == '4' ? why->status : "4.4.1",
		                "%.*s", STR(why->text)));
	} else if (a->leg.kind == LEG_MAILBOX) {
		mailbox_deliver(a, shares, n);
	} else {
		remote_deliver(a, shares, n);
	}
	tell(a, shares, n);
}

static void retry_begins(struct attempt *a)
{
	if (a->job->is_retry)
		hop_make(a->job->deliver, a->key)->retries++;
}

static void retry_ends(struct attempt *a)
{
	struct hop_state *h;

	if (!a->job->is_retry)
		return;
	h = hop_make(a->job->deliver, a->key);
	h->retries--;
	for (size_t i = 0; i < a->n; i++)
		if (a->shares[i]->state != RECIPIENT_LATER)
			h->answered_ms = now_ms();
}

static size_t trail_entries(struct str trail)
{
	size_t n = trail.n > 0;

	for (size_t i = 0; i < trail.n; i++)
		n += trail.p[i] == ',';
	return n;
}

/* How many go into one mail: their trails together have to fit into what a
 * header may carry. */
static size_t chunk_size(const struct attempt *a, size_t from)
{
	size_t n = 0, entries = 0;

	while (from + n < a->n && n < LIMIT_PER_TRANSACTION) {
		entries += trail_entries(a->shares[from + n]->leg.trail);
		if (n && entries > LIMIT_TRAIL_JOINED)
			break;
		n++;
	}
	return n;
}

static void attempt_main(void *arg)
{
	struct attempt *a = arg;
	struct job *job = a->job;

	for (size_t i = 0, n; i < a->n; i += n) {
		n = chunk_size(a, i);
		attempt_chunk(a, a->shares + i, n);
	}
	welcome_back(a);
	retry_ends(a);
	if (a->prev)
		a->prev->next = a->next;
	else
		job->attempts = a->next;
	if (a->next)
		a->next->prev = a->prev;
	job->deliver->attempts--;
	job_attempt_ended(job);
}

/* ---- grouping ---- */

static struct str hop_key_of(const struct leg *leg, struct arena *arena)
{
	switch (leg->kind) {
	case LEG_MAILBOX:
		return S("mailboxes");
	case LEG_SYSTEM:
		return arena_strf(arena, "system %.*s", STR(leg->system.name));
	case LEG_INTERNET:
		return arena_strf(arena, "domain %.*s", STR(leg->domain));
	}
	return S("");
}

static struct attempt *attempt_for(struct job *job, const struct share *s)
{
	struct str key = hop_key_of(&s->leg, job->arena);
	struct attempt *a;

	for (a = job->attempts; a; a = a->next)
		if (str_same(a->key, key))
			return a;
	a = arena_new(job->arena, struct attempt);
	a->job = job;
	a->key = key;
	a->leg = s->leg;
	a->next = job->attempts;
	if (a->next)
		a->next->prev = a;
	job->attempts = a;
	return a;
}

static void add_share(struct attempt *a, struct share *s)
{
	bool is_full = (a->n & (a->n - 1)) == 0; /* 0, 1, 2, 4, 8... */

	if (is_full) {
		struct share **more = arena_array(a->job->arena, struct share *,
		                                  a->n ? a->n * 2 : 1);

		if (a->n)
			memcpy(more, a->shares, a->n * sizeof more[0]);
		a->shares = more;
	}
	a->shares[a->n++] = s;
}

/* It has enough to do with what the queue gives it already: one that is slow
 * shall not take all turns, one that keeps up may have as many as there are. */
static bool is_crowded(const struct attempt *a)
{
	struct hop_state *h = hop_find(a->job->deliver, a->key);

	return a->job->is_retry && h && h->retries >= RETRIES_PER_HOP &&
	       now_ms() - h->answered_ms > LATELY_MS;
}

static void put_off(struct attempt *a)
{
	for (size_t i = 0; i < a->n; i++) {
		a->shares[i]->state = RECIPIENT_LATER;
		a->shares[i]->is_put_off = true;
		tell_followers(a, a->shares[i]);
	}
}

void attempts_start(struct job *job)
{
	struct attempt *a, *next;

	for (size_t i = 0; i < job->n; i++)
		if (job->shares[i]->state == RECIPIENT_WAITING &&
		    !job->shares[i]->follows)
			add_share(attempt_for(job, job->shares[i]),
			          job->shares[i]);
	a = job->attempts;
	job->attempts = NULL;
	for (; a; a = next) {
		next = a->next;
		if (is_crowded(a)) {
			put_off(a);
			continue;
		}
		a->fiber = fiber_start("attempt", attempt_main, a);
		if (!a->fiber) {
			defer(a->shares, a->n,
			      own_reply(job->arena, 451, "4.3.2", "%s",
			                cause()));
			tell(a, a->shares, a->n);
			continue;
		}
		a->prev = NULL;
		a->next = job->attempts;
		if (a->next)
			a->next->prev = a;
		job->attempts = a;
		job->running++;
		job->deliver->attempts++;
		retry_begins(a);
	}
}
