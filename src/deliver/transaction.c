/*
 * MAIL, RCPT..., DATA or BDAT, as a client says them.
 *
 *	lockstep	MAIL ◀ RCPT ◀ ... DATA ◀ body . ◀
 *	pipelined	MAIL RCPT... DATA ◀◀◀ body . ◀		(RFC 2920)
 *	one shot	MAIL RCPT... BDAT body LAST ◀◀◀◀	(RFC 3030)
 *	first chunk	MAIL RCPT... BDAT head ◀◀◀ BDAT body LAST ◀
 *
 * One shot is for a small body and a connection that has already taken a mail:
 * when all recipients are refused, the peer has to swallow the chunk and say no
 * to it, so the connection is closed after any refusal.  A host of which nobody
 * knows that BDAT works gets a first chunk: what becomes of it cannot be a
 * delivery, so whatever the host does with it, the mail goes on by DATA.
 *
 * Invariant: a share leaves WAITING only for what the peer said about it, or
 * when the whole content was sent and the answer to it is missing (is_open).
 */
#include "deliver/transaction_inside.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/addressed.h"
#include "deliver/content.h"
#include "deliver/envelope.h"
#include "rt/log.h"

enum { RSET_MS = 10000 };

/* ---- what can go at all ---- */

static bool needs_utf8(const struct transaction *t, const struct share *s)
{
	return t->round->needs_utf8 || !str_is_ascii(s->leg.address);
}

/* The same for all of one attempt. */
static struct str sender_of(const struct transaction *t, const struct share *s)
{
	return s->leg.sender.n ? s->leg.sender : t->message->sender;
}

/* Refused by us on behalf of the peer; code 0: it can go. */
static struct reply objection(struct transaction *t, const struct share *s)
{
	struct arena *a = t->round->arena;
	const struct capabilities *can = &t->peer->can;

	if (!envelope_is_safe(s->leg.address) ||
	    !envelope_is_safe(sender_of(t, s)))
		return own_reply(a, 553, "5.1.3", "bad address");
	/* Dovecot 2.3 takes no such recipient, whatever it is told. */
	if (t->peer->is_lmtp && !str_is_ascii(s->leg.login))
		return own_reply(a, 550, "5.6.7",
				 "mailboxes have names in ASCII");
	if (!t->peer->is_lmtp && !can->utf8 && needs_utf8(t, s))
		return own_reply(a, 550, "5.6.7",
				 "the next system does not take "
				 "internationalised mail (SMTPUTF8)");
	if (can->size && content_bytes(t->message, t->head) > can->size)
		return own_reply(a, 552, "5.3.4",
				 "the next system takes no more than %llu "
				 "bytes",
				 (unsigned long long)can->size);
	return (struct reply){ 0 };
}

static void keep_those_that_can_go(struct transaction *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct share *s = t->shares[i];
		struct reply no = objection(t, s);

		s->is_sent = false;
		if (!MUTANT(yes_of_another_connection))
			s->is_accepted = false;
		if (no.code)
			transaction_settle(t, s, RECIPIENT_REFUSED, &no);
		else
			t->shares[n++] = s;
	}
	t->n = n;
}

/* ---- the envelope ---- */

static bool any_needs_utf8(const struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (needs_utf8(t, t->shares[i]))
			return true;
	return false;
}

static void say_mail(struct transaction *t)
{
	envelope_say_mail(t->peer, t->message, sender_of(t, t->shares[0]),
			  content_bytes(t->message, t->head),
			  any_needs_utf8(t));
}

static void say_share(struct transaction *t, const struct share *s)
{
	const struct recipient *r = &t->message->recipients[s->index];
	struct str original = STR_NONE;

	if (t->peer->is_lmtp)
		original = addressed_original(
			t->round->deliver->router->directory, &s->leg,
			r->address, t->header, t->round->arena);
	envelope_say_rcpt(t->peer, &s->leg, r, original, t->round->arena);
}

static void leave_out_parameters(struct capabilities *can)
{
	can->size_said = can->eightbit = can->dsn = can->xtrail = false;
}

/* ---- the content ---- */

