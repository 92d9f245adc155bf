/*
 * MAIL FROM:<>, RCPT, RSET; over the connections and hosts of a system.
 *
 * A system that refuses the null sender is asked in the name of its domain's
 * postmaster.  What is said to MAIL, or about us, says nothing about the
 * recipient (wire/blame.h).
 *
 * A question may get lost: the other side closes, hangs, or says that there
 * was too much over this connection.  Over one that was used before, that is
 * this connection's story, and it is asked again over a fresh one.  Only when
 * no host takes a fresh connection is the system down.
 *
 * A system that confirms everything is asked for an address that is made up, when
 * the answer is told already (verify.h).
 *
 * It is thrifty: a connection is given up before the other side minds what was
 * asked over it (LIMIT_PROBES_PER_LINE, LIMIT_REFUSALS_PER_LINE).
 */
#include "deliver/probe.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/envelope.h"
#include "deliver/hop_state.h"
#include "deliver/hops.h"
#include "deliver/ledgers.h"
#include "rt/log.h"
#include "rt/random.h"
#include "wire/blame.h"

enum {
	/* One that was used before and is silent for so long is dead. */
	PATIENCE_MS = 5000,
	RESET_MS = 20000,
};

/* ---- one conversation ---- */

static void say_mail_from(struct probe *p, struct str sender)
{
	p->line.peer->begun++;
	stream_sayf(p->line.peer->stream, "MAIL FROM:<%.*s>%s\r\n", STR(sender),
		    p->needs_utf8 ? " SMTPUTF8" : "");
}

static bool waits hear(struct probe *p, struct reply *r)
{
	return peer_reply(p->line.peer, p->arena, r, p->hear_until_ms);
}

/* The reply to RSET is not waited for: probe_end() does. */
static bool waits ask_pipelined(struct probe *p, struct str sender)
{
	struct peer *peer = p->line.peer;

	say_mail_from(p, sender);
	envelope_say_rcpt(peer, p->leg, NULL, STR_NONE, p->arena);
	stream_say(peer->stream, S("RSET\r\n"));
	if (!peer_flush(peer, p->hear_until_ms) || !hear(p, &p->mail) ||
	    !hear(p, &p->rcpt))
		return false;
	p->replies_due = 1;
	return true;
}

static bool waits ask_in_lockstep(struct probe *p, struct str sender)
{
	struct peer *peer = p->line.peer;

	say_mail_from(p, sender);
	if (!peer_flush(peer, p->hear_until_ms) || !hear(p, &p->mail))
		return false;
	p->owes_reset = true;
	if (!reply_is_done(&p->mail))
		return true;
	envelope_say_rcpt(peer, p->leg, NULL, STR_NONE, p->arena);
	return peer_flush(peer, p->hear_until_ms) && hear(p, &p->rcpt);
}

/* RSET and its reply, so that the next MAIL can be said. */
static bool waits clean_up(struct probe *p, int64_t deadline_ms)
{
	struct peer *peer = p->line.peer;
	struct reply r;
	bool ok = true;

	if (p->owes_reset && !peer->is_broken)
		ok = peer_ask(peer, p->arena, S("RSET\r\n"), &r, deadline_ms);
	for (; ok && p->replies_due > 0; p->replies_due--)
		ok = peer_reply(peer, p->arena, &r, deadline_ms);
	p->owes_reset = false;
	p->replies_due = 0;
	return ok && !peer->is_broken;
}

/* From now on it may ask us in turn. */
static void note_said(const struct probe *p)
{
	if (str_empty(p->key)) /* made up: nobody waits for it */
		return;
	verify_said(p->deliver->router->verification,
		    system_key(&p->leg->system, p->arena), p->key);
}

static bool waits ask_as(struct probe *p, struct str sender)
{
	p->mail = p->rcpt = (struct reply){ 0 };
	if (!peer_is_silent(p->line.peer))
		return false;
	p->line.peer->probes++;
	note_said(p);
	return p->line.peer->can.pipelining ? ask_pipelined(p, sender)
					    : ask_in_lockstep(p, sender);
}

static struct str postmaster_of(const struct leg *leg, struct arena *arena)
{
	ptrdiff_t at = str_find_last(leg->address, '@');

	return arena_strf(arena, "postmaster%.*s",
			  STR(str_from(leg->address,
				       at < 0 ? leg->address.n : (size_t)at)));
}

/* Refused for its sender?  Some say so only at RCPT (Postfix's
 * smtpd_delay_reject). */
static bool minds_the_sender(const struct probe *p)
{
	if (!reply_is_done(&p->mail))
		return reply_is_refusal(&p->mail) &&
		       blame_judge(VERB_MAIL, p->needs_utf8, &p->mail).whose !=
			       BLAME_CONNECTION;
	return reply_is_refusal(&p->rcpt) &&
	       blame_judge(VERB_RCPT, false, &p->rcpt).whose == BLAME_MESSAGE;
}

