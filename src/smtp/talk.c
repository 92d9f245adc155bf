/*
 * How a session talks and listens: replies, lines, and the mail at hand
 * (session.h).
 *
 * Invariants:
 *  1. s->mail is NULL, or a transaction whose memory is its message's arena.
 *  2. What we have said is sent before we wait for the peer, and not sooner:
 *     replies to commands that came in one go leave in one go (RFC 2920 3.2).
 *  3. Once is_lost is set nothing is read from or written to the peer.
 */
#include "rt/log.h"
#include "rt/loop.h"
#include "smtp/session.h"

bool is_submission(const struct session *s)
{
	return s->kind == SMTP_SUBMISSION || s->kind == SMTP_SUBMISSIONS;
}

bool is_local(const struct session *s)
{
	return s->kind == SMTP_LOCAL || s->kind == SMTP_SENDMAIL;
}

/* ---- how long we wait ---- */

static bool is_stressed(const struct smtp_server *server)
{
	uint64_t all = (uint64_t)server->sessions * (unsigned)loop_count();

	return all > LIMIT_CONNECTIONS / 10 * 8;
}

static int64_t patience_ms(const struct session *s)
{
	int64_t ms = s->server->settings->command_ms;

	if (is_stressed(s->server) && ms > LIMIT_COMMAND_STRESS_MS)
		ms = LIMIT_COMMAND_STRESS_MS;
	return ms;
}

int64_t command_deadline(const struct session *s)
{
	return after_ms(patience_ms(s));
}

/* A body may be silent as long as a command, and take data_ms and what its
 * size needs at the slowest rate (as Postfix' smtpd_min_data_rate). */
int64_t body_deadline(const struct session *s)
{
	const struct mail *mail = s->mail;
	int64_t earned_ms =
		(int64_t)(mail->wire_bytes / LIMIT_DATA_BYTES_PER_S) * 1000;
	int64_t all = mail->began_ms + s->server->settings->data_ms + earned_ms;
	int64_t next = after_ms(patience_ms(s));

	return all < next ? all : next;
}

/* ---- saying ---- */

struct reply say(struct session *s, int code, const char *status,
		 const char *format, ...)
{
	struct reply r = { .code = code, .text = str_of(format) };
	va_list args;

	memcpy(r.status, status, strlen(status) + 1);
	if (str_find(r.text, '%') < 0)
		return r;
	va_start(args, format);
	r.text = str_of(arena_vprintf(s->line, format, args));
	va_end(args);
	return r;
}

struct reply hand_on(struct session *s, struct reply r)
{
	if (r.code == 421)
		r.code = 451;
	else if (r.code == 521)
		r.code = 550;
	else if (r.code >= 200 && r.code < 300)
		r.code = 250;
	if (r.code < 200 || (r.code >= 300 && r.code < 400))
		return SAY(s, trouble);
	if (r.status[0] - '0' != r.code / 100)
		memcpy(r.status,
		       (char[]){ '0' + r.code / 100, '.', '0', '.', '0', 0 },
		       6);
	r.text = arena_str(s->line, r.text);
	return r;
}

bool say_all(struct session *s)
{
	if (stream_unsent(s->peer) > 0 &&
	    !stream_flush(s->peer, command_deadline(s)))
		s->is_lost = true;
	return !s->is_lost;
}

bool say_later(struct session *s, const struct reply *r)
{
	if (s->is_lost)
		return false;
	if (r->code == 0)
		return true;
	buf_clear(&s->out);
	reply_write(&s->out, r);
	stream_say(s->peer, buf_str(&s->out));
	/* a peer that talks and does not listen */
	if (stream_unsent(s->peer) > LIMIT_STREAM_BUFFER)
		return say_all(s);
	return true;
}

bool say_now(struct session *s, struct reply r)
{
	return say_later(s, &r) && say_all(s);
}

/* ---- hearing ---- */

/* Between commands, outside a mail, a session holds as little as can be. */
static enum stream_state waits fill_idly(struct session *s, int64_t deadline_ms)
{
	enum stream_state state;

	arena_close(s->line);
	state = stream_fill(s->peer, deadline_ms);
	s->line = arena_open();
	return state;
}

enum heard hear_more(struct session *s, int64_t deadline_ms)
{
	if (!say_all(s))
		return HEARD_END;
	switch (s->is_idle ? fill_idly(s, deadline_ms)
			   : stream_fill(s->peer, deadline_ms)) {
	case STREAM_MORE:
	case STREAM_FULL:
		return HEARD_LINE;
	case STREAM_LATE:
		return HEARD_LATE;
	case STREAM_BROKEN:
		if (s->is_ended)
			return HEARD_STOP; /* a last word can be said */
		break;
	case STREAM_END:
		break;
	}
	s->is_lost = true;
	return HEARD_END;
}

