/*
 * One round of work on one message: routed, attempted, settled.
 *
 * route() is asked for every recipient at every round.  What it expands is
 * fixed at acceptance: members and shares become recipients of their own, and
 * the group itself ends as DROPPED.  The same mailbox or address reached twice
 * gets the message once: a member that is there already is not added, and a
 * recipient that was given twice follows the first.
 *
 * Invariant: a round is freed when no attempt of it runs, by whoever waited for
 * it, or by the last attempt when it is detached (settle.c).
 */
#include "deliver/round.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/mutants.h"
#include "deliver/content.h"
#include "deliver/fate.h"
#include "deliver/given_back.h"
#include "deliver/peer.h"
#include "route/recipient.h"
#include "rt/fault.h"
#include "rt/log.h"
#include "wire/header.h"

/* SMTPUTF8 that was only declared is not needed by the next system. */
static bool message_needs_utf8(struct message *m)
{
	struct str start = body_in_memory(&m->body);
	char *read = NULL;
	ptrdiff_t n;
	bool needs;

	if (!str_is_ascii(m->sender))
		return true;
	if (!m->is_utf8)
		return false;
	if (m->header.bytes)
		return m->header.is_utf8;
	if (!start.p && m->body.bytes) {
		read = must_alloc(LIMIT_HEADER_BYTES);
		n = body_read(&m->body, 0, read, LIMIT_HEADER_BYTES);
		start = (struct str){ read, n > 0 ? n : 0 };
	}
	needs = header_scan(start).is_utf8;
	free(read);
	return needs;
}

/* ---- from recipients to shares ---- */

/* Where shares end, while they are made: the mailbox or address, and its next
 * hop. */
struct end {
	UT_hash_handle hh;
	struct str key;      /* as share.key */
	struct share *share; /* the first that ends here */
};

struct routing {
	struct round *round;
	struct end *ends;
	struct expansions *expansions;
	size_t since_turn;     /* recipients and legs since others had theirs */
	struct str domain;     /* of ours, that the recipient at hand is of */
	struct str sent_on_as; /* the sender that was logged last */
};

static struct share *share_add(struct routing *g, size_t index)
{
	struct round *round = g->round;
	struct share *s = arena_new(round->arena, struct share);

	if (round->n == round->room) {
		size_t room = round->room ? round->room * 2 : 8;
		struct share **more =
			arena_array(round->arena, struct share *, room);

		if (round->n)
			memcpy(more, round->shares, round->n * sizeof more[0]);
		round->shares = more;
		round->room = room;
	}
	s->index = index;
	s->domain = g->domain;
	s->state = RECIPIENT_WAITING;
	round->shares[round->n++] = s;
	return s;
}

/* A recipient goes where it was given more often than not. */
static struct str leg_key(const struct leg *leg, const struct recipient *r,
			  struct arena *arena)
{
	struct address a;

	if (leg->kind == LEG_MAILBOX)
		return STR_NONE;
	if (r->key.n && str_same(leg->address, r->address))
		return r->key;
	return address_parse(leg->address, arena, &a) ? address_key(&a, arena)
						      : STR_NONE;
}

/* Where LEG ends, which R came to; nobody's yet: its share is NULL. */
static struct end *end_of(struct routing *g, const struct leg *leg,
			  const struct recipient *r)
{
	struct arena *arena = g->round->arena;
	struct next_hop next = leg_next_hop(leg);
	struct str key = leg_key(leg, r, arena), text;
	struct end *e;

	text = arena_strf(arena, "%.*s\n%.*s", STR(next_hop_text(&next, arena)),
			  STR(leg->kind == LEG_MAILBOX ? leg->login
			      : key.n                  ? key
						       : leg->address));
	HASH_FIND(hh, g->ends, text.p, text.n, e);
	if (e && !MUTANT(two_ways_two_copies))
		return e;
	e = arena_new(arena, struct end);
	e->key = key;
	HASH_ADD_KEYPTR(hh, g->ends, text.p, text.n, e);
	return e;
}

static struct next_hop next_hop_kept(const struct leg *leg, struct arena *arena)
{
	struct next_hop next = leg_next_hop(leg);

	next.name = arena_str(arena, next.name);
	return next;
}

static enum recipient_part leg_part(const struct leg *leg)
{
	if (!leg->is_split)
		return PART_WHOLE;
	if (leg->is_copy)
		return PART_COPY;
	return leg->is_here ? PART_HERE : PART_THERE;
}