/* The whole question over one connection; false: it was lost. */
static bool waits ask(struct probe *p)
{
	if (!ask_as(p, S("")))
		return false;
	if (!minds_the_sender(p) || p->line.peer->is_broken)
		return true;
	return clean_up(p, p->hear_until_ms) &&
	       ask_as(p, postmaster_of(p->leg, p->arena));
}

/* ---- what it means ---- */

/* Too much over this connection, or it is closing: no word about the address
 * nor about the system. */
static bool is_about_the_line(const struct probe *p)
{
	bool at_rcpt = reply_is_done(&p->mail);
	const struct reply *r = at_rcpt ? &p->rcpt : &p->mail;
	struct judgement j = at_rcpt ? blame_judge(VERB_RCPT, false, r)
				     : blame_judge(VERB_MAIL, p->needs_utf8, r);

	if (host_wants_tls(p->line.host, p->line.peer, r))
		return true;
	return j.whose == BLAME_CONNECTION || j.whose == BLAME_MAIL;
}

static void note_ban(const struct probe *p, enum smtp_verb verb,
		     const struct reply *r)
{
	struct next_hop next = leg_next_hop(p->leg);

	learn_ban(p->deliver, p->line.host, &next, verb, r, p->arena);
}

static void conclude(struct probe *p)
{
	struct judgement j;

	p->verdict = VERDICT_TROUBLE;
	p->reply = p->mail;
	if (!reply_is_done(&p->mail))
		return;
	p->reply = p->rcpt;
	if (reply_is_done(&p->rcpt)) {
		p->verdict = VERDICT_YES;
		return;
	}
	/* Whatever it was, the other side has counted it. */
	p->line.peer->refusals++;
	note_ban(p, VERB_RCPT, &p->rcpt);
	j = blame_judge(VERB_RCPT, false, &p->rcpt);
	p->was_refused =
		j.whose == BLAME_RECIPIENT && j.remedy == REMEDY_REFUSED;
	if (p->was_refused)
		p->verdict = VERDICT_NO;
}

static void cannot_spell(struct probe *p)
{
	p->verdict = VERDICT_NO;
	p->reply = own_reply(p->arena, 550, "5.6.7",
			     "it does not take internationalised mail");
}

/* ---- connections and hosts ---- */

static bool is_worn_out(const struct peer *peer)
{
	return peer->probes >= LIMIT_PROBES_PER_LINE ||
	       peer->refusals >= LIMIT_REFUSALS_PER_LINE;
}

static void waits put_line_back(struct probe *p)
{
	struct peer *peer = p->line.peer;

	if (!peer->is_broken && is_worn_out(peer)) {
		peer->is_worn = true;
		stream_say(peer->stream, S("QUIT\r\n"));
		if (!peer_flush(peer, now_ms()))
			peer->is_broken = true;
	}
	line_release(&p->line);
	p->line = (struct line){ 0 };
}

/* Its words, if it said why; else ours, which are for the log and `status`
 * alone. */
static void remember_why(struct probe *p, bool heard)
{
	if (!heard)
		p->why = own_reply(p->arena, 451, "4.4.2", "%s", cause());
	else
		p->why = reply_is_done(&p->mail) ? p->rcpt : p->mail;
	p->reply = heard ? p->why : (struct reply){ 0 };
	if (heard)
		note_ban(p, reply_is_done(&p->mail) ? VERB_RCPT : VERB_MAIL,
			 &p->why);
}

enum outcome {
	ANSWERED,  /* verdict and reply */
	WORN,      /* not over this connection; a fresh one may do */
	LOST,      /* not over a fresh one, either */
	NO_WAY_IN, /* there is no connection */
};

static enum outcome no_way_in(struct probe *p, const struct trouble *trouble)
{
	p->line = (struct line){ 0 };
	p->is_busy |= trouble->is_busy;
	p->why = trouble->reply;
	p->reply = trouble->is_ours ? (struct reply){ 0 } : p->why;
	return NO_WAY_IN;
}

static enum outcome waits ask_over(struct probe *p, const struct hop *hop,
				   struct line_wish *wish)
{
	int64_t deadline_ms = wish->deadline_ms;
	struct trouble trouble = { 0 };
	bool is_reused, heard;

	if (!line_open(p->deliver, hop, wish, p->arena, &p->line, &trouble))
		return no_way_in(p, &trouble);
	p->was_greeted = true;
	is_reused = p->line.peer->is_reused;
	p->needs_utf8 = !str_is_ascii(p->leg->address);
	p->owes_reset = false;
	p->replies_due = 0;
	if (p->needs_utf8 && !p->line.peer->can.utf8) {
		cannot_spell(p);
		return ANSWERED;
	}
	p->hear_until_ms = is_reused && after_ms(PATIENCE_MS) < deadline_ms
				   ? after_ms(PATIENCE_MS)
				   : deadline_ms;
	heard = ask(p);
	if (heard && !is_about_the_line(p)) {
		conclude(p);
		return ANSWERED;
	}
	remember_why(p, heard);
	p->line.peer->is_broken = true;
	put_line_back(p);
	return is_reused ? WORN : LOST;
}

