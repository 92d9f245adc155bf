/*
 * DATA and BDAT: the bytes of the message, and what becomes of it
 * (RFC 5321 4.1.1.4, RFC 3030).
 *
 *	take()      a piece: counted, kept unless the mail is refused already
 *	judge()     the whole: size, line ends, header, hops, loops
 *	settle()    its filters let it pass, delivery takes it over and answers
 *
 * Invariants:
 *  1. What ends the data is decided by wire/data.h alone (or by the octet
 *     count of BDAT); a mail that is refused half-way is read to the same end.
 *  2. The octets of a chunk are never heard as commands, whatever we think of
 *     the chunk.
 *  3. 250 is what deliver_accept() said, never what we hope.
 */
#include "base/mutants.h"
#include "route/guard.h"
#include "rt/clock.h"
#include "rt/counter.h"
#include "rt/histogram.h"
#include "rt/log.h"
#include "smtp/session.h"

/* ---- pieces ---- */

/* What is refused from here on is neither kept nor looked at. */
static void refuse(struct session *s, struct reply r)
{
	struct mail *mail = s->mail;

	if (mail->refusal.code)
		return;
	r.text = arena_str(mail->message->arena, r.text);
	mail->refusal = r;
	body_free(&mail->message->body);
}

static void waits take(struct session *s, struct str piece)
{
	struct mail *mail = s->mail;
	struct message *m = mail->message;

	if (piece.n == 0 || mail->refusal.code)
		return;
	if (m->body.bytes + piece.n > mail->max_bytes) {
		if (MUTANT(too_large_is_cut_off))
			return;
		refuse(s,
		       SAY(s, too_large, (unsigned long long)mail->max_bytes));
		return;
	}
	mail->last_byte = piece.p[piece.n - 1];
	if (!body_add(&m->body, piece) &&
	    !MUTANT(piece_without_room_is_left_out))
		refuse(s, store_trouble(s));
}

/* ---- the whole ---- */

/* As it is to be delivered; STR_NONE: cause(). */
static struct str waits header_of(struct session *s, struct arena *own)
{
	struct message *m = s->mail->message;
	struct str header = body_header(&m->body, own, &m->header);

	if (!header.p || !m->header.results)
		return header;
	if (!drop_claimed_results(s, header))
		return STR_NONE;
	return body_header(&m->body, own, &m->header);
}

/* Everything a relay has to know of the header (RFC 5322 2.2). */
static bool waits look(struct session *s)
{
	struct mail *mail = s->mail;
	struct message *m = mail->message;
	struct arena *a = m->arena;
	struct arena *own scoped(arena) = arena_open();
	struct str header = header_of(s, own), value;
	size_t at = 0;

	if (!header.p)
		return false;
	m->header.message_id = arena_str(a, m->header.message_id);
	/* one a hop; those of our side come first */
	for (int i = 0; i < LIMIT_RECEIVED; i++) {
		if (!header_next(header, S(TRAIL_FIELD), &at, own, &value) ||
		    str_same(str_trim(value), S(TRAIL_RESENT)))
			break;
		mail->header_trail = trail_join(mail->header_trail, value, a);
	}
	at = 0;
	/* only Dovecot is believed whose Sieve it is */
	if (s->kind == SMTP_LOCAL &&
	    header_next(header, S("X-Sieve-Redirected-From"), &at, own, &value))
		mail->asker.user = arena_str(
			a, str_part(str_trim(value), 0, LIMIT_PATH_BYTES));
	at = 0;
	mail->has_date = header_next(header, S("Date"), &at, own, &value);
	return true;
}

/* With the trail of the header known: recipients that come back.  What a user
 * sends again is on its way for the first time (route/guard.h).  The header's
 * is of the whole mail: a group beside a member of it would meet that one's
 * entry.  Who said a recipient's own trail knew the header, too. */
static struct reply waits judge_trail(struct session *s)
{
	struct mail *mail = s->mail;
	struct message *m = mail->message;
	struct expansions *expansions;
	struct reply first = SILENCE;
	size_t refused = 0;

