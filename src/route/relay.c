/*
 * The other system's share: which system, and may it go there.
 *
 * The guard comes before verification (verified.c): a system is never asked
 * about what it has just handed to us.
 */
#include "base/mutants.h"
#include "route/callers.h"
#include "route/guard.h"
#include "route/walk.h"

/* ---- the guard against loops ---- */

static bool is_guarded(const struct walk *w, const struct way *way)
{
	return !way->is_new && !w->q->is_retry;
}

/* By its name, or by what its hosts are called. */
static bool asker_is(const struct walk *w, const struct system *s)
{
	const struct asker *a = &w->q->asker;

	if (a->kind != ASKER_SYSTEM)
		return false;
	if (s->id != 0 && s->id == a->system.id)
		return true;
	return !str_empty(s->hosts) &&
	       str_same_nocase(s->hosts, a->system.hosts);
}

/* Several servers may live on loopback, and users anywhere. */
static bool peer_says_nothing(const struct question *q)
{
	return !q->peer || inet_is_loopback(q->peer) ||
	       q->asker.kind == ASKER_USER || q->asker.kind == ASKER_LOCAL;
}

/* By the address it calls from. */
static bool caller_is(struct walk *w, const struct system *s)
{
	if (peer_says_nothing(w->q))
		return false;
	switch (callers_among(w->router->callers, w->q->peer, s->hosts,
			      w->arena)) {
	case CALLER_YES:
		return true;
	case CALLER_UNRESOLVED:
		w->resolve = s->hosts;
		break;
	case CALLER_NO:
		break;
	}
	return false;
}

static bool came_from(struct walk *w, const struct target *t,
		      const struct system *s)
{
	if (!is_guarded(w, t->way) || MUTANT(given_back_to_the_caller))
		return false;
	if (asker_is(w, s)) {
		because(w, asker_is_system, V("system", s->name));
		return true;
	}
	if (!caller_is(w, s))
		return false;
	because(w, caller_is_system, V("peer", inet_ip_text(w->q->peer).c),
		V("system", s->name));
	return true;
}

bool route_was_here(const struct walk *w, const struct target *t)
{
	const struct guard *g = w->router->guard;

	return g && is_guarded(w, t->way) &&
	       guard_was_here(g, t->way->trail, t->key);
}

bool route_loops(struct walk *w, const struct target *t, const struct system *s)
{
	if (came_from(w, t, s))
		return true;
	if (route_was_here(w, t)) {
		because(w, handed_on_before, V("address", t->key));
		return true;
	}
	return false;
}

/* ---- the system ---- */

/* The system that holds T's other part; true: decided, there is none. */
bool route_system(struct walk *w, struct target *t, int64_t id,
		  struct system *s, struct outcome *o)
{
	if (id == 0) {
		*s = directory_relay(&t->domain);
	} else {
		switch (directory_system(w->router->directory, id, w->arena,
					 s)) {
		case ANSWER_YES:
			break;
		case ANSWER_NO:
			*s = (struct system){ 0 };
			break;
		case ANSWER_UNSURE:
			return decide_unsure(w, o);
		}
	}
	if (!str_empty(s->hosts))
		return false;
	if (id == 0)
		because(w, no_relay, V("domain", t->domain.name));
	else
		because(w, no_system, V("address", t->key));
	return decide_later(w, o, "4.3.5",
			    "%sthe system that holds it is not configured",
			    shown_address(w, t));
}

bool route_relay(struct walk *w, const struct target *t, const struct system *s,
		 bool known, struct outcome *o)
{
	struct leg *l = leg_add(w, t, LEG_SYSTEM, o);

	if (l) {
		l->system = *s;
		l->is_known = known;
		if (outgoing_is_set(&s->limits.outgoing))
			because(w, system_from, V("system", s->name),
				V("outgoing", outgoing_text(&s->limits.outgoing,
							    w->arena)));
	}
	return o->is_final || decide_accept(o, ROUTE_RELAY);
}
