/*
 * One SMTP conversation, as the server hears it (RFC 5321).
 *
 * A session is one fiber.  Every wait, for the peer, the directory or the
 * next system, is a plain call.  Each on_*() handler returns the reply it
 * wants sent; only this file writes to the peer, so counting, logging and the
 * error limit are written once.  The order in which commands may come is not
 * code: it is the rules column of verbs[].
 *
 * Invariants:
 *  1. s->mail is NULL, or a transaction whose memory is its message's arena.
 *  2. What we have said is sent before we wait for the peer, and not sooner:
 *     replies to commands that came in one go leave in one go (RFC 2920 3.2).
 *  3. Once is_lost is set nothing is read from or written to the peer.
 *
 * What a peer may try at leisure, and what it meets: talking before the
 * banner (it is greeted), HTTP (521 at the first line), endless lines (500,
 * one for the whole line), slow bytes (one deadline for the whole line).
 */
#include "smtp/session.h"

#include "rt/counter.h"
#include "rt/log.h"

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

static bool waits flush(struct session *s)
{
	if (stream_unsent(s->peer) > 0 &&
	    !stream_flush(s->peer, command_deadline(s)))
		s->is_lost = true;
	return !s->is_lost;
}

/* False: the peer is gone. */
static bool waits send_reply(struct session *s, const struct reply *r)
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
		return flush(s);
	return true;
}

bool say_now(struct session *s, struct reply r)
{
	return send_reply(s, &r) && flush(s);
}