/* Throw away what belongs to a line that is too long, up to its LF. */
static enum heard waits skip_line(struct session *s, int64_t deadline_ms)
{
	for (;;) {
		struct str in = stream_bytes(s->peer);
		ptrdiff_t lf = str_find(in, '\n');
		enum heard h;

		stream_skip(s->peer, lf < 0 ? in.n : (size_t)lf + 1);
		if (lf >= 0)
			return HEARD_TOO_LONG;
		h = hear_more(s, deadline_ms);
		if (h != HEARD_LINE)
			return h;
	}
}

enum heard hear_line(struct session *s, size_t max, struct str *line)
{
	int64_t deadline_ms = command_deadline(s);
	enum heard h = HEARD_LINE;
	size_t used;

	while (h == HEARD_LINE) {
		switch (command_line(stream_bytes(s->peer), max, line, &used)) {
		case LINE_WHOLE:
			*line = arena_str(s->line, *line);
			stream_skip(s->peer, used);
			return HEARD_LINE;
		case LINE_MALFORMED:
			stream_skip(s->peer, used);
			return HEARD_MALFORMED;
		case LINE_TOO_LONG:
			return skip_line(s, deadline_ms);
		case LINE_PART:
			h = hear_more(s, deadline_ms);
			break;
		}
	}
	return h;
}

/* ---- the mail at hand ---- */

void forget_mail(struct session *s)
{
	struct mail *mail = s->mail;

	s->mail = NULL;
	if (!mail)
		return;
	expansions_close(mail->expansions);
	filtering_close(mail->filtering);
	message_drop(mail->message);
}

const char *mail_id(const struct session *s)
{
	return s->mail && s->mail->is_logged ? s->mail->message->id : "NOQUEUE";
}

/* "reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 no; from=<a@b.example>..." */
static void log_verdict(struct session *s, const char *what, struct str why,
			struct str filter)
{
	struct buf who scoped(buf) = BUF_EMPTY;

	if (s->mail)
		buf_printf(&who, " from=<%s>",
			   log_safe(s->line, s->mail->message->sender,
				    LIMIT_PATH_BYTES));
	if (s->recipient.n)
		buf_printf(&who, " to=<%s>",
			   log_safe(s->line, s->recipient, LIMIT_PATH_BYTES));
	buf_printf(&who, " proto=%s helo=<%s>", s->said_ehlo ? "ESMTP" : "SMTP",
		   log_safe(s->line, str_of(s->helo), sizeof(s->helo)));
	if (filter.n)
		buf_printf(&who, " milter=%.*s delay=%.3f", STR(filter),
			   (double)filtering_ms(s->mail->filtering) / 1000);
	log_fact(s->part, "%s: %s from %s: %s;%.*s", mail_id(s), what,
		 s->client, log_safe(s->line, why, SAY_CUT),
		 STR(buf_str(&who)));
}

void log_refusal(struct session *s, const char *what, const struct reply *r)
{
	log_verdict(s,
		    arena_printf(s->line, "%s: %s",
				 s->refused_by.n ? "milter-reject" : "reject",
				 what),
		    reply_line(r, s->line), s->refused_by);
}

void log_filtered(struct session *s, const char *what, struct str filter,
		  struct str why)
{
	log_verdict(s, arena_printf(s->line, "%s: END-OF-MESSAGE", what), why,
		    filter);
}

struct reply store_trouble(struct session *s)
{
	log_error(s->part, "%s: %s", s->mail->message->id, cause());
	return cause_kind() == FAIL_NO_ROOM ? SAY(s, queue_full)
					    : SAY(s, trouble);
}

/* ---- the order of commands ---- */

struct reply out_of_order(struct session *s, unsigned rules,
			  struct str arguments)
{
	const struct mail *mail = s->mail;

	if ((rules & NO_ARGUMENTS) && arguments.n)
		return SAY(s, no_arguments);
	if ((rules & NEED_HELLO) && !s->helo[0])
		return SAY(s, hello_first);
	if ((rules & NO_MAIL) && mail)
		return SAY(s, in_mail);
	if ((rules & (NEED_MAIL | NEED_RCPT)) && !mail)
		return SAY(s, mail_first);
	if ((rules & NEED_RCPT) && mail->message->n == 0)
		return SAY(s, recipient_first);
	if ((rules & NO_CHUNKS) && mail->in_chunks)
		return SAY(s, in_chunks);
	return SILENCE;
}