	if (str_empty(mail->header_trail) || is_submission(s) ||
	    MUTANT(header_trail_is_unread))
		return first;
	expansions = expansions_open(m->arena);
	for (size_t i = 0; i < m->n; i++) {
		struct arena *a scoped(arena) = arena_open();
		struct recipient *r = &m->recipients[i];
		struct question q = {
			.recipient = r->parsed,
			.asker = mail->asker,
			.peer = message_caller(m),
			.sender = &m->sender,
			.expansions = expansions,
			.message_bytes = m->body.bytes,
		};
		struct decision d;

		if (str_empty(r->trail) || MUTANT(trail_of_all_for_each))
			r->trail = mail->header_trail;
		q.trail = r->trail;
		d = route_answer(s->server->router, &q, a);
		expansions_note(expansions, &d);
		if (i % LIMIT_ROUTE_STEP == LIMIT_ROUTE_STEP - 1)
			fiber_yield();
		if (d.action != ROUTE_REFUSE || refused++ > 0)
			continue;
		first = d.reply;
		first.text = arena_str(s->line, first.text);
	}
	expansions_close(expansions);
	/* when only some loop, delivery says so for these (DSN) */
	if (refused && MUTANT(one_loop_is_all))
		return hand_on(s, first);
	return refused == m->n ? hand_on(s, first) : SILENCE;
}

/* Code 0: nothing is wrong with it. */
static struct reply waits judge(struct session *s)
{
	struct mail *mail = s->mail;
	struct reply r;

	if (mail->refusal.code)
		return mail->refusal;
	if (mail->reader.malformed)
		return SAY(s, malformed, (unsigned long long)mail->reader.line,
			   mail->reader.why);
	if (!look(s))
		return store_trouble(s);
	if (mail->message->header.too_large)
		return SAY(s, header_too_large);
	if (mail->message->header.received > LIMIT_RECEIVED) {
		count(COUNT_LOOPS_REFUSED);
		return SAY(s, too_many_hops);
	}
	r = judge_authors(s);
	return r.code ? r : judge_trail(s);
}

/* What delivery and the next systems are to know of it. */
static void stamp(struct session *s)
{
	struct mail *mail = s->mail;
	struct message *m = mail->message;

	m->as = asker_text(&mail->asker, m->arena);
	m->helo = arena_str(
		m->arena,
		str_of(s->kind == SMTP_SENDMAIL ? s->client : s->helo));
	m->trace = received_lines(s);
	log_fact("cleanup", "%s: message-id=%s", m->id,
		 log_safe(s->line, m->header.message_id, SAY_CUT));
}

/* May it be delivered, as it is now? */
static struct reply waits judge_all(struct session *s)
{
	struct reply r = judge(s);

	if (r.code == 0)
		r = ask_again(s);
	if (r.code)
		return r;
	stamp(s);
	r = find_claims(s);
	if (r.code == 0)
		r = filter_message(s);
	return r.code ? r : judge_claims(s);
}

static struct reply waits deliver(struct session *s)
{
	struct mail *mail = s->mail;
	struct message *m = message_hold(mail->message);

	return mail->held_why.n
		       ? deliver_hold(s->server->deliver, m, &mail->asker,
				      mail->held_why)
		       : deliver_accept(s->server->deliver, m, &mail->asker);
}

/* The message is complete: hand it over, or say why not.  The mail is over
 * either way. */
static struct reply waits settle(struct session *s)
{
	int64_t begun_ms = now_ms();
	struct reply r = judge_all(s);

	if (r.code >= 400)
		count(r.code >= 500 ? COUNT_MAILS_REFUSED : COUNT_MAILS_LATER);
	if (r.code)
		return r;
	/* delivery's hold ends when it wants, and counts what it says */
	r = hand_on(s, deliver(s));
	if (!reply_is_done(&r))
		return r;
	observe(HISTOGRAM_ANSWER, now_ms() - begun_ms);
	forgive(s);
	return r;
}