/* The sender it is sent on with is the same at each attempt. */
static void fix_sender(struct routing *g, struct recipient *r, struct leg *leg)
{
	struct round *round = g->round;
	struct message *m = round->message;

	if (!leg_leaves(leg))
		return;
	if (!r->sender.n && leg->sender.n) {
		r->sender = arena_str(m->arena, leg->sender);
		if (!str_same(g->sent_on_as, r->sender))
			log_fact("qmgr", "%s: sent on as from=<%s>", m->id,
				 log_safe(round->arena, r->sender,
					  LIMIT_PATH_BYTES));
		g->sent_on_as = r->sender;
	}
	if (!MUTANT(sent_on_once_only))
		leg->sender = r->sender;
}

/* Recipient INDEX takes LEG, which ends in E. */
static void take_leg(struct routing *g, size_t index, const struct leg *leg,
		     struct end *e)
{
	struct round *round = g->round;
	struct message *m = round->message;
	struct share *s = share_add(g, index);

	s->leg = *leg;
	s->key = e->key;
	fix_sender(g, &m->recipients[index], &s->leg);
	m->recipients[index].next_hop = next_hop_kept(leg, m->arena);
	if (leg->is_split)
		m->recipients[index].part = leg_part(leg);
	if (e->share) {
		s->follows = e->share;
		round->has_followers = true;
	} else {
		e->share = s;
	}
}

/* A leg that is nobody's yet: a recipient of its own, unless the message goes
 * there already. */
static void add_leg(struct routing *g, size_t from, const struct leg *leg)
{
	struct message *m = g->round->message;
	struct recipient like = m->recipients[from], *r;
	struct end *e = end_of(g, leg, &like);
	size_t index = m->n;

	if (e->share || (MUTANT(fifth_by_expansion_is_lost) && index == 4))
		return;
	r = message_add(m, leg->address);
	r->orcpt = like.orcpt;
	r->notify = like.notify;
	r->is_member = like.is_member || leg->is_member;
	r->part = leg_part(leg);
	r->trail = MUTANT(member_forgets_its_group)
			   ? like.trail
			   : arena_str(m->arena, leg->trail);
	r->is_ours = !leg_leaves(leg);
	r->delay_told = like.delay_told;
	r->attempts = like.attempts;
	r->state = RECIPIENT_WAITING;
	take_leg(g, index, leg, e);
}

/* What route() itself answers. */
static void answer_share(struct routing *g, size_t index,
			 enum recipient_state state, struct reply reply)
{
	struct share *s = share_add(g, index);

	s->state = state;
	s->reply = reply;
	s->leg.kind = LEG_INTERNET;
	s->leg.address = g->round->message->recipients[index].address;
	fate_answered(g->round, s);
}

static struct decision ask_route(struct round *round,
				 struct expansions *expansions, size_t index,
				 const struct address *address)
{
	const struct message *m = round->message;
	struct waiting_mail mail = { m->as, &m->sender, m->body.bytes };
	struct question q = recipient_question(&m->recipients[index],
					       &round->asker, address, &mail);

	q.peer = message_caller(m);
	q.expansions = expansions;
	q.is_retry = round->is_retry;
	return route_answer(round->deliver->router, &q, round->arena);
}

/* Shares of its own first: who was named takes precedence over members. */
static bool take_own_legs(struct routing *g, size_t index,
			  const struct decision *d)
{
	bool taken = false;

	for (size_t i = 0; i < d->n; i++) {
		if (d->legs[i].is_member)
			continue;
		if (taken)
			add_leg(g, index, &d->legs[i]);
		else
			take_leg(g, index, &d->legs[i],
				 end_of(g, &d->legs[i],
					&g->round->message->recipients[index]));
		taken = true;
	}
	return taken;
}

/* A mail may become many recipients: others are served in between. */
static void take_turns(struct routing *g, size_t more)
{
	g->since_turn += more;
	if (g->since_turn < LIMIT_ROUTE_STEP)
		return;
	g->since_turn = 0;
	fiber_yield();
}

static struct decision route_recipient(struct routing *g, size_t index)
{
	struct message *m = g->round->message;
	struct recipient *r = &m->recipients[index];
	struct decision d = { .action = ROUTE_REFUSE };

