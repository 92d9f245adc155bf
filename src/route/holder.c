/*
 * The holder of an address: group, forward, or where its mail lives.
 *
 * What replaces one address by others leaves an entry in their trail, by which
 * it is known when the mail comes back.  Whoever is reached by expansion is a
 * new recipient: its system may well be the one that asks.
 */
#include "base/limits.h"
#include "base/mutants.h"
#include "route/guard.h"
#include "route/walk.h"

static bool deliver_here(struct walk *w, const struct target *t,
			 struct outcome *o)
{
	struct leg *l = leg_add(w, t, LEG_MAILBOX, o);

	if (l) {
		l->login = t->holder.login;
		l->detail = t->detail;
		l->is_here = true;
		l->is_known = true;
	}
	return o->is_final || decide_accept(o, ROUTE_DELIVER);
}

/* ---- groups and forwards: one address becomes many ---- */

struct str way_key(struct walk *w, struct str address)
{
	return arena_strf(w->arena, "group %.*s", STR(address));
}

struct way way_step(struct walk *w, const struct target *t, struct str key)
{
	const struct guard *g = w->router->guard;
	struct way way = *t->way;

	if (g)
		way.trail = trail_add(way.trail, guard_entry(g, key, w->arena),
				      w->arena);
	way.depth++;
	way.is_new = true;
	return way;
}

/* Was KEY replaced by others before, on this mail's way to us? */
bool way_was_stepped(const struct walk *w, struct str key)
{
	const struct guard *g = w->router->guard;

	return g && guard_was_here(g, w->q->trail, key);
}

bool way_is_too_deep(struct walk *w, const struct target *t, struct outcome *o)
{
	if (t->way->depth < LIMIT_EXPANSION_DEPTH)
		return false;
	because(w, nested_too_deeply, V("address", t->key),
		V("most", LIMIT_EXPANSION_DEPTH));
	o->is_final = true;
	return decide_refuse(w, o, 550, "5.4.6", "%sgroups nested too deeply",
			     shown_address(w, t));
}

/* Members are looked at in their turn, the nearest groups' first: how deep one
 * lies is its distance, and each is met by its shortest way. */
bool group_expand(struct walk *w, const struct target *t, struct expansion *e,
		  struct members list, struct outcome *o)
{
	struct members *m = arena_new(w->arena, struct members);
	struct way *way = arena_new(w->arena, struct way);

	*way = way_step(w, t, expansion_key(e));
	way->of = e;
	way->is_member = true;
	list.way = way;
	*m = list;
	*(w->first ? w->last : &w->first) = m;
	w->last = &m->next;
	if (!t->way->is_member)
		w->shown = shown_address(w, t);
	return decide_accept(o, ROUTE_EXPAND);
}

static bool drop_group(struct walk *w, const struct target *t,
		       struct outcome *o)
{
	because(w, expanded_before, V("address", t->key));
	return decide_drop(w, t, o);
}

static bool drop_again(struct walk *w, const struct target *t, struct str name,
		       struct outcome *o)
{
	because(w, expanded_for_another, V("address", name));
	return decide_drop(w, t, o);
}

bool group_begin(struct walk *w, const struct target *t, struct str name,
		 struct expansion **e, struct outcome *o)
{
	struct str key = way_key(w, name);

	if (way_was_stepped(w, key))
		return drop_group(w, t, o);
	w->expanding = true;
	*e = expansion_begin(w, t->way, key);
	if (!*e) {
		because(w, expanded_already, V("address", t->key));
		w->met_loop = true;
		return decide_accept(o, ROUTE_EXPAND);
	}
	if (way_is_too_deep(w, t, o))
		return true;
	return expanded_for_another(w, *e) && drop_again(w, t, name, o);
}

