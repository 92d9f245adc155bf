/*
 * The rules, each one function, in the order in which they are asked.
 *
 * A rule returns true when it has decided; *o is then the decision.  What
 * stands in for an address (catch-all, postmaster) is asked about by all rules
 * at once, the members of a group or forward in their turn (route.c), each with
 * a longer way.
 *
 * Invariants: what the directory cannot say is never a refusal; an address
 * that is disabled, has no mail or is not selected has no leg to anywhere; a
 * recipient that came by itself is never given to the system it came from, nor
 * to any system a second time.
 */
#include "base/mutants.h"
#include "route/walk.h"

/* ---- what the rules ask ---- */

static bool may_leave(const struct walk *w, const struct way *way)
{
	const struct asker *a = &w->q->asker;

	if (way->is_new || w->q->is_retry)
		return true;
	if (a->kind == ASKER_SYSTEM)
		return a->trusted &&
		       (a->system.may_relay || MUTANT(trusted_is_open));
	return a->kind == ASKER_USER || a->kind == ASKER_LOCAL;
}

static bool is_postmaster(const struct target *t)
{
	return str_same(t->address->base, S("postmaster")) ||
	       str_same(t->address->base, S("abuse"));
}

static void say_holder(struct walk *w, const struct target *t)
{
	const struct holder *h = &t->holder;

	if (h->all_aliases)
		because(w, address_of_everywhere, V("address", t->spelling),
			V("kind", kind_words[h->kind]), V("holder", h->login));
	else
		because(w, address_of, V("address", t->spelling),
			V("kind", kind_words[h->kind]), V("holder", h->login));
	if (!str_empty(t->detail))
		because(w, has_detail, V("detail", t->detail));
}

/* ---- 1: is the domain ours? ---- */

static bool leave_by(struct walk *w, struct target *t,
		     const struct system *smart, struct outcome *o)
{
	size_t legs = w->n;

	route_relay(w, t, smart, false, o);
	return w->n == legs || MUTANT(smart_host_sends_on) ||
	       sent_on_rewrite(w, t, o);
}

static bool leave(struct walk *w, struct target *t, struct outcome *o)
{
	struct system smart;
	struct leg *l;

	switch (directory_smart_host(w->router->directory, w->arena, &smart)) {
	case ANSWER_UNSURE:
		return decide_unsure(w, o);
	case ANSWER_YES:
		if (route_loops(w, t, &smart))
			break;
		because(w, by_smart_host, V("system", smart.name));
		return sender_routing_refused(w, t, o) ||
		       leave_by(w, t, &smart, o);
	case ANSWER_NO:
		if (route_was_here(w, t)) {
			because(w, sent_out_before);
			break;
		}
		if (str_find(t->address->domain, '.') < 0) {
			because(w, no_internet_domain,
				V("domain", t->address->domain));
			return decide_refuse(w, o, 550, "5.1.2",
					     "%sno such domain",
					     shown_address(w, t));
		}
		because(w, by_mx, V("domain", t->address->domain));
		l = leg_add(w, t, LEG_INTERNET, o);
		if (!l)
			return o->is_final || decide_accept(o, ROUTE_RELAY);
		l->domain = t->address->domain;
		return decide_accept(o, ROUTE_RELAY) &&
		       sent_on_rewrite(w, t, o) && leave_from(w, t, o);
	}
	w->met_loop = true;
	return decide_refuse(w, o, 550, "5.4.6", "%smail loop",
			     shown_address(w, t));
}

static bool not_ours(struct walk *w, struct target *t, struct outcome *o)
{
	struct str domain = t->address->domain;

	because(w, not_our_domain, V("domain", domain));
	t->key = t->given_key = address_key(t->address, w->arena);
	if (!may_leave(w, t->way)) {
		because(w, may_not_relay);
		return decide_refuse(w, o, 550, "5.7.1", "%srelaying denied",
				     shown_address(w, t));
	}
	if (str_same(domain, w->router->hostname)) {
		because(w, nobody_has, V("address", t->spelling));
		return decide_refuse(w, o, 550, "5.1.1",
				     "%snobody here has this address",
				     shown_address(w, t));
	}
	if (domain.n > 0 && domain.p[0] == '[') {
		because(w, address_literal);
		return decide_refuse(w, o, 550, "5.1.2",
				     "%saddress literals are not accepted",
				     shown_address(w, t));
	}
	return leave(w, t, o);
}

/* Who reads root's mail: cron writes to root of the host, and what root sent
 * may come back. */
static const struct address *postmaster_for_root(struct walk *w,
						 const struct address *root)
{
	struct address *a = arena_new(w->arena, struct address);

	*a = *root;
	a->local = a->base = S("postmaster");
	a->detail = S("");
	a->has_detail = false;
	return a;
}

/* A bare <postmaster>, and that of this very host, are the first domain's.
 * *BARE: so it is. */
