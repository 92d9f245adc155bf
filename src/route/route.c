/*
 * One decision, from the question to the answer: all rules are asked about the
 * recipient, and again about each member of the groups and forwards it leads
 * to, until there are no more.
 */
#include "route/route.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "route/callers.h"
#include "route/walk.h"
#include "rt/clock.h"

/* ---- members ---- */

/* True: *o ends the whole expansion. */
static bool look_at_member(struct walk *w, const struct way *way,
			   struct str member, struct outcome *o)
{
	struct outcome of_member;
	struct address a;

	if (++w->looked > LIMIT_EXPANSION_LOOKED)
		return decide_too_many(w, w->shown, o);
	if (!address_parse(member, w->arena, &a)) {
		because(w, member_malformed, V("address", member),
			V("cause", cause()));
		return false;
	}
	of_member = route_address(w, way, &a);
	if (of_member.action == ROUTE_LATER || of_member.is_final) {
		*o = of_member;
		return true;
	}
	if (of_member.action == ROUTE_REFUSE)
		because(w, member_refused, V("address", member),
			V("code", of_member.reply.code),
			V("status", of_member.reply.status),
			V("reply", of_member.reply.text));
	return false;
}

/* All addresses of one that is looked at in its turn: a final outcome, or what
 * would be one for the asker, ends the walk.  True: there are no more. */
static bool members_step(struct walk *w, struct outcome *o)
{
	for (int i = 0; i < LIMIT_ROUTE_STEP; i++) {
		struct members *m = w->first;

		while (m && m->at == m->n)
			m = w->first = m->next;
		if (!m)
			return true;
		if (MUTANT(member_at_a_border_is_skipped) &&
		    i == LIMIT_ROUTE_STEP - 1 && m->at + 1 < m->n)
			m->at++;
		if (look_at_member(w, m->way, m->list[m->at++], o))
			return true;
	}
	return false;
}

/*
 * The one who sent to the group hears of a group that reaches nobody,
 * otherwise mail would vanish; not of one that was expanded on the mail's way
 * already, or for another recipient, whose members have it.
 */
static void members_end(struct walk *w, struct outcome *o)
{
	if (o->action != ROUTE_EXPAND || w->n > 0 ||
	    (w->dropped > 0 && !MUTANT(all_have_it_is_nobody)))
		return;
	if (w->met_loop)
		decide_refuse(w, o, 550, "5.4.6", "%smail loop", w->shown);
	else
		decide_refuse(w, o, 550, "5.2.4", "%sreaches nobody", w->shown);
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

/* ---- from the question to the decision, step by step ---- */

/* The recipient itself: most decisions are no more.  True: that was all. */
static bool walk_begin(struct walk *w, struct outcome *o)
{
	struct way start = { .trail = w->q->trail };

	w->looked = 1;
	*o = route_address(w, &start, w->q->recipient);
	return !w->first;
}

static struct decision walk_end(struct walk *w, struct outcome *o)
{
	const struct str *groups = NULL;
	size_t n_groups;
	bool accepted;

	members_end(w, o);
	check_size(w, o);
	accepted = o->action != ROUTE_REFUSE && o->action != ROUTE_LATER;
	seen_close(w);
	n_groups = expansions_end(w, &groups);
	return (struct decision){
		.action = o->action,
		.legs = accepted ? w->legs : NULL,
		.n = accepted ? w->n : 0,
		.ask = accepted && o->ask,
		.ask_later = accepted && o->ask_later,
		.ask_key = w->ask_key,
		.was_told = o->was_told,
		.resolve = w->resolve,
		.reply = o->reply,
		.reasons = w->reasons,
		.n_reasons = w->n_reasons,
		.groups = groups,
		.n_groups = accepted ? n_groups : 0,
		.looked = w->looked,
		.is_known = w->is_known,
		.domain = w->domain.name,
		.max_message_bytes = w->domain.max_message_bytes,
	};
}

struct decision route_decide(const struct router *r, const struct question *q,
			     struct arena *arena)
{
	struct walk w = { .router = r, .q = q, .arena = arena };
	struct outcome o;

	/* One state of the directory for the whole decision. */
	directory_begin(r->directory);
	if (!walk_begin(&w, &o))
		while (!members_step(&w, &o))
			;
	directory_end(r->directory);
	return walk_end(&w, &o);
}

/* What is long is decided on several states of the directory: a group's
 * members on one, where each of them lives on another perhaps. */
static struct decision waits decide_in_turns(const struct router *r,
					     const struct question *q,
					     struct arena *arena)
{
	struct walk w = { .router = r, .q = q, .arena = arena };
	struct outcome o;
	bool ended;

	directory_begin(r->directory);
	ended = walk_begin(&w, &o);
	directory_end(r->directory);
	while (!ended) {
		directory_begin(r->directory);
		ended = members_step(&w, &o);
		directory_end(r->directory);
		if (!ended)
			fiber_yield();
	}
	return walk_end(&w, &o);
}

/* The systems that one recipient may lead to by itself are few. */
enum { ROUNDS = 4 };

struct decision route_answer(const struct router *r, const struct question *q,
			     struct arena *arena)
{
	struct decision d = decide_in_turns(r, q, arena);

	for (int i = 0; i < ROUNDS && !str_empty(d.resolve) && r->callers;
	     i++) {
		callers_resolve(r->callers, d.resolve,
				after_ms(LIMIT_RESOLVE_CALLER_MS));
		d = decide_in_turns(r, q, arena);
	}
	return d;
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
