/*
 * MAIL, RCPT..., DATA or BDAT, as a client says them.
 *
 *	lockstep	MAIL ◀ RCPT ◀ ... DATA ◀ body . ◀
 *	pipelined	MAIL RCPT... DATA ◀◀◀ body . ◀		(RFC 2920)
 *	one shot	MAIL RCPT... BDAT body LAST ◀◀◀◀	(RFC 3030)
 *
 * The bytes go out as they came in: our trace header in front, dots stuffed,
 * nothing else.  One shot is for a small body and a connection that has already
 * taken a mail: when all recipients are refused, the peer has to swallow the
 * chunk and say no to it, so the connection is closed after any refusal.
 *
 * Invariant: a share leaves WAITING only for what the peer said about it, or
 * when the whole content was sent and the answer to it is missing (is_open).
 */
#include "deliver/transaction.h"

#include <stdlib.h>

#include "base/limits.h"
#include "deliver/envelope.h"
#include "wire/data.h"

enum { PIECE_BYTES = 32768, TRAIL_LINE_BYTES = 900, RSET_MS = 10000 };

struct transaction {
	struct peer *peer;
	struct job *job;
	struct message *message;
	struct share **shares; /* those that can go */
	size_t n, n_accepted;
	struct str head;   /* our header lines */
	struct reply mail; /* the answer to MAIL */
	struct trouble *trouble;
	bool is_one_shot;
	bool is_sent; /* the whole content is out */
};

static void set_outcome(struct transaction *t, struct share *s,
                        enum recipient_state state, const struct reply *r)
{
	s->state = state;
	s->reply = *r;
	s->remote = arena_str(t->job->arena, str_of(t->peer->name));
}

/* What the reply's first digit means; WAITING: nothing it may say here. */
static enum recipient_state judge(const struct reply *r)
{
	switch (r->code / 100) {
	case 2:
		return RECIPIENT_DONE;
	case 4:
		return RECIPIENT_LATER;
	case 5:
		return RECIPIENT_REFUSED;
	}
	return RECIPIENT_WAITING;
}

/* The host is no good now; its shares stay WAITING. */
static bool host_trouble(struct transaction *t)
{
	t->peer->is_broken = true;
	t->trouble->reply =
	        own_reply(t->job->arena, 451, "4.4.2", "%s", cause());
	t->trouble->is_ours = true;
	return false;
}

static bool host_said(struct transaction *t, const struct reply *r)
{
	t->peer->is_broken = true;
	t->trouble->reply = *r;
	t->trouble->is_ours = false;
	return false;
}

static bool unexpected(struct transaction *t, const char *to,
                       const struct reply *r)
{
	fail("%s answered %s with %d", t->peer->name, to, r->code);
	return host_trouble(t);
}

/* ---- what can go at all ---- */

static bool needs_utf8(const struct transaction *t, const struct share *s)
{
	return t->job->needs_utf8 || !str_is_ascii(s->leg.address);
}

static uint64_t content_bytes(const struct transaction *t)
{
	const struct body *b = &t->message->body;

	return t->head.n + b->bytes + (b->bytes && !b->ends_with_crlf ? 2 : 0);
}

/* Refused by us on behalf of the peer; code 0: it can go. */
static struct reply objection(struct transaction *t, const struct share *s)
{
	struct arena *a = t->job->arena;
	const struct capabilities *can = &t->peer->can;

	if (!envelope_is_safe(s->leg.address) ||
	    !envelope_is_safe(t->message->sender))
		return own_reply(a, 553, "5.1.3", "bad address");
	/* Dovecot 2.3 takes no such recipient, whatever it is told. */
	if (t->peer->is_lmtp && !str_is_ascii(s->leg.login))
		return own_reply(a, 550, "5.6.7",
		                 "mailboxes have names in ASCII");
	if (!t->peer->is_lmtp && !can->utf8 && needs_utf8(t, s))
		return own_reply(a, 550, "5.6.7",
		                 "the next system does not take "
		                 "internationalised mail (SMTPUTF8)");
	if (can->size && content_bytes(t) > can->size)
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

		s->is_accepted = false;
		if (no.code)
			set_outcome(t, s, RECIPIENT_REFUSED, &no);
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
	envelope_say_mail(t->peer, t->message, content_bytes(t),
	                  any_needs_utf8(t));
}