static enum answer find_domain(struct walk *w, struct target *t, bool *bare)
{
	struct directory *d = w->router->directory;
	struct str name = t->address->domain;
	enum answer found = ANSWER_NO;

	*bare = str_empty(name);
	if (!*bare)
		found = directory_domain(d, name, w->arena, &t->domain);
	if (found == ANSWER_NO && str_same(t->address->base, S("root")) &&
	    str_same(name, w->router->hostname))
		t->address = postmaster_for_root(w, t->address);
	if (found == ANSWER_NO && !*bare)
		*bare = is_postmaster(t) && str_same(name, w->router->hostname);
	if (*bare)
		found = directory_first_domain(d, w->arena, &t->domain);
	t->name = *bare ? t->domain.name : name;
	return found;
}

/* Not for who looks: it ends here, as if it had been served. */
static bool leave_alone(struct walk *w, const struct target *t,
			struct outcome *o)
{
	because(w, not_to_see, V("address", t->spelling), V("domain", t->name));
	return decide_drop(w, t, o);
}

static bool rule_domain(struct walk *w, struct target *t, struct outcome *o)
{
	struct str name = t->address->domain;
	bool bare;

	switch (find_domain(w, t, &bare)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		if (!bare)
			return not_ours(w, t, o);
		because(w, no_domain_yet);
		return decide_refuse(w, o, 550, "5.1.1", "no domain here yet");
	case ANSWER_UNSURE:
		return decide_unsure(w, o);
	}
	t->key = arena_strf(w->arena, "%.*s@%.*s", STR(t->address->local),
			    STR(t->domain.name));
	t->given_key = bare || str_same(name, t->domain.name)
			       ? t->key
			       : address_key(t->address, w->arena);
	if (bare)
		t->spelling = t->key;
	if (t->way->depth == 0)
		w->domain = t->domain;
	if (w->router->sees && w->router->sees != t->domain.id)
		return leave_alone(w, t, o);
	if (bare)
		because(w, our_first_domain, V("address", t->address->spelling),
			V("domain", t->domain.name));
	else if (str_same(name, t->domain.name))
		because(w, our_domain, V("domain", name));
	else
		because(w, our_alias, V("alias", name),
			V("domain", t->domain.name));
	return false;
}

/* ---- 2: does anybody have the address? ---- */

/* Exactly, then without +detail. */
static enum answer find_holder(struct walk *w, struct target *t)
{
	struct directory *d = w->router->directory;
	const struct address *a = t->address;
	enum answer found = directory_address(d, &t->domain, a->local, t->name,
					      w->arena, &t->holder);

	t->is_exact = found == ANSWER_YES;
	if (found != ANSWER_NO || !a->has_detail || str_empty(a->base))
		return found;
	found = directory_address(d, &t->domain, a->base, t->name, w->arena,
				  &t->holder);
	t->detail = a->detail;
	return found;
}

/* Of a postmaster who has no mail the refusal is in *O, and false: the next rule
 * may know better. */
static bool rule_address(struct walk *w, struct target *t, struct outcome *o)
{
	const struct holder *h = &t->holder;
	bool no_mail;

	switch (find_holder(w, t)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		return false;
	case ANSWER_UNSURE:
		return decide_unsure(w, o);
	}
	t->is_held = true;
	if (t->way->depth == 0)
		w->is_known = true;
	say_holder(w, t);
	no_mail = holder_has_no_mail(w, t, o);
	if (is_postmaster(t) && (no_mail || h->builtin))
		return false;
	return no_mail || holder_decide(w, t, o);
}

/* ---- another address instead: postmaster, catch-all ---- */

static bool instead(struct walk *w, struct target *t, struct str other,
		    struct outcome *o)
{
	struct str key = way_key(w, t->key);
	struct address a;
	struct way way;

	if (way_is_too_deep(w, t, o))
		return true;
	if (way_was_stepped(w, key)) {
		because(w, stood_in_before, V("address", t->key));
		w->met_loop = true;
		return decide_refuse(w, o, 550, "5.4.6", "%smail loop",
				     shown_address(w, t));
	}
	if (!address_parse(other, w->arena, &a)) {
		because(w, stand_in_malformed, V("address", other),
			V("cause", cause()));
		return decide_later(w, o, "4.3.5",
				    "%swhat stands for it is not "
				    "configured",
				    shown_address(w, t));
	}
	way = way_step(w, t, key);
	*o = route_address(w, &way, &a);
	return true;
}

/* ---- 3: postmaster and abuse always reach somebody ---- */

/* Where unknown addresses go, unless it came from there. */
static bool forward_postmaster(struct walk *w, struct target *t,
			       struct outcome *o)
{
	struct system s = directory_relay(&t->domain);