static bool rule_group(struct walk *w, struct target *t, struct outcome *o)
{
	struct members members = { 0 };
	struct expansion *e;

	if (t->holder.kind != HOLDER_GROUP)
		return false;
	if (group_begin(w, t, t->holder.login, &e, o))
		return true;
	switch (directory_members(w->router->directory, t->holder.id,
				  LIMIT_EXPANSION + 1, w->arena, &members.list,
				  &members.n)) {
	case ANSWER_YES:
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return decide_unsure(w, o);
	}
	if (members.n > LIMIT_EXPANSION)
		return decide_too_many(w, shown_address(w, t), o);
	because(w, group_of, V("address", t->key), V("n", members.n));
	return group_expand(w, t, e, members, o);
}

/* ---- home: where one address of a user lives ---- */

static enum home home_of(const struct holder *h)
{
	if (h->kind == HOLDER_SHARED)
		return HOME_HOSTED;
	switch (h->mail_system) {
	case HOME_ALTERNATE:
		return h->routed ? HOME_ALTERNATE : HOME_NONE;
	case HOME_NONE:
		return HOME_NONE;
	case HOME_HOSTED:
	case HOME_BOTH:
		break;
	}
	return h->home;
}

static enum fact home_fact(const struct holder *h)
{
	if (h->kind == HOLDER_SHARED)
		return FACT_shared_here;
	switch (h->mail_system) {
	case HOME_ALTERNATE:
		return h->routed ? FACT_routed_there : FACT_not_routed;
	case HOME_NONE:
		return FACT_no_mail_for_user;
	case HOME_HOSTED:
	case HOME_BOTH:
		break;
	}
	switch (h->home) {
	case HOME_ALTERNATE:
		return FACT_lives_there;
	case HOME_BOTH:
		return FACT_lives_on_both;
	case HOME_NONE:
		return FACT_no_mail_for_address;
	case HOME_HOSTED:
		break;
	}
	return FACT_lives_here;
}

static void say_home(struct walk *w, const struct target *t)
{
	reason_add(w, home_fact(&t->holder), VALUES(V("address", t->spelling)));
}

static bool home_alternate(struct walk *w, struct target *t, struct outcome *o)
{
	struct system s;

	if (route_system(w, t, t->holder.system, &s, o))
		return true;
	if (s.id)
		because(w, system_is, V("system", s.name), V("hosts", s.hosts));
	else
		because(w, system_is_relay, V("system", s.name));
	if (route_loops(w, t, &s)) {
		w->met_loop = true;
		return decide_refuse(w, o, 550, "5.4.6",
				     "%smail loop: it lives on %.*s",
				     shown_address(w, t), STR(s.name));
	}
	return route_relay_verified(w, t, &s, true, o);
}

/* The mailbox here takes it: what does that become by what is said THERE? */
static void add_there(struct outcome *o, const struct outcome *there)
{
	if (there->is_final || there->action == ROUTE_LATER)
		*o = *there; /* neither has it then */
	else if (there->action == ROUTE_RELAY)
		decide_accept(o, ROUTE_BOTH);
	/* else it is refused there, and delivered here only */
}

/* A share for each side. */
static bool home_both(struct walk *w, struct target *t, struct outcome *o)
{
	struct outcome there = { 0 };

	t->is_share = true;
	t->is_copy = false;
	if (sender_routing_refused(w, t, o))
		return true;
	deliver_here(w, t, o);
	if (o->is_final || MUTANT(both_is_only_here))
		return true;
	home_alternate(w, t, &there);
	add_there(o, &there);
	return true;
}

/* Asked again for one side's share alone: the other side's is a recipient of
 * its own, or was one and has had its end. */
static bool is_part(const struct walk *w, const struct target *t)
{
	return w->q->is_split && !w->q->is_copy && !t->way->is_member;
}

/* A share keeps to its side: what moved to the other since has the message. */
static bool home_part(struct walk *w, struct target *t, struct outcome *o)
{
	enum home now = home_of(&t->holder);

	t->is_share = true;
	if (w->q->takes_there && now != HOME_HOSTED)
		return home_alternate(w, t, o);
	if (!w->q->takes_there && now != HOME_ALTERNATE &&
	    !(MUTANT(half_is_dropped_by_a_move) && now == HOME_HOSTED))
		return deliver_here(w, t, o);
	because(w, other_part_had_it, V("address", t->spelling));
	return decide_drop(w, t, o);
}

