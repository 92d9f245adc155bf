/*
 * Where would this address go, and why: the function the engine asks, too.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "console/console.h"
#include "console/figures.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "route/callers.h"
#include "route/route.h"
#include "rt/loop.h"

/* Only a superadministrator asks about what is not his domain's. */
static enum answer is_his(struct request *r, struct str domain_name)
{
	struct domain domain;
	enum answer a;

	if (is_super(r))
		return ANSWER_YES;
	a = directory_domain(r->d, domain_name, r->arena, &domain);
	if (a != ANSWER_YES)
		return a;
	return sees_domain(r, domain.id) ? ANSWER_YES : ANSWER_NO;
}

static bool parse_recipient(struct request *r, struct address *a)
{
	struct str path =
		arena_strf(r->arena, "<%.*s>", STR(param(r, "address")));

	return path_parse(&path, PATH_FORWARD, r->arena, a) &&
	       (str_empty(path) || fail("more than an address"));
}

static enum answer may_ask_as(struct request *r, const struct asker *as)
{
	struct address user;

	if (as->kind != ASKER_USER)
		return ANSWER_YES;
	if (!address_parse(as->user, r->arena, &user))
		return ANSWER_NO;
	return is_his(r, user.domain);
}

/* ---- names of callers' hosts: in a fiber of the loop ---- */

struct inquiry {
	struct dns *dns;
	struct router *router;
	const struct question *question;
	struct arena *arena;
	struct decision decision;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended;
};

static void end(struct inquiry *i)
{
	pthread_mutex_lock(&i->lock);
	i->has_ended = true;
	pthread_cond_signal(&i->ended);
	pthread_mutex_unlock(&i->lock);
}

static void waits inquire(void *arg)
{
	struct inquiry *i = arg;

	i->router->callers = callers_open(i->dns);
	i->decision = route_answer(i->router, i->question, i->arena);
	callers_close(i->router->callers);
	i->router->callers = NULL;
	end(i);
}

/* On the loop. */
static void start(void *arg)
{
	struct inquiry *i = arg;

	if (fiber_start("route", inquire, i))
		return;
	i->decision = route_decide(i->router, i->question, i->arena);
	end(i);
}

/* The request's thread waits meanwhile. */
static struct decision decide_on_loop(struct request *r, struct router *router,
				      const struct question *q)
{
	struct inquiry i = { .dns = r->console->settings->dns,
			     .router = router,
			     .question = q,
			     .arena = r->arena,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .ended = PTHREAD_COND_INITIALIZER };

	loop_post(0, start, &i);
	pthread_mutex_lock(&i.lock);
	while (!i.has_ended)
		pthread_cond_wait(&i.ended, &i.lock);
	pthread_mutex_unlock(&i.lock);
	return i.decision;
}

/* Names are resolved for one request at a time: there are few threads. */
static struct decision decide_with_names(struct request *r,
					 struct router *router,
					 const struct question *q)
{
	atomic_bool *is_resolving = &r->console->is_resolving;
	struct decision d = route_decide(router, q, r->arena);
	bool idle = false;

	if (!q->peer ||
	    !atomic_compare_exchange_strong(is_resolving, &idle, true))
		return d;
	d = decide_on_loop(r, router, q);
	atomic_store(is_resolving, false);
	return d;
}

/* ---- what is known of the next hops ---- */

/* As the engine last found it; nothing of one that had no mail yet. */
static void add_state(json_t *leg, const struct figures *f,
		      const struct next_hop *next)
{
	const struct hop_figures *h =
		f->is_up ? figures_hop(f, next->kind, next->name) : NULL;

	if (!h)
		return;
	json_object_set_new(leg, "state", json_text(h->state));
	json_object_set_new(leg, "since", json_text_or_null(h->since));
	json_object_set_new(leg, "problem", json_text(h->problem));
}

static json_t *with_states(json_t *shown, const struct decision *d)
{
	const struct figures *f = figures_borrow();
	json_t *legs = json_object_get(shown, "legs");

	for (size_t i = 0; i < d->n; i++) {
		struct next_hop next = leg_next_hop(&d->legs[i]);

		if (next.kind == NEXT_HOP_INTERNET)
			next.name = S(""); /* one for all domains */
		add_state(json_array_get(legs, i), f, &next);
	}
	figures_return(f);
	return shown;
}

static struct response decide(struct request *r, const struct question *q)
{
	struct router router = {
		.directory = r->d,
		.guard = r->console->guard,
		.hostname = str_of(r->console->settings->hostname),
		.aliases = aliases_now(r),
		.sees = r->who.admin.domain,
	};
	struct decision d = decide_with_names(r, &router, q);

	return answer_json(
		200,
		with_states(show_decision(q->recipient->spelling, &d, r->arena),
			    &d));
}

/* ---- the question ---- */

/* WHO asks; from an address, the one who is known there. */
static enum answer find_asker(struct request *r, const struct inet *from,
			      struct asker *out, bool *malformed)
{
	struct str as = param(r, "as");

	if (str_empty(as) && from)
		return asker_at(r->d, from, r->arena, out) == ANSWER_UNSURE
			       ? ANSWER_UNSURE
			       : ANSWER_YES;
	*malformed = !asker_parse(r->d, str_empty(as) ? S("internet") : as,
				  r->arena, out);
	return *malformed ? ANSWER_YES : may_ask_as(r, out);
}

struct response on_route(struct request *r)
{
	struct str from = param(r, "from");
	struct address recipient;
	struct inet peer;
	struct question q = { .recipient = &recipient };
	bool malformed = false;
	enum answer a;

	if (!parse_recipient(r, &recipient))
		return problem("address", bad_address,
			       V("given", param(r, "address")),
			       V("cause", cause()));
	if (!str_empty(from) && !inet_parse_ip(from, 0, &peer))
		return problem("from", bad_ip, V("given", from));
	q.peer = str_empty(from) ? NULL : &peer;
	a = is_his(r, recipient.domain);
	if (a == ANSWER_YES)
		a = find_asker(r, q.peer, &q.asker, &malformed);
	if (malformed)
		return problem("as", bad_asker, V("given", param(r, "as")),
			       V("cause", cause()));
	switch (a) {
	case ANSWER_YES:
		return decide(r, &q);
	case ANSWER_NO:
		return problem("address", no_such_domain,
			       V("domain", recipient.domain));
	case ANSWER_UNSURE:
		break;
	}
	return trouble(r);
}