static void say_share(struct transaction *t, const struct share *s)
{
	envelope_say_rcpt(t->peer, &s->leg, &t->message->recipients[s->index],
	                  t->job->arena);
}

/* ---- the answers ---- */

static bool flush(struct transaction *t)
{
	return peer_flush(t->peer, after_ms(LIMIT_REPLY_MS)) || host_trouble(t);
}

static bool hear(struct transaction *t, struct reply *r)
{
	return peer_reply(t->peer, t->job->arena, r,
	                  after_ms(LIMIT_REPLY_MS)) ||
	       host_trouble(t);
}

static bool hear_mail(struct transaction *t)
{
	struct reply *r = &t->mail;

	if (!hear(t, r))
		return false;
	if (r->code == 421)
		return host_said(t, r);
	if (judge(r) == RECIPIENT_WAITING)
		return unexpected(t, "MAIL", r);
	if (judge(r) != RECIPIENT_DONE)
		for (size_t i = 0; i < t->n; i++)
			set_outcome(t, t->shares[i], judge(r), r);
	return true;
}

static bool hear_rcpt(struct transaction *t, struct share *s)
{
	struct reply r;

	if (!hear(t, &r))
		return false;
	if (s->state != RECIPIENT_WAITING) /* MAIL was refused */
		return true;
	if (r.code == 421)
		return host_said(t, &r);
	switch (judge(&r)) {
	case RECIPIENT_DONE:
		s->is_accepted = true;
		t->n_accepted++;
		return true;
	case RECIPIENT_LATER:
	case RECIPIENT_REFUSED:
		s->at_rcpt = true;
		set_outcome(t, s, judge(&r), &r);
		return true;
	case RECIPIENT_WAITING:
	case RECIPIENT_DROPPED:
		break;
	}
	return unexpected(t, "RCPT", &r);
}

static void set_accepted(struct transaction *t, enum recipient_state state,
                         const struct reply *r)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->shares[i]->is_accepted)
			set_outcome(t, t->shares[i], state, r);
}

/* May the content be sent? */
static bool hear_data(struct transaction *t)
{
	struct reply r;

	if (!hear(t, &r))
		return false;
	if (r.code == 354) {
		/* A reply to the content before the content. */
		if (!peer_is_silent(t->peer))
			return host_trouble(t);
		return true;
	}
	if (!t->n_accepted)
		return false;
	if (r.code == 421)
		return host_said(t, &r);
	if (r.code < 400)
		return unexpected(t, "DATA", &r);
	set_accepted(t, judge(&r), &r);
	return false;
}

/* The content is out and no answer came: perhaps it was delivered. */
static bool left_open(struct transaction *t)
{
	struct reply r = own_reply(t->job->arena, 451, "4.4.2",
	                           "no answer to the message: %s", cause());

	t->peer->is_broken = true;
	for (size_t i = 0; i < t->n; i++) {
		struct share *s = t->shares[i];

		if (s->state != RECIPIENT_WAITING)
			continue;
		set_outcome(t, s, RECIPIENT_LATER, &r);
		s->is_open = true;
	}
	return false;
}

static bool hear_final(struct transaction *t, struct reply *r)
{
	if (!peer_reply(t->peer, t->job->arena, r,
	                after_ms(LIMIT_FINAL_REPLY_MS)))
		return left_open(t);
	if (judge(r) != RECIPIENT_WAITING)
		return true;
	fail("%s answered the message with %d", t->peer->name, r->code);
	return left_open(t);
}

static void settle_share(struct transaction *t, struct share *s,
                         const struct reply *r)
{
	set_outcome(t, s, judge(r), r);
	s->dsn_goes_on = t->peer->can.dsn && !t->peer->is_lmtp;
}

/* SMTP says it once for all, LMTP once for each (RFC 2033 4.2). */
static void hear_outcome(struct transaction *t)
{
	struct reply r = { 0 };

	if (!t->peer->is_lmtp && !hear_final(t, &r))
		return;
	for (size_t i = 0; i < t->n; i++) {
		struct share *s = t->shares[i];

		if (!s->is_accepted)
			continue;
		if (t->peer->is_lmtp && !hear_final(t, &r))
			return;
		settle_share(t, s, &r);
	}
	if (!t->peer->is_broken && stream_bytes(t->peer->stream).n)
		t->peer->is_broken = true; /* it said more than asked */
	t->peer->is_proved = r.code < 300;
}