/* Nobody else would get more of it: all shares that wait go on doing so. */
static bool cannot_read(struct transaction *t)
{
	log_error("smtp", "%s: cannot be sent: %s", t->message->id, cause());
	t->peer->is_broken = true; /* no dot may follow */
	t->message->damage = "it could not be read to its end";
	t->remains.is_ours = true;
	return false;
}

static bool waits send_content(struct transaction *t)
{
	bool at_line_start;

	switch (content_say(t->peer, t->message, t->head, &at_line_start)) {
	case CONTENT_SAID:
		break;
	case CONTENT_LOST:
		return transaction_trouble(t);
	case CONTENT_UNREADABLE:
		return cannot_read(t);
	}
	if (!hear_no_refusal(t))
		return false;
	if (!at_line_start)
		stream_say(t->peer->stream, S("\r\n"));
	stream_say(t->peer->stream, S(".\r\n"));
	transaction_note_sent(t, true);
	return peer_flush(t->peer, content_deadline(t->message, t->head)) ||
	       transaction_left_open(t);
}

/* ---- the ways ---- */

/* Nobody wants the content: an empty one ends the state (RFC 2920 3.1). */
static void waits send_nothing(struct transaction *t)
{
	struct reply ignored;

	stream_say(t->peer->stream, S(".\r\n"));
	if (!peer_flush(t->peer, reply_deadline(t)) ||
	    !peer_reply(t->peer, t->round->arena, &ignored, reply_deadline(t)))
		t->peer->is_broken = true;
}

static bool waits envelope_in_lockstep(struct transaction *t)
{
	struct peer *p = t->peer;

	say_mail(t);
	if (!transaction_flush(t) || !hear_mail(t) || !reply_is_done(&t->mail))
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (!peer_is_silent(p))
			return transaction_trouble(t);
		say_share(t, t->shares[i]);
		if (!transaction_flush(t) || !hear_rcpt(t, t->shares[i]))
			return false;
		if (t->remains.remedy == REMEDY_FURTHER)
			break;
	}
	if (!t->n_accepted)
		return false;
	if (!peer_is_silent(p))
		return transaction_trouble(t);
	stream_say(p->stream, S("DATA\r\n"));
	return transaction_flush(t) && hear_data(t);
}

static void say_envelope(struct transaction *t)
{
	say_mail(t);
	for (size_t i = 0; i < t->n; i++)
		say_share(t, t->shares[i]);
}

static bool waits hear_envelope(struct transaction *t)
{
	if (!hear_mail(t))
		return false;
	for (size_t i = 0; i < t->n; i++) {
		size_t at = MUTANT(replies_are_turned_round) ? t->n - 1 - i : i;

		if (!hear_rcpt(t, t->shares[at]))
			return false;
	}
	return true;
}

static bool waits envelope_pipelined(struct transaction *t)
{
	say_envelope(t);
	stream_say(t->peer->stream, S("DATA\r\n"));
	if (!transaction_flush(t) || !hear_envelope(t) || !hear_data(t))
		return false;
	if (t->n_accepted)
		return true;
	send_nothing(t);
	return false;
}

static void waits step_by_step(struct transaction *t)
{
	bool may_send = t->peer->can.pipelining ? envelope_pipelined(t)
						: envelope_in_lockstep(t);
	struct reply ignored;

	if (may_send && send_content(t))
		hear_outcome(t, VERB_DOT);
	else if (!t->is_sent && !t->peer->is_broken &&
		 !peer_ask(t->peer, t->round->arena, S("RSET\r\n"), &ignored,
			   after_ms(RSET_MS)))
		t->peer->is_broken = true;
}

static bool can_chunk(const struct transaction *t)
{
	const struct peer *p = t->peer;

	return p->can.chunking && p->can.pipelining && p->is_proved &&
	       !p->is_lmtp && transaction_is_in_memory(t) &&
	       !t->manner->no_chunking;
}

/* The content, or what is LEFT of it behind a first chunk. */
static void say_last_chunk(struct transaction *t, struct str head)
{
	struct stream *s = t->peer->stream;
	const struct body *body = &t->message->body;

	stream_sayf(s, "BDAT %llu LAST\r\n",
		    (unsigned long long)content_bytes(t->message, head));
	stream_say(s, head);
	stream_say(s, body_in_memory(body));
	if (body->bytes && !body->ends_with_crlf)
		stream_say(s, S("\r\n"));
}

