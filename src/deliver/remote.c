/*
 * Delivery to other servers: over the hosts of a system until one takes the
 * mail.
 *
 * Each host has its own time: with others to be tried it has seconds to greet
 * us, and only when none of them takes the mail those that were cut short get
 * all the time they may need.
 *
 * A 5xx greeting speaks for that host; when all hosts of an Internet domain
 * say so, and there is none whose address cannot be had now, the mail is
 * refused; a configured system gets it later.
 */
#include "deliver/remote.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/course.h"
#include "deliver/hop_state.h"
#include "deliver/hops.h"
#include "deliver/ledgers.h"
#include "deliver/xclient.h"

/* A limit that was met in vain is no refusal of the mail. */
static struct reply softened(struct reply r)
{
	if (!reply_is_refusal(&r))
		return r;
	r.code -= 100;
	if (r.status[0] == '5')
		r.status[0] = '4';
	return r;
}

static void conclude(struct attempt *a, struct share **left, size_t n,
		     const struct trouble *trouble)
{
	bool is_limit = trouble->is_limit && !MUTANT(limit_is_a_refusal);
	bool is_final = a->leg.kind == LEG_INTERNET && !is_limit &&
			reply_is_refusal(&trouble->reply);

	for (size_t i = 0; i < n; i++) {
		left[i]->state = is_final ? RECIPIENT_REFUSED : RECIPIENT_LATER;
		left[i]->reply = trouble->is_limit ? softened(trouble->reply)
						   : trouble->reply;
		left[i]->is_put_off = trouble->is_busy;
		left[i]->rest_ms = trouble->rest_ms;
	}
}

/* A limit, however it is said, is over some time; and a host that was not asked,
 * because all our connections are busy, has refused nothing. */
static bool may_get_better(const struct trouble *t)
{
	return t->is_limit || !reply_is_refusal(&t->reply);
}

/* Of several troubles: what may get better counts for more than a refusal, and
 * what a host said or did for more than that all our connections are busy. */
static void note_trouble(struct trouble *all, const struct trouble *one)
{
	if (!one->reply.code)
		return;
	if (!all->reply.code ||
	    (may_get_better(one) && !MUTANT(first_host_has_the_last_word) &&
	     (all->is_busy || !may_get_better(all))))
		*all = *one;
}

/* Over all hosts of one next hop. */
struct tour {
	struct attempt *a;
	struct hop *hops;
	size_t n_hops;
	bool *cut_short; /* each: it had less than all its time */
	struct share **left;
	size_t n;
	struct trouble trouble;
	struct trouble unasked; /* why there are hosts whose address we lack */
};

static bool waits tour_begin(struct tour *t, struct attempt *a,
			     struct share **shares, size_t n)
{
	struct round *round = a->round;

	*t = (struct tour){
		.a = a,
		.left = arena_array(round->arena, struct share *, n),
	};
	t->n = still_waiting(shares, n, t->left);
	if (!hops_find(round->deliver, &a->leg, after_ms(LIMIT_CONNECT_MS),
		       round->arena, &t->hops, &t->n_hops, &t->trouble))
		return false;
	for (size_t i = 0; i < t->n_hops; i++)
		t->hops[i].tells_client = a->leg.kind == LEG_SYSTEM &&
					  xclient_is_due(round, &a->leg.system);
	t->unasked = t->trouble;
	t->trouble = (struct trouble){ 0 };
	t->cut_short = arena_array(round->arena, bool, t->n_hops);
	for (size_t i = 0; i < t->n_hops; i++)
		t->cut_short[i] = true;
	return true;
}

/* All hosts, in short or with all their time: only those that were cut short
 * the first time. */
static void waits try_all(struct tour *t, bool in_short)
{
	for (size_t i = 0; i < t->n_hops && t->n && !fiber_cancelled(); i++) {
		struct trouble one = { 0 };

		if (!in_short && !t->cut_short[i])
			continue;
		t->cut_short[i] = !hop_try(t->a, &t->hops[i], in_short, t->left,
					   t->n, &one);
		t->n = still_waiting(t->left, t->n, t->left);
		note_trouble(&t->trouble, &one);
	}
}

/* None of the hosts took those that are left. */
static void tour_in_vain(struct tour *t, int64_t began_ms)
{
	struct arena *arena = t->a->round->arena;
	struct trouble *why = &t->trouble;

	if (!why->reply.code)
		trouble_ours(why, own_reply(arena, 451, "4.3.2",
					    "the server is stopping"));
	if (t->unasked.reply.code && !may_get_better(why))
		*why = t->unasked;
	conclude(t->a, t->left, t->n, why);
	if (!why->is_busy && !why->is_limit && !why->rest_ms &&
	    !fiber_cancelled() &&
	    (!why->is_unfit || t->a->leg.kind == LEG_SYSTEM))
		hop_is_down(t->a, &why->reply,
			    now_ms() - began_ms > HOP_SLOW_MS);
}

void remote_deliver(struct attempt *a, struct share **shares, size_t n)
{
	struct deliver *d = a->round->deliver;
	int64_t began_ms = now_ms();
	struct tour t;

	if (!tour_begin(&t, a, shares, n)) {
		ledgers_say_down(d, &a->leg, &t.trouble.reply, a->round->arena);
		conclude(a, t.left, t.n, &t.trouble);
		return;
	}
	try_all(&t, t.n_hops > 1);
	if (t.n_hops > 1)
		try_all(&t, false);
	if (t.n)
		tour_in_vain(&t, began_ms);
	else if (a->was_reached)
		ledgers_say_up(d, &a->leg, a->round->arena);
}