static enum outcome waits ask_host(struct probe *p, const struct hop *hop,
				   bool in_short)
{
	int64_t until_ms = after_ms(LIMIT_FIRST_HOST_MS);
	struct line_wish wish = {
		.kind = GUEST_QUESTION,
		.is_guess = p->is_guess,
		.has_others = in_short,
		.deadline_ms = in_short && until_ms < p->deadline_ms &&
					       !MUTANT(hosts_share_a_deadline)
				       ? until_ms
				       : p->deadline_ms,
	};
	enum outcome o = ask_over(p, hop, &wish);

	wish.fresh = true;
	if (o == WORN && !fiber_cancelled())
		o = ask_over(p, hop, &wish);
	return o;
}

/*
 * Each host in turn.  With several of them the first round is brisk, so that
 * one that is silent does not use up the time of the next; those that were only
 * slow get the rest of it in a second round.
 */
static bool waits ask_hosts(struct probe *p, const struct hop *hops, size_t n)
{
	bool *was_short = arena_array(p->arena, bool, n);
	int64_t began_ms;

	for (size_t turn = n > 1 ? 0 : 1; turn < 2; turn++)
		for (size_t i = 0; i < n; i++) {
			if (turn > 0 && n > 1 && !was_short[i])
				continue;
			began_ms = now_ms();
			if (ask_host(p, &hops[i], turn == 0) == ANSWERED)
				return true;
			if (fiber_cancelled())
				return false;
			was_short[i] =
				now_ms() - began_ms >= LIMIT_FIRST_HOST_MS;
		}
	return false;
}

/* It takes recipients: what waits for it is tried. */
static void say_back(struct probe *p)
{
	struct next_hop hop = leg_next_hop(p->leg);

	hop_came_back(p->deliver, &hop, p->arena);
}

void probe_ask(struct probe *p)
{
	struct trouble trouble;
	struct hop *hops;
	size_t n;

	p->verdict = VERDICT_DOWN;
	if (!hops_find(p->deliver, p->leg, p->deadline_ms, p->arena, &hops, &n,
		       &trouble))
		p->why = trouble.reply;
	else if (ask_hosts(p, hops, n))
		ledgers_say_up(p->deliver, p->leg, p->arena);
	else if (p->was_greeted || p->is_busy)
		p->verdict = VERDICT_TROUBLE;
	if (fiber_cancelled() && p->verdict != VERDICT_YES &&
	    p->verdict != VERDICT_NO)
		p->verdict = VERDICT_NOT_ASKED;
	if (p->verdict == VERDICT_DOWN)
		ledgers_say_down(p->deliver, p->leg, &p->why, p->arena);
	else if (p->verdict == VERDICT_YES || p->verdict == VERDICT_NO)
		say_back(p);
}

/* ---- does it accept everything? ---- */

static bool wants_proof(const struct probe *p, struct str domain)
{
	return p->verdict == VERDICT_YES && !is_worn_out(p->line.peer) &&
	       !host_fact(p->line.host, HOST_BANS) && !fiber_cancelled() &&
	       !str_empty(domain) &&
	       verify_wants_proof(p->deliver->router->verification,
				  system_key(&p->leg->system, p->arena),
				  domain);
}

static struct str made_up(struct str domain, struct arena *arena)
{
	char random[17];

	random_name(random, sizeof(random) - 1);
	return arena_strf(arena, "no-such-user-%s@%.*s", random, STR(domain));
}

/* One that nobody has, over the connection that has just said yes.  False: it
 * got lost. */
static bool waits prove(struct probe *p)
{
	ptrdiff_t at = str_find_last(p->leg->address, '@');
	struct str domain =
		at < 0 ? STR_NONE : str_from(p->leg->address, (size_t)at + 1);
	struct leg *leg;

	if (!wants_proof(p, domain))
		return true;
	leg = arena_new(p->arena, struct leg);
	*leg = *p->leg;
	leg->address = made_up(domain, p->arena);
	p->leg = leg;
	p->key = STR_NONE;
	p->hear_until_ms = after_ms(RESET_MS);
	if (!ask(p) || is_about_the_line(p))
		return false;
	conclude(p);
	verify_learn_made_up(p->deliver->router->verification,
			     system_key(&leg->system, p->arena), domain,
			     p->verdict);
	if (p->verdict == VERDICT_YES &&
	    host_fact(p->line.host, HOST_SORT) < SORT_ACCEPTS)
		host_learn(p->line.host, HOST_SORT, SORT_ACCEPTS);
	return clean_up(p, after_ms(RESET_MS));
}

void probe_end(struct probe *p)
{
	if (!p->line.slot)
		return;
	if (is_worn_out(p->line.peer))
		p->owes_reset = false;
	if (!clean_up(p, after_ms(RESET_MS)) || !prove(p))
		p->line.peer->is_broken = true;
	put_line_back(p);
}