static struct reply waits finish(struct session *s)
{
	struct reply r = settle(s);

	if (r.code >= 400)
		log_refusal(s, "END-OF-MESSAGE", &r);
	r.text = arena_str(s->line, r.text);
	forget_mail(s);
	return r;
}

/* The peer stopped in the middle: nothing was accepted. */
static struct reply broken_off(struct session *s, enum heard why)
{
	forget_mail(s);
	if (why == HEARD_LATE)
		return SAY(s, timeout, s->server->settings->hostname);
	return SILENCE;
}

/* ---- DATA ---- */

static enum heard waits receive_data(struct session *s)
{
	struct buf room scoped(buf) = BUF_EMPTY;
	struct mail *mail = s->mail;

	for (;;) {
		struct data_piece p =
			data_read(&mail->reader, stream_bytes(s->peer), &room);
		enum heard h;

		mail->wire_bytes += p.used;
		take(s, p.text);
		stream_skip(s->peer, p.used);
		if (p.end)
			return HEARD_LINE;
		h = hear_more(s, body_deadline(s));
		if (h != HEARD_LINE)
			return h;
	}
}

struct reply on_data(struct session *s, struct str arguments)
{
	enum heard h;

	s->mail->is_coming = true;
	if (!say_now(s, SAY(s, go_ahead)))
		return SILENCE;
	s->mail->began_ms = now_ms();
	h = receive_data(s);
	return h == HEARD_LINE || MUTANT(half_a_mail_is_delivered)
		       ? finish(s)
		       : broken_off(s, h);
}

/* ---- BDAT ---- */

/* N octets, which are the message's when KEEP. */
static enum heard waits receive_chunk(struct session *s, uint64_t n, bool keep)
{
	int64_t began_ms = now_ms();

	while (n > 0) {
		struct str in = stream_bytes(s->peer);
		enum heard h;

		if (in.n > n)
			in.n = n;
		if (keep) {
			s->mail->wire_bytes += in.n;
			data_check(&s->mail->reader, in, false);
			take(s, in);
		}
		stream_skip(s->peer, in.n);
		n -= in.n;
		if (n == 0)
			break;
		h = hear_more(s,
			      keep ? body_deadline(s)
				   : began_ms + s->server->settings->data_ms);
		if (h != HEARD_LINE)
			return h;
	}
	return HEARD_LINE;
}

/* A chunk that comes at the wrong time is heard and forgotten. */
static struct reply waits skip_chunk(struct session *s, uint64_t n,
				     struct reply r)
{
	enum heard h = receive_chunk(s, n, false);

	return h == HEARD_LINE ? r : broken_off(s, h);
}

/* The last line may lack its end: the count has told where it is, and what
 * goes on from here has to have one. */
static void waits complete_line(struct session *s)
{
	const struct mail *mail = s->mail;

	if (mail->message->body.bytes == 0 || mail->last_byte == '\n')
		return;
	take(s, mail->last_byte == '\r' ? S("\n") : S("\r\n"));
}

struct reply on_bdat(struct session *s, struct str arguments)
{
	struct mail *mail = s->mail;
	struct reply r;
	uint64_t n;
	bool last;
	enum heard h;

	if (!bdat_parse(arguments, &n, &last))
		return SAY(s, chunk_unclear);
	r = out_of_order(s, NEED_RCPT, STR_NONE);
	if (r.code)
		return skip_chunk(s, n, r);
	if (!mail->in_chunks && !MUTANT(chunks_begin_never))
		mail->began_ms = now_ms();
	mail->in_chunks = true;
	if (MUTANT(empty_chunk_ends_nothing) && n == 0)
		return SAY(s, chunk_ok, (unsigned long long)n);
	h = receive_chunk(s, n, true);
	if (h != HEARD_LINE)
		return broken_off(s, h);
	if (last)
		complete_line(s);
	if (last || mail->refusal.code || mail->reader.malformed)
		return finish(s);
	return SAY(s, chunk_ok, (unsigned long long)n);
}