	if (!t->domain.forward_unknown || str_empty(s.hosts) ||
	    route_loops(w, t, &s))
		return false;
	because(w, postmaster_with_unknown, V("system", s.name));
	return route_relay_verified(w, t, &s, true, o) &&
	       o->action != ROUTE_REFUSE;
}

/* Whoever stands for it; else its holder's refusal, which rule_address() has
 * written; else, of the builtin one or nobody's, where unknown addresses go. */
static bool rule_postmaster(struct walk *w, struct target *t, struct outcome *o)
{
	struct str instead_of = t->domain.postmaster;

	if (!is_postmaster(t))
		return false;
	if (!str_empty(instead_of) && !str_same_nocase(instead_of, t->key)) {
		because(w, postmaster_is, V("domain", t->domain.name),
			V("address", instead_of));
		return instead(w, t, instead_of, o);
	}
	if (t->is_held && !t->holder.builtin)
		return true;
	if (forward_postmaster(w, t, o))
		return true;
	if (!t->is_held)
		return false;
	return holder_has_no_mail(w, t, o) || holder_decide(w, t, o);
}

/* ---- what is returned to a sender that was rewritten ---- */

static bool return_to(struct walk *w, struct target *t, struct str to,
		      struct outcome *o)
{
	because(w, returned_to, V("address", t->spelling), V("sender", to));
	if (w->q->sender && !str_empty(*w->q->sender))
		return decide_refuse(w, o, 550, "5.7.1",
				     "%sthis address takes only what is "
				     "returned, with the null sender",
				     shown_address(w, t));
	w->is_return = true;
	return instead(w, t, to, o);
}

/* One that this server has not made may be another system's. */
static bool rule_return(struct walk *w, struct target *t, struct outcome *o)
{
	enum srs_verdict verdict;
	struct str to;

	if (!sent_on_looks_so(t->address))
		return false;
	if (!sent_on_returns(w, t->address, &verdict, &to))
		return decide_unsure(w, o);
	switch (verdict) {
	case SRS_NOT:
		because(w, not_rewritten_here, V("address", t->spelling));
		break;
	case SRS_GOOD:
		return return_to(w, t, to, o);
	case SRS_EXPIRED:
		because(w, return_expired, V("address", t->spelling),
			V("days", SRS_DAYS));
		return decide_refuse(w, o, 550, "5.1.1",
				     "%sthis return address has expired",
				     shown_address(w, t));
	}
	return false;
}

/* ---- 4 to 6: addresses nobody has ---- */

static bool rule_catch_all(struct walk *w, struct target *t, struct outcome *o)
{
	because(w, nobody_has, V("address", t->spelling));
	if (str_empty(t->domain.catch_all))
		return false;
	because(w, catch_all_is, V("domain", t->domain.name),
		V("address", t->domain.catch_all));
	return instead(w, t, t->domain.catch_all, o);
}

static bool rule_unknown(struct walk *w, struct target *t, struct outcome *o)
{
	struct system s;

	if (!t->domain.forward_unknown)
		return false;
	because(w, forwards_unknown, V("domain", t->domain.name),
		V("relay", t->domain.relay));
	if (route_system(w, t, 0, &s, o))
		return true;
	if (!route_loops(w, t, &s))
		return route_relay_verified(w, t, &s, false, o);
	w->met_loop = true;
	if (route_was_here(w, t))
		return decide_refuse(w, o, 550, "5.4.6",
				     "%smail loop: nobody has this address",
				     shown_address(w, t));
	return decide_refuse(w, o, 550, "5.1.1", "%snobody has this address",
			     shown_address(w, t));
}

static bool rule_nobody(struct walk *w, struct target *t, struct outcome *o)
{
	if (!t->domain.forward_unknown)
		because(w, forwards_no_unknown, V("domain", t->domain.name));
	if (sent_on_looks_so(t->address))
		return decide_refuse(w, o, 550, "5.1.1",
				     "%sthis server has not made this return "
				     "address, or it was changed",
				     shown_address(w, t));
	return decide_refuse(w, o, 550, "5.1.1",
			     "%snobody here has this address",
			     shown_address(w, t));
}

/* ---- all of them ---- */

struct outcome route_address(struct walk *w, const struct way *way,
			     const struct address *a)
{
	struct target t = { .address = a, .way = way, .spelling = a->spelling };
	struct outcome o = { 0 };
	bool decided =
		rule_alias_of_host(w, &t, &o) || rule_domain(w, &t, &o) ||
		rule_return(w, &t, &o) ||
		(MUTANT(catch_all_before_users) && rule_catch_all(w, &t, &o)) ||
		rule_address(w, &t, &o) || rule_alias_beside(w, &t, &o) ||
		rule_postmaster(w, &t, &o) || rule_catch_all(w, &t, &o) ||
		rule_unknown(w, &t, &o) || rule_nobody(w, &t, &o);

	check(decided);
	return o;
}