static bool ends_session(const struct reply *r)
{
	return r->code == 221 || r->code == 421 || r->code == 521;
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
	if (!flush(s))
		return HEARD_END;
	switch (s->is_idle ? fill_idly(s, deadline_ms)
	                   : stream_fill(s->peer, deadline_ms)) {
	case STREAM_MORE:
	case STREAM_FULL:
		return HEARD_LINE;
	case STREAM_LATE:
		return HEARD_LATE;
	case STREAM_BROKEN:
		if (s->is_idle && s->server->stopping && fiber_cancelled())
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

struct command {
	enum heard heard;
	struct str verb, arguments;
};

/* False: the peer is gone. */
static bool waits read_command(struct session *s, struct command *c)
{
	/* an AUTH line is longer, and comes where AUTH is */
	size_t max = is_submission(s) && !s->login.n ? LIMIT_AUTH_LINE_BYTES
	                                             : LIMIT_COMMAND_BYTES;
	struct str line;

	arena_reset(s->line);
	*c = (struct command){ .heard = HEARD_STOP };
	if (s->server->stopping && !s->mail)
		return true;
	s->is_idle = !s->mail;
	c->heard = hear_line(s, max, &line);
	s->is_idle = false;
	if (c->heard == HEARD_LINE &&
	    !command_split(line, &c->verb, &c->arguments))
		c->verb = S("");
	return c->heard != HEARD_END;
}

/* ---- the mail at hand ---- */

void forget_mail(struct session *s)
{
	struct mail *mail = s->mail;

	s->mail = NULL;
	if (mail)
		message_drop(mail->message);
}

const char *mail_id(const struct session *s)
{
	return s->mail && s->mail->is_logged ? s->mail->message->id : "NOQUEUE";
}

void log_refusal(struct session *s, const char *what, const struct reply *r)
{
	struct buf who = BUF_EMPTY;

	if (s->mail)
		buf_printf(&who, " from=<%s>",
		           log_safe(s->line, s->mail->message->sender,
		                    LIMIT_PATH_BYTES));
	if (s->recipient.n)
		buf_printf(&who, " to=<%s>",
		           log_safe(s->line, s->recipient, LIMIT_PATH_BYTES));
	log_fact(s->part, "%s: reject: %s from %s: %s;%.*s proto=%s helo=<%s>",
	         mail_id(s), what, s->client,
	         log_safe(s->line, reply_line(r, s->line), SAY_CUT),
	         STR(buf_str(&who)), s->said_ehlo ? "ESMTP" : "SMTP",
	         log_safe(s->line, str_of(s->helo), sizeof(s->helo)));
	buf_free(&who);
}

/* ---- small commands ---- */

static struct reply on_rset(struct session *s, struct str arguments)
{
	forget_mail(s);
	return SAY(s, ok);
}

static struct reply on_noop(struct session *s, struct str arguments)
{
	return SAY(s, ok);
}

/* The same for everybody: nothing is to be learnt here (RFC 5321 7.3). */
static struct reply on_vrfy(struct session *s, struct str arguments)
{
	return SAY(s, vrfy);
}

static struct reply on_help(struct session *s, struct str arguments)
{
	return SAY(s, help);
}

static struct reply on_absent(struct session *s, struct str arguments)
{
	return SAY(s, not_implemented);
}

/* A browser was led here (RFC 5321 7.9): what follows is not for us. */
static struct reply on_http(struct session *s, struct str arguments)
{
	log_warn(s->part, "HTTP instead of SMTP from %s", s->client);
	return SAY(s, http);
}

static struct reply on_quit(struct session *s, struct str arguments)
{
	return SAY(s, bye);
}

/* ---- the story ---- */

static const struct verb {
	const char *name;
	struct reply (*answer)(struct session *s, struct str arguments);
	unsigned rules;
} verbs[] = {
	{ "MAIL", on_mail, NEED_HELLO | NO_MAIL },
	{ "RCPT", on_rcpt, NEED_MAIL | NO_CHUNKS },
	{ "DATA", on_data, NEED_RCPT | NO_CHUNKS | NO_ARGUMENTS },
	{ "BDAT", on_bdat, 0 }, /* its octets come anyway: body.c */
	{ "EHLO", on_ehlo, JUNK },
	{ "HELO", on_helo, JUNK },
	{ "STARTTLS", on_starttls, NO_ARGUMENTS },
	{ "AUTH", on_auth, NEED_HELLO | NO_MAIL },
	{ "RSET", on_rset, NO_ARGUMENTS | JUNK },
	{ "NOOP", on_noop, JUNK },
	{ "QUIT", on_quit, NO_ARGUMENTS },
	{ "VRFY", on_vrfy, JUNK },
	{ "HELP", on_help, JUNK },
	{ "EXPN", on_absent, JUNK },
	{ "ETRN", on_absent, JUNK },
	{ "TURN", on_absent, JUNK },
	{ "GET", on_http, 0 },
	{ "POST", on_http, 0 },
	{ "PUT", on_http, 0 },
	{ "HEAD", on_http, 0 },
	{ "OPTIONS", on_http, 0 },
	{ "CONNECT", on_http, 0 },
	{ "DELETE", on_http, 0 },
	{ "PATCH", on_http, 0 },
	{ "TRACE", on_http, 0 },
};

static const struct verb *verb_named(struct str name)
{
	for (size_t i = 0; i < array_size(verbs); i++)
		if (str_same_nocase(name, str_of(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

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

static struct reply waits obey(struct session *s, const struct verb *v,
                               struct str arguments)
{
	struct reply r = out_of_order(s, v->rules, arguments);
	unsigned rules = v->rules;

	s->verb = v->name;
	s->recipient = STR_NONE;
	/* a mail that was to be and is called off is no junk: other systems
	 * ask for recipients this way */
	if (v->answer == on_rset && s->mail && s->mail->message->n > 0)
		rules &= ~JUNK;
	if (r.code == 0)
		r = v->answer(s, arguments);
	return charge(s, rules, r);
}

static struct reply waits answer(struct session *s, const struct command *c)
{
	const char *us = s->server->settings->hostname;
	const struct verb *v;

	s->commands++;
	switch (c->heard) {
	case HEARD_LINE:
		v = verb_named(c->verb);
		if (!v)
			return charge(s, 0, SAY(s, unknown_command));
		return obey(s, v, c->arguments);
	case HEARD_TOO_LONG:
		return charge(s, 0, SAY(s, line_too_long));
	case HEARD_MALFORMED:
		return charge(s, 0, SAY(s, line_malformed));
	case HEARD_LATE:
		return SAY(s, timeout, us);
	case HEARD_STOP:
		return SAY(s, stopping, us);
	case HEARD_END:
		break;
	}
	return SILENCE;
}

static struct session *session_open(struct smtp_server *server,
                                    enum smtp_kind kind, struct stream *peer)
{
	static const char *const parts[] = {
		[SMTP_MX] = "smtpd",
		[SMTP_SUBMISSION] = "submission/smtpd",
		[SMTP_SUBMISSIONS] = "submissions/smtpd",
		[SMTP_LOCAL] = "local/smtpd",
	};
	struct arena *a = arena_open();
	struct session *s = arena_new(a, struct session);

	s->server = server;
	s->kind = kind;
	s->peer = peer;
	s->fiber = fiber_self();
	s->arena = a;
	s->line = arena_open();
	s->part = parts[kind];
	s->verb = "CONNECT";
	s->client = kind == SMTP_LOCAL
	                    ? "local"
	                    : arena_printf(a, "unknown[%s]",
	                                   inet_ip_text(stream_peer(peer)).c);
	s->next = server->first;
	if (s->next)
		s->next->previous = s;
	server->first = s;
	server->sessions++;
	count(COUNT_CONNECTIONS);
	return s;
}

static void session_close(struct session *s)
{
	if (s->is_lost)
		log_fact(s->part, "lost connection after %s from %s", s->verb,
		         s->client);
	log_fact(s->part, "disconnect from %s mails=%u commands=%u", s->client,
	         s->mails, s->commands);
	forget_mail(s);
	leave(s);
	if (s->previous)
		s->previous->next = s->next;
	else
		s->server->first = s->next;
	if (s->next)
		s->next->previous = s->previous;
	s->server->sessions--;
	stream_close(s->peer);
	buf_free(&s->out);
	arena_close(s->line);
	arena_close(s->arena);
}

/* TLS first where the port says so; then a word of welcome, or not. */
static struct reply waits greet(struct session *s)
{
	struct reply r = admit(s);

	log_fact(s->part, "connect from %s", s->client);
	if (s->kind == SMTP_SUBMISSIONS &&
	    !stream_tls_accept(s->peer, s->server->settings->tls,
	                       command_deadline(s))) {
		log_fact(s->part, "SSL_accept error from %s: %s", s->client,
		         log_safe(s->line, str_of(cause()), SAY_CUT));
		s->is_lost = true;
		return SILENCE;
	}
	if (r.code)
		return r;
	return SAY(s, banner, s->server->settings->hostname);
}

void smtp_serve(struct smtp_server *server, enum smtp_kind kind,
                struct stream *peer)
{
	struct session *s = session_open(server, kind, peer);
	struct reply r = greet(s);
	struct command c;

	while (send_reply(s, &r) && !ends_session(&r) && read_command(s, &c))
		r = answer(s, &c);
	if (!s->is_lost)
		flush(s);
	session_close(s);
}

/* A session that waits for a command meets a wait that fails, and says 421. */
void smtp_stop(struct smtp_server *server)
{
	server->stopping = true;
	for (struct session *s = server->first; s; s = s->next)
		if (s->is_idle)
			fiber_cancel(s->fiber);
}