/*
 * Before the envelope was answered.  A connection that lay in the pool and was
 * closed without a word was dead before the mail was sent; one that was closed
 * among the answers has most likely no use for the rest.  What happens to be in
 * both connections then would be so after any retry.  One that is silent, or
 * does not read on, may have the mail.
 */
static void lost_in_one_shot(struct transaction *t)
{
	bool was_dead = t->peer->is_reused && !t->peer->has_spoken;

	if (t->peer->loss != LOSS_CLOSED) {
		fail("%.*s", STR(t->remains.trouble.reply.text));
		transaction_left_open(t);
		return;
	}
	transaction_note_sent(t, false);
	t->manner->no_chunking = !was_dead;
	t->remains.remedy = REMEDY_FRESH;
}

/* The envelope was not answered as a whole: the connection is lost, or what was
 * said to it says that the mail goes no further. */
static void refused_in_one_shot(struct transaction *t)
{
	if (t->remains.remedy == REMEDY_NONE)
		lost_in_one_shot(t);
	else
		transaction_note_sent(t, false);
}

static void waits one_shot(struct transaction *t)
{
	say_envelope(t);
	say_last_chunk(t, t->head);
	if (!transaction_flush(t))
		return;
	transaction_note_sent(t, true);
	if (!hear_envelope(t)) {
		refused_in_one_shot(t);
		return;
	}
	if (t->n_accepted)
		hear_outcome(t, VERB_BDAT);
	if (t->n_accepted < t->n)
		t->peer->is_broken = true;
}

/* BDAT is of no use here: whatever has become of the chunk is no mail. */
static void give_up_chunking(struct transaction *t, const struct reply *r,
			     bool is_said)
{
	t->peer->is_broken = true;
	t->manner->no_chunking = true;
	if (is_said)
		host_learn(t->host, HOST_NO_CHUNKING, 1);
	else
		host_failed_at(t->host, HOST_NO_CHUNKING, HOST_CHUNKING);
	t->remains.remedy = REMEDY_PLAIN;
	trouble_said(&t->remains.trouble, r);
}

static void waits first_chunk(struct transaction *t)
{
	struct stream *s = t->peer->stream;
	struct reply r = { .code = 451 };
	bool is_said;

	say_envelope(t);
	stream_sayf(s, "BDAT %zu\r\n", t->head.n);
	stream_say(s, t->head);
	if (!transaction_flush(t) || !hear_envelope(t))
		return;
	if (!t->n_accepted) {
		t->peer->is_broken = true;
		return;
	}
	is_said = peer_reply(t->peer, t->round->arena, &r,
			     after_ms(LIMIT_CHUNK_MS));
	if (!is_said || !reply_is_done(&r)) {
		give_up_chunking(t, &r, is_said);
		return;
	}
	host_works_at(t->host, HOST_NO_CHUNKING, HOST_CHUNKING);
	say_last_chunk(t, STR_NONE);
	if (!transaction_flush(t))
		return;
	transaction_note_sent(t, true);
	hear_outcome(t, VERB_BDAT);
}

static void waits one_way_or_another(struct transaction *t)
{
	if (!peer_is_silent(t->peer))
		transaction_trouble(t);
	else if (!can_chunk(t))
		step_by_step(t);
	else if (host_fact(t->host, HOST_CHUNKING) || !t->head.n)
		one_shot(t);
	else
		first_chunk(t);
}

struct remains waits transaction_run(struct peer *p, struct host_state *host,
				     struct manner *manner, struct round *round,
				     struct share **shares, size_t n)
{
	struct transaction t = {
		.peer = p,
		.host = host,
		.manner = manner,
		.round = round,
		.message = round->message,
		.n = n,
		.is_plain = manner->no_parameters,
	};
	struct capabilities can = p->can;
	struct header_summary unused;

	t.shares = arena_array(round->arena, struct share *, n);
	memcpy(t.shares, shares, n * sizeof shares[0]);
	t.head = content_head(round, shares, n, p->is_lmtp);
	if (t.is_plain)
		leave_out_parameters(&p->can);
	keep_those_that_can_go(&t);
	if (t.n && p->is_lmtp)
		t.header = body_header(&round->message->body, round->arena,
				       &unused);
	if (t.n)
		one_way_or_another(&t);
	p->can = can;
	return t.remains;
}