	r->parsed = recipient_parsed(r, m->arena);
	r->state = RECIPIENT_WAITING;
	if (r->bounce_wanted)
		d.reply = waiting_given_up();
	else if (g->round->message->damage)
		d = (struct decision){
			.action = ROUTE_LATER,
			.reply = content_unreadable(g->round->arena),
		};
	else if (r->parsed)
		d = ask_route(g->round, g->expansions, index, r->parsed);
	else
		d.reply =
			own_reply(g->round->arena, 553, "5.1.3", "%s", cause());
	if (g->round->is_retry)
		waiting_stays_ours(r, &d, g->round->arena);
	r->is_ours = !str_empty(d.domain) ||
		     (r->is_ours && !MUTANT(ours_is_what_is_ours_now));
	g->domain = d.domain;
	expansions_note(g->expansions, &d);
	switch (d.action) {
	case ROUTE_REFUSE:
		answer_share(g, index, RECIPIENT_REFUSED, d.reply);
		d.n = 0;
		break;
	case ROUTE_LATER:
		r->next_hop = (struct next_hop){ NEXT_HOP_UNDECIDED, S("") };
		answer_share(g, index, RECIPIENT_LATER, d.reply);
		d.n = 0;
		break;
	case ROUTE_DELIVER:
	case ROUTE_RELAY:
	case ROUTE_EXPAND:
	case ROUTE_BOTH:
		if (!take_own_legs(g, index, &d))
			g->round->message->recipients[index].state =
				RECIPIENT_DROPPED;
		break;
	}
	return d;
}

static void add_members(struct routing *g, size_t index,
			const struct decision *d)
{
	g->domain = d->domain;
	for (size_t i = 0; i < d->n; i++) {
		if (d->legs[i].is_member)
			add_leg(g, index, &d->legs[i]);
		take_turns(g, 1);
	}
}

static bool is_due(const struct recipient *r)
{
	return r->state == RECIPIENT_WAITING || r->state == RECIPIENT_LATER;
}

static void route_all(struct round *round)
{
	struct message *m = round->message;
	struct routing g = { .round = round,
			     .expansions = expansions_open(round->arena) };
	size_t n = m->n;
	struct decision *d = arena_array(round->arena, struct decision, n);

	for (size_t i = 0; i < n; i++)
		if (is_due(&m->recipients[i])) {
			d[i] = route_recipient(&g, i);
			take_turns(&g, 1 + d[i].n);
		}
	for (size_t i = 0; i < n; i++)
		add_members(&g, i, &d[i]);
	HASH_CLEAR(hh, g.ends);
	expansions_close(g.expansions);
	if (round->asker.kind != ASKER_USER && round->asker.kind != ASKER_LOCAL)
		return;
	/* A local one is Sieve's, and the delivery to a mailbox waits for it. */
	for (size_t i = 0; i < round->n; i++) {
		const struct leg *leg = &round->shares[i]->leg;

		if (round->shares[i]->state == RECIPIENT_WAITING &&
		    (round->asker.kind == ASKER_LOCAL ||
		     leg->kind == LEG_INTERNET ||
		     (leg->kind == LEG_SYSTEM && leg->system.smart_host)))
			round->keeps_first = true;
	}
}

/* Its mail was accepted, and is asked for as what waits is, at its first round, too:
 * a domain that was taken away meanwhile may come back. */
bool share_is_refused_now(struct round *round, struct share *s)
{
	const struct message *m = round->message;
	struct waiting_mail mail = { m->as, &m->sender, m->body.bytes };
	struct decision d = route_answer_waiting(round->deliver->router,
						 &m->recipients[s->index],
						 &mail, round->arena);

	if (d.action != ROUTE_REFUSE)
		return false;
	s->reply = d.reply;
	return true;
}

/* ---- the life of a round ---- */

struct round *round_new(struct deliver *d, struct message *m,
			const struct asker *asker)
{
	struct arena *arena = arena_open();
	struct round *round = arena_new(arena, struct round);
	bool is_retry = !asker;

	round->arena = arena;
	round->deliver = d;
	round->message = m;
	round->is_retry = is_retry;
	round->asker =
		asker ? *asker
		      : waiting_asker(d->router->directory, m->as, arena);
	round->next = d->rounds;
	if (round->next)
		round->next->prev = round;
	d->rounds = round;
	d->busy++;
	d->scheduled += is_retry;
	round->needs_utf8 = message_needs_utf8(m);
	log_fact("qmgr", "%s: from=<%s>, size=%llu, nrcpt=%zu (%s)", m->id,
		 log_safe(arena, m->sender, LIMIT_PATH_BYTES),
		 (unsigned long long)m->body.bytes, m->n,
		 is_retry ? "queue active" : "accepted");
	fault_here("route", m->sender);
	route_all(round);
	if (!is_retry)
		round_drop_given(round);
	return round;
}

void round_free(struct round *round)
{
	struct deliver *d = round->deliver;

	check(!round->running);
	round_forget_given(round);
	if (round->prev)
		round->prev->next = round->next;
	else
		d->rounds = round->next;
	if (round->next)
		round->next->prev = round->prev;
	d->busy--;
	d->scheduled -= round->is_retry;
	if (round->is_retry)
		gate_open(&d->turn);
	message_drop(round->message);
	arena_close(round->arena);
	gate_open(&d->quiet);
}