/* ---- the content ---- */

static bool is_in_memory(const struct transaction *t)
{
	return body_in_memory(&t->message->body).p;
}

/*
 * The trail of all recipients, behind our Received: it survives systems that
 * do not know XTRAIL.  Several fields, so that no line grows long.
 */
static struct str write_head(struct transaction *t)
{
	struct arena *a = t->job->arena;
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str all = STR_NONE, entry;
	size_t line = 0;

	buf_add(&b, t->message->trace);
	if (t->peer->is_lmtp)
		return t->message->trace;
	for (size_t i = 0; i < t->n; i++)
		all = trail_join(all, t->shares[i]->leg.trail, a);
	while (str_split(&all, ',', &entry)) {
		if (!str_is_ascii(entry) || !envelope_is_safe(entry))
			continue;
		if (line && line + entry.n < TRAIL_LINE_BYTES) {
			buf_add_char(&b, ',');
		} else {
			buf_add(&b, line ? S("\r\n") : S(""));
			buf_add(&b, S("Splitmail-Trail: "));
			line = 0;
		}
		buf_add(&b, entry);
		line += entry.n + 1;
	}
	if (line)
		buf_add(&b, S("\r\n"));
	return arena_str(a, buf_str(&b));
}

/* Slower than this and a next hop holds our connection on purpose. */
static int64_t content_deadline(const struct transaction *t)
{
	return after_ms(LIMIT_DATA_MS + (int64_t)(content_bytes(t) / 4));
}

static bool say_piece(struct transaction *t, struct buf *stuffed,
                      struct str piece, bool *at_line_start, int64_t deadline)
{
	buf_clear(stuffed);
	data_stuff(stuffed, piece, at_line_start);
	stream_say(t->peer->stream, buf_str(stuffed));
	if (stream_unsent(t->peer->stream) < PIECE_BYTES)
		return true;
	return peer_flush(t->peer, deadline) || host_trouble(t);
}

static bool say_file(struct transaction *t, struct buf *stuffed,
                     bool *at_line_start, int64_t deadline)
{
	struct body *body = &t->message->body;
	char *piece = must_alloc(PIECE_BYTES);
	uint64_t offset = 0;
	ptrdiff_t got;
	bool ok = true;

	while (ok && (got = body_read(body, offset, piece, PIECE_BYTES)) > 0) {
		ok = say_piece(t, stuffed, (struct str){ piece, got },
		               at_line_start, deadline);
		offset += got;
	}
	free(piece);
	if (!ok)
		return false;
	if (offset == body->bytes)
		return true;
	if (got >= 0)
		fail("the body of %s is %llu bytes short", t->message->id,
		     (unsigned long long)(body->bytes - offset));
	return host_trouble(t); /* ours, but no dot may follow */
}

/* A peer that answers before the end has refused, or is out of step. */
static bool is_still_listening(struct transaction *t)
{
	struct reply r;

	if (is_in_memory(t) || stream_is_quiet(t->peer->stream))
		return true;
	if (!hear(t, &r))
		return false;
	if (r.code < 400)
		return unexpected(t, "half a message", &r);
	if (r.code == 421)
		return host_said(t, &r);
	set_accepted(t, judge(&r), &r);
	t->peer->is_broken = true;
	return false;
}

/* From here on the mail may arrive, whatever we do. */
static void note_sent(struct transaction *t)
{
	t->is_sent = true;
	for (size_t i = 0; i < t->n; i++)
		t->shares[i]->is_sent = true;
}

static bool say_dotted(struct transaction *t, struct buf *stuffed)
{
	struct str memory = body_in_memory(&t->message->body);
	int64_t deadline = content_deadline(t);
	bool at_line_start = true;

	if (!say_piece(t, stuffed, t->head, &at_line_start, deadline))
		return false;
	if (is_in_memory(t)
	            ? !say_piece(t, stuffed, memory, &at_line_start, deadline)
	            : !say_file(t, stuffed, &at_line_start, deadline))
		return false;
	if (!is_still_listening(t))
		return false;
	if (!at_line_start)
		stream_say(t->peer->stream, S("\r\n"));
	stream_say(t->peer->stream, S(".\r\n"));
	note_sent(t);
	return peer_flush(t->peer, deadline) || left_open(t);
}

