/*
 * Asking another system, while the client waits at RCPT, whether it has an
 * address: MAIL FROM:<>, RCPT, RSET on a pooled connection.
 *
 * A system that refuses the null sender is asked in the name of its domain's
 * postmaster.  What is said to MAIL says nothing about the recipient.
 */
#include "deliver/remote.h"

#include "base/limits.h"
#include "deliver/envelope.h"
#include "route/verify.h"
#include "rt/counter.h"
#include "rt/log.h"

struct probe {
	struct peer *peer;
	const struct leg *leg;
	struct arena *arena;
	int64_t deadline_ms;
	struct reply mail, rcpt;
	struct reply why; /* of the last host that could not be asked */
	bool needs_utf8;
};

static void say_mail_from(struct probe *q, struct str sender)
{
	stream_sayf(q->peer->stream, "MAIL FROM:<%.*s>%s\r\n", STR(sender),
	            q->needs_utf8 ? " SMTPUTF8" : "");
}

static bool hear(struct probe *q, struct reply *r)
{
	return peer_reply(q->peer, q->arena, r, q->deadline_ms);
}

static bool ask_pipelined(struct probe *q, struct str sender)
{
	struct reply reset;

	say_mail_from(q, sender);
	envelope_say_rcpt(q->peer, q->leg, NULL, q->arena);
	stream_say(q->peer->stream, S("RSET\r\n"));
	return peer_flush(q->peer, q->deadline_ms) && hear(q, &q->mail) &&
	       hear(q, &q->rcpt) && hear(q, &reset);
}

static bool ask_in_lockstep(struct probe *q, struct str sender)
{
	struct reply reset;

	say_mail_from(q, sender);
	if (!peer_flush(q->peer, q->deadline_ms) || !hear(q, &q->mail))
		return false;
	if (reply_is_done(&q->mail)) {
		envelope_say_rcpt(q->peer, q->leg, NULL, q->arena);
		if (!peer_flush(q->peer, q->deadline_ms) || !hear(q, &q->rcpt))
			return false;
	}
	return peer_ask(q->peer, q->arena, S("RSET\r\n"), &reset,
	                q->deadline_ms);
}

static bool ask_as(struct probe *q, struct str sender)
{
	if (!peer_is_silent(q->peer))
		return false;
	return q->peer->can.pipelining ? ask_pipelined(q, sender)
	                               : ask_in_lockstep(q, sender);
}

static struct str postmaster_of(const struct leg *leg, struct arena *arena)
{
	ptrdiff_t at = str_find_last(leg->address, '@');

	return arena_strf(arena, "postmaster%.*s",
	                  STR(str_from(leg->address,
	                               at < 0 ? leg->address.n : (size_t)at)));
}

/* The whole question over one connection; false: it was lost. */
static bool ask(struct probe *q)
{
	if (!ask_as(q, S("")))
		return false;
	if (!reply_is_refusal(&q->mail) || q->peer->is_broken)
		return true;
	return ask_as(q, postmaster_of(q->leg, q->arena));
}

static enum verdict verdict_of(const struct probe *q)
{
	if (!reply_is_done(&q->mail))
		return VERDICT_TROUBLE;
	if (reply_is_done(&q->rcpt))
		return VERDICT_YES;
	return reply_is_refusal(&q->rcpt) ? VERDICT_NO : VERDICT_TROUBLE;
}

/* One connection, pooled or FRESH.  True: *verdict and *reply are the answer.
 */
static bool ask_hop(struct deliver *d, const struct hop *hop, struct probe *q,
                    bool fresh, enum verdict *verdict, struct reply *reply)
{
	struct trouble trouble;
	struct line line;
	bool was_dead, heard;

	if (!line_open(d, hop, fresh, q->deadline_ms, q->arena, &line,
	               &trouble)) {
		q->why = trouble.reply;
		*reply = trouble.is_ours ? (struct reply){ 0 } : trouble.reply;
		return false;
	}
	q->peer = line.peer;
	q->needs_utf8 = !str_is_ascii(q->leg->address);
	if (q->needs_utf8 && !line.peer->can.utf8) {
		*verdict = VERDICT_NO;
		*reply = own_reply(q->arena, 550, "5.6.7",
		                   "it does not take internationalised mail");
		line_release(&line);
		return true;
	}
	heard = ask(q);
	if (!heard)
		q->why = own_reply(q->arena, 451, "4.4.2", "%s", cause());
	was_dead = !heard && line.peer->is_reused && !line.peer->has_spoken;
	if (!heard)
		line.peer->is_broken = true;
	line_release(&line);
	if (was_dead)
		return ask_hop(d, hop, q, true, verdict, reply);
	if (!heard) {
		*reply = (struct reply){ 0 };
		return false;
	}
	*verdict = verdict_of(q);
	*reply = reply_is_done(&q->mail) ? q->rcpt : q->mail;
	return true;
}

static enum verdict ask_system(struct deliver *d, const struct leg *leg,
                               struct arena *arena, struct reply *reply)
{
	struct probe q = {
		.leg = leg,
		.arena = arena,
		.deadline_ms = after_ms(LIMIT_PROBE_MS),
	};
	enum verdict verdict = VERDICT_TROUBLE;
	struct trouble trouble;
	struct hop *hops;
	size_t i = 0, n;

	*reply = (struct reply){ 0 };
	if (!hops_find(d, leg, q.deadline_ms, arena, &hops, &n, &trouble)) {
		ledgers_say_down(d, leg, &trouble.reply, arena);
		return VERDICT_TROUBLE;
	}
	while (i < n && !ask_hop(d, &hops[i], &q, false, &verdict, reply))
		i++;
	if (i < n)
		ledgers_say_up(d, leg, arena);
	else
		ledgers_say_down(d, leg, &q.why, arena);
	return fiber_cancelled() ? VERDICT_NOT_ASKED : verdict;
}

void deliver_probe(struct deliver *d, const struct leg *leg,
                   struct str address_key)
{
	struct verification *v = d->router->verification;
	struct arena *arena;
	struct reply reply;
	enum verdict verdict;

	if (!v || leg->kind != LEG_SYSTEM ||
	    !verify_begin(v, leg->system.name, address_key))
		return;
	arena = arena_open();
	count(COUNT_PROBES);
	verdict = ask_system(d, leg, arena, &reply);
	verify_end(v, leg->system.name, address_key, verdict, &reply);
	arena_close(arena);
}