static bool home(struct walk *w, struct target *t, struct outcome *o)
{
	say_home(w, t);
	if (is_part(w, t) && home_of(&t->holder) != HOME_NONE)
		return home_part(w, t, o);
	switch (home_of(&t->holder)) {
	case HOME_HOSTED:
		return deliver_here(w, t, o);
	case HOME_ALTERNATE:
		return home_alternate(w, t, o);
	case HOME_BOTH:
		return home_both(w, t, o);
	case HOME_NONE:
		break;
	}
	return decide_refuse(w, o, 550, "5.1.1",
			     "%snobody here has this address",
			     shown_address(w, t));
}

/* What a forward keeps. */
static bool own_copy(struct walk *w, struct target *t, struct outcome *o)
{
	t->is_share = t->is_copy = true;
	return home(w, t, o);
}

/* Neither the copy nor the forward, when the copy may not leave. */
static bool copy_is_refused(struct walk *w, struct target *t, struct outcome *o)
{
	return t->holder.forward_keeps_copy &&
	       home_of(&t->holder) != HOME_HOSTED &&
	       sender_routing_refused(w, t, o);
}

/* A forward that came back: its own copy may be given, nothing more. */
static bool forward_again(struct walk *w, struct target *t, struct outcome *o)
{
	w->met_loop = true;
	if (t->holder.forward_keeps_copy) {
		because(w, forwarded_before_with_copy, V("address", t->key));
		return own_copy(w, t, o);
	}
	because(w, forwarded_before, V("address", t->key));
	return decide_refuse(w, o, 550, "5.4.6", "%smail loop: it is forwarded",
			     shown_address(w, t));
}

static bool rule_forward(struct walk *w, struct target *t, struct outcome *o)
{
	const struct holder *h = &t->holder;
	struct expansion *e;
	struct str key;

	if (h->n_forwards == 0 || home_of(h) == HOME_NONE ||
	    (w->q->is_split && !t->way->is_member))
		return false;
	if (copy_is_refused(w, t, o))
		return true;
	key = way_key(w, h->login);
	w->expanding = true;
	if (way_was_stepped(w, key))
		return forward_again(w, t, o);
	e = expansion_begin(w, t->way, key);
	if (!e)
		return forward_again(w, t, o);
	if (way_is_too_deep(w, t, o))
		return true;
	if (!h->forward_keeps_copy) {
		because(w, forwarded, V("address", t->key),
			V("n", h->n_forwards));
	} else {
		because(w, forwarded_with_copy, V("address", t->key),
			V("n", h->n_forwards));
		own_copy(w, t, o);
		if (o->action == ROUTE_LATER || o->is_final)
			return true;
	}
	if (expanded_for_another(w, e))
		return drop_again(w, t, h->login, o);
	return group_expand(
		w, t, e,
		(struct members){ .list = h->forwards, .n = h->n_forwards }, o);
}

/* ---- all of it ---- */

bool holder_has_no_mail(struct walk *w, const struct target *t,
			struct outcome *o)
{
	if (!t->holder.enabled && !MUTANT(disabled_is_served)) {
		because(w, disabled);
		return decide_refuse(w, o, 550, "5.2.1",
				     "%sthis address is disabled",
				     shown_address(w, t));
	}
	if (t->holder.kind == HOLDER_GROUP || home_of(&t->holder) != HOME_NONE)
		return false;
	say_home(w, t);
	return decide_refuse(w, o, 550, "5.1.1",
			     "%snobody here has this address",
			     shown_address(w, t));
}

bool holder_decide(struct walk *w, struct target *t, struct outcome *o)
{
	return rule_group(w, t, o) || rule_forward(w, t, o) || home(w, t, o);
}
