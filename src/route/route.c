/*
 * The rules, each one function, in the order in which they are asked.
 *
 * A rule returns true when it has decided; *o is then the decision.  Whatever
 * replaces an address by others (group, forward, catch-all) asks all rules
 * again for each of them, with a longer way.
 *
 * Invariants: what the directory cannot say is never a refusal; an address
 * that is disabled, has no mail or is not selected has no leg to anywhere; a
 * recipient that came by itself is never given to the system it came from, nor
 * to any system a second time.
 */
#include "route/route.h"

#include "base/limits.h"
#include "route/guard.h"
#include "route/walk.h"

/* ---- what the rules ask ---- */

static bool may_leave(const struct walk *w, const struct way *way)
{
	const struct asker *a = &w->q->asker;

	if (way->is_new || w->q->is_retry)
		return true;
	if (a->kind == ASKER_SYSTEM)
		return a->trusted && a->system.may_relay;
	return a->kind == ASKER_USER || a->kind == ASKER_LOCAL;
}

static bool is_postmaster(const struct target *t)
{
	return str_same(t->address->base, S("postmaster")) ||
	       str_same(t->address->base, S("abuse"));
}

static const char *holder_kind_name(const struct holder *h)
{
	switch (h->kind) {
	case HOLDER_USER:
		return "user";
	case HOLDER_GROUP:
		return "group";
	case HOLDER_SHARED:
		return "shared mailbox";
	}
	return "";
}

static void say_holder(struct walk *w, const struct target *t)
{
	const struct holder *h = &t->holder;

	if (h->all_aliases)
		because(w, address_of_everywhere, V("address", t->spelling),
		        V("kind", holder_kind_name(h)), V("holder", h->login));
	else
		because(w, address_of, V("address", t->spelling),
		        V("kind", holder_kind_name(h)), V("holder", h->login));
	if (!str_empty(t->detail))
		because(w, has_detail, V("detail", t->detail));
}

/* ---- 1: is the domain ours? ---- */

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
		return route_relay(w, t, &smart, false, o);
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
		if (l)
			l->domain = t->address->domain;
		return o->is_final || decide_accept(o, ROUTE_RELAY);
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
	if (domain.n > 0 && domain.p[0] == '[') {
		because(w, address_literal);
		return decide_refuse(w, o, 550, "5.1.2",
		                     "%saddress literals are not accepted",
		                     shown_address(w, t));
	}
	return leave(w, t, o);
}

static bool rule_domain(struct walk *w, struct target *t, struct outcome *o)
{
	struct directory *d = w->router->directory;
	struct str name = t->address->domain;
	bool bare = str_empty(name);

	switch (bare ? directory_first_domain(d, w->arena, &t->domain)
	             : directory_domain(d, name, w->arena, &t->domain)) {
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
	struct str name = str_empty(a->domain) ? t->domain.name : a->domain;
	enum answer found = directory_address(d, &t->domain, a->local, name,
	                                      w->arena, &t->holder);

	if (found != ANSWER_NO || !a->has_detail || str_empty(a->base))
		return found;
	found = directory_address(d, &t->domain, a->base, name, w->arena,
	                          &t->holder);
	t->detail = a->detail;
	return found;
}

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
		return false; /* the next rule may know better */
	return no_mail || holder_decide(w, t, o);
}

/* ---- another address instead: postmaster, catch-all ---- */

static bool instead(struct walk *w, struct target *t, struct str other,
                    struct outcome *o)
{
	struct str key = way_key(w, t);
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
		return true; /* rule_address has refused it */
	if (forward_postmaster(w, t, o))
		return true;
	if (!t->is_held)
		return false;
	return holder_has_no_mail(w, t, o) || holder_decide(w, t, o);
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
	return decide_refuse(w, o, 550, "5.1.1",
	                     "%snobody here has this address",
	                     shown_address(w, t));
}

/* ---- the story ---- */

struct outcome route_address(struct walk *w, const struct way *way,
                             const struct address *a)
{
	struct target t = { .address = a, .way = way, .spelling = a->spelling };
	struct outcome o = { 0 };
	bool decided = rule_domain(w, &t, &o) || rule_address(w, &t, &o) ||
	               rule_postmaster(w, &t, &o) ||
	               rule_catch_all(w, &t, &o) || rule_unknown(w, &t, &o) ||
	               rule_nobody(w, &t, &o);

	check(decided);
	return o;
}

/* Only the domain's own limit: others' are the session's business. */
static void check_size(struct walk *w, struct outcome *o)
{
	uint64_t most = w->domain.max_message_bytes;

	if (most == 0 || w->q->message_bytes <= most || w->q->is_retry ||
	    o->action == ROUTE_REFUSE || o->action == ROUTE_LATER)
		return;
	because(w, domain_size, V("domain", w->domain.name), V("most", most));
	decide_refuse(w, o, 552, "5.3.4",
	              "message too large: %.*s takes up to %llu bytes",
	              STR(w->domain.name), (unsigned long long)most);
}

struct decision route_decide(const struct router *r, const struct question *q,
                             struct arena *arena)
{
	struct walk w = { .router = r, .q = q, .arena = arena };
	struct way start = { .trail = q->trail };
	struct outcome o;
	bool accepted;

	/* One state of the directory for the whole decision. */
	directory_begin(r->directory);
	o = route_address(&w, &start, q->recipient);
	check_size(&w, &o);
	directory_end(r->directory);
	seen_close(&w);
	accepted = o.action != ROUTE_REFUSE && o.action != ROUTE_LATER;
	return (struct decision){
		.action = o.action,
		.legs = accepted ? w.legs : NULL,
		.n = accepted ? w.n : 0,
		.ask = accepted && o.ask,
		.ask_key = w.ask_key,
		.reply = o.reply,
		.reasons = w.reasons,
		.n_reasons = w.n_reasons,
		.is_known = w.is_known,
		.domain = w.domain.name,
		.max_message_bytes = w.domain.max_message_bytes,
	};
}

const char *route_action_name(enum route_action a)
{
	switch (a) {
	case ROUTE_DELIVER:
		return "deliver";
	case ROUTE_RELAY:
		return "relay";
	case ROUTE_EXPAND:
		return "expand";
	case ROUTE_BOTH:
		return "both";
	case ROUTE_REFUSE:
		return "refuse";
	case ROUTE_LATER:
		return "later";
	}
	return "";
}