static bool send_content(struct transaction *t)
{
	struct buf stuffed scoped(buf) = BUF_EMPTY;

	return say_dotted(t, &stuffed);
}

/* ---- the three ways ---- */

/* Nobody wants the content: an empty one ends the state (RFC 2920 3.1). */
static void send_nothing(struct transaction *t)
{
	struct reply ignored;

	stream_say(t->peer->stream, S(".\r\n"));
	if (flush(t))
		(void)!hear(t, &ignored);
}

static bool envelope_in_lockstep(struct transaction *t)
{
	struct peer *p = t->peer;

	say_mail(t);
	if (!flush(t) || !hear_mail(t) || !reply_is_done(&t->mail))
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (!peer_is_silent(p))
			return host_trouble(t);
		say_share(t, t->shares[i]);
		if (!flush(t) || !hear_rcpt(t, t->shares[i]))
			return false;
	}
	if (!t->n_accepted)
		return false;
	if (!peer_is_silent(p))
		return host_trouble(t);
	stream_say(p->stream, S("DATA\r\n"));
	return flush(t) && hear_data(t);
}

static bool hear_envelope(struct transaction *t)
{
	if (!hear_mail(t))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (!hear_rcpt(t, t->shares[i]))
			return false;
	return true;
}

static bool envelope_pipelined(struct transaction *t)
{
	say_mail(t);
	for (size_t i = 0; i < t->n; i++)
		say_share(t, t->shares[i]);
	stream_say(t->peer->stream, S("DATA\r\n"));
	if (!flush(t) || !hear_envelope(t) || !hear_data(t))
		return false;
	if (t->n_accepted)
		return true;
	send_nothing(t);
	return false;
}

static bool can_one_shot(const struct transaction *t)
{
	const struct peer *p = t->peer;

	return p->can.chunking && p->can.pipelining && p->is_proved &&
	       !p->is_lmtp && is_in_memory(t);
}

static void one_shot(struct transaction *t)
{
	struct stream *s = t->peer->stream;
	const struct body *body = &t->message->body;

	say_mail(t);
	for (size_t i = 0; i < t->n; i++)
		say_share(t, t->shares[i]);
	stream_sayf(s, "BDAT %llu LAST\r\n",
	            (unsigned long long)content_bytes(t));
	stream_say(s, t->head);
	stream_say(s, body_in_memory(body));
	if (body->bytes && !body->ends_with_crlf)
		stream_say(s, S("\r\n"));
	if (!flush(t))
		return;
	note_sent(t);
	if (!hear_envelope(t)) {
		/* A connection that lay in the pool and never said a word was
		 * dead before the mail was sent. */
		if (t->peer->has_spoken || !t->peer->is_reused) {
			fail("%.*s", STR(t->trouble->reply.text));
			left_open(t);
		}
		return;
	}
	if (t->n_accepted)
		hear_outcome(t);
	if (t->n_accepted < t->n)
		t->peer->is_broken = true;
}

static void step_by_step(struct transaction *t)
{
	bool may_send = t->peer->can.pipelining ? envelope_pipelined(t)
	                                        : envelope_in_lockstep(t);
	struct reply ignored;

	if (may_send && send_content(t))
		hear_outcome(t);
	else if (!t->is_sent && !t->peer->is_broken &&
	         !peer_ask(t->peer, t->job->arena, S("RSET\r\n"), &ignored,
	                   after_ms(RSET_MS)))
		t->peer->is_broken = true;
}

void transaction_run(struct peer *p, struct job *job, struct share **shares,
                     size_t n, struct trouble *trouble)
{
	struct transaction t = {
		.peer = p,
		.job = job,
		.message = job->message,
		.n = n,
		.trouble = trouble,
	};

	t.shares = arena_array(job->arena, struct share *, n);
	memcpy(t.shares, shares, n * sizeof shares[0]);
	t.head = write_head(&t);
	keep_those_that_can_go(&t);
	if (!t.n)
		return;
	if (!peer_is_silent(p))
		host_trouble(&t);
	else if (can_one_shot(&t))
		one_shot(&t);
	else
		step_by_step(&t);
}
