/*
 * One SMTP conversation, as the server hears it (RFC 5321).
 *
 * A session is one fiber.  Every wait, for the peer, the directory or the
 * next system, is a plain call.  Each on_*() handler returns the reply it
 * wants sent; only this file sends it (talk.c), so counting, logging and the
 * error limit are written once.  The order in which commands may come is not
 * code: it is the rules column of verbs[].
 *
 * What a peer may try at leisure, and what it meets: talking before the
 * banner (it is greeted), HTTP (521 at the first line), endless lines (500,
 * one for the whole line), slow bytes (one deadline for the whole line).
 */
#include "smtp/session.h"

#include "rt/counter.h"
#include "rt/log.h"

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
	enum command_kind kind;
} verbs[] = {
	{ "MAIL", on_mail, NEED_HELLO | NO_MAIL, COMMAND_mail },
	{ "RCPT", on_rcpt, NEED_MAIL | NO_CHUNKS, COMMAND_rcpt },
	{ "DATA", on_data, NEED_RCPT | NO_CHUNKS | NO_ARGUMENTS, COMMAND_data },
	{ "BDAT", on_bdat, 0,
	  COMMAND_bdat }, /* its octets come anyway: body.c */
	{ "EHLO", on_ehlo, JUNK, COMMAND_ehlo },
	{ "HELO", on_helo, JUNK, COMMAND_helo },
	{ "STARTTLS", on_starttls, NO_ARGUMENTS, COMMAND_starttls },
	{ "AUTH", on_auth, NEED_HELLO | NO_MAIL, COMMAND_auth },
	{ "XQUEUE", on_queue, NEED_HELLO | NO_MAIL | NO_ARGUMENTS | JUNK },
	{ "RSET", on_rset, NO_ARGUMENTS | JUNK, COMMAND_rset },
	{ "NOOP", on_noop, JUNK, COMMAND_noop },
	{ "QUIT", on_quit, NO_ARGUMENTS, COMMAND_quit },
	{ "VRFY", on_vrfy, JUNK, COMMAND_vrfy },
	{ "HELP", on_help, JUNK, COMMAND_help },
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

struct command {
	enum heard heard;
	struct str verb, arguments;
};

/* Octets of a mail have come, or are to come next. */
static bool is_in_data(const struct session *s)
{
	return s->mail && (s->mail->is_coming || s->mail->in_chunks);
}

/* False: the peer is gone. */
static bool waits read_command(struct session *s, struct command *c)
{
	/* an AUTH line is longer, and comes where AUTH is */
	size_t max = is_submission(s) && !s->login.n ? LIMIT_AUTH_LINE_BYTES
						     : LIMIT_COMMAND_BYTES;
	struct str line;

	arena_reset(s->line);
	*c = (struct command){ .heard = HEARD_STOP };
	if (s->server->stopping && (!s->mail || s->server->hurries) &&
	    !is_in_data(s))
		return true;
	s->is_idle = !s->mail;
	c->heard = hear_line(s, max, &line);
	/* It came as the wait for it was ended: who is cancelled could not go
	 * on with it. */
	if (s->is_ended && c->heard != HEARD_END)
		c->heard = HEARD_STOP;
	s->is_idle = false;
	if (c->heard == HEARD_LINE &&
	    !command_split(line, &c->verb, &c->arguments))
		c->verb = S("");
	return c->heard != HEARD_END;
}

static struct reply waits obey(struct session *s, const struct verb *v,
			       struct str arguments)
{
	struct reply r = out_of_order(s, v->rules, arguments);
	unsigned rules = v->rules;

	s->verb = v->name;
	s->recipient = STR_NONE;
	s->refused_by = STR_NONE;
	/* a mail that was to be and is called off is no junk: other systems
	 * ask for recipients this way */
	if (v->answer == on_rset && s->mail && s->mail->message->n > 0)
		rules &= ~JUNK;
	if (r.code == 0)
		r = v->answer(s, arguments);
	return charge(s, rules, r);
}

static struct reply counted(struct session *s, enum command_kind kind,
			    struct reply r)
{
	s->commands[kind].all++;
	s->commands[kind].done += !s->is_lost && r.code < 400;
	return r;
}

static struct reply waits answer(struct session *s, const struct command *c)
{
	const char *us = s->server->settings->hostname;
	enum command_kind none = COMMAND_UNKNOWN;
	const struct verb *v;

	switch (c->heard) {
	case HEARD_LINE:
		v = verb_named(c->verb);
		if (!v)
			return counted(s, none,
				       charge(s, 0, SAY(s, unknown_command)));
		return counted(s, v->kind, obey(s, v, c->arguments));
	case HEARD_TOO_LONG:
		return counted(s, none, charge(s, 0, SAY(s, line_too_long)));
	case HEARD_MALFORMED:
		return counted(s, none, charge(s, 0, SAY(s, line_malformed)));
	case HEARD_LATE:
		return SAY(s, timeout, us);
	case HEARD_STOP:
		return SAY(s, stopping, us);
	case HEARD_END:
		break;
	}
	return SILENCE;
}

static const char *user_text(const struct session *s, const struct stream *peer)
{
	unsigned uid;

	if (!is_local(s))
		return "";
	return stream_user(peer, &uid) ? arena_printf(s->arena, "%u", uid)
				       : "unknown";
}

/* For the log. */
static const char *client_text(const struct session *s)
{
	switch (s->kind) {
	case SMTP_LOCAL:
		return "local";
	case SMTP_SENDMAIL:
		return arena_printf(s->arena, "uid %s", s->user);
	case SMTP_MX:
	case SMTP_SUBMISSION:
	case SMTP_SUBMISSIONS:
		break;
	}
	return arena_printf(s->arena, "unknown[%s]",
			    inet_ip_text(stream_peer(s->peer)).c);
}

static struct session *session_open(struct smtp_server *server,
				    const struct smtp_door *door,
				    struct stream *peer)
{
	static const char *const parts[] = {
		[SMTP_MX] = "smtpd",
		[SMTP_SUBMISSION] = "submission/smtpd",
		[SMTP_SUBMISSIONS] = "smtps/smtpd", /* as in master.cf */
		[SMTP_LOCAL] = "pickup",
		[SMTP_SENDMAIL] = "pickup",
	};
	struct arena *a = arena_open();
	struct session *s = arena_new(a, struct session);

	s->server = server;
	s->kind = door->kind;
	s->door = door;
	s->listener = door->name;
	s->peer = peer;
	s->fiber = fiber_self();
	s->arena = a;
	s->line = arena_open();
	s->part = parts[door->kind];
	s->verb = "CONNECT";
	s->user = user_text(s, peer);
	s->next = server->first;
	if (s->next)
		s->next->previous = s;
	server->first = s;
	server->sessions++;
	server->programs += door->kind == SMTP_SENDMAIL;
	count(COUNT_CONNECTIONS);
	return s;
}

/* printf is dear, and each session ends with some numbers. */
static void add_number(struct buf *b, char before, unsigned number)
{
	char digits[11];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	buf_add_char(b, before);
	buf_add(b, (struct str){ digits + at, sizeof(digits) - at });
}

static void add_count(struct buf *b, const char *name, unsigned done,
		      unsigned all)
{
	buf_add_char(b, ' ');
	buf_add(b, str_of(name));
	add_number(b, '=', done);
	if (done < all)
		add_number(b, '/', all);
}

/* " ehlo=1 auth=0/1 quit=1 commands=2/3": done, and of how many, unless all
 * were; as Postfix says it, for those who count by it. */
static void add_commands(struct session *s, struct buf *b)
{
	static const char *const names[] = {
		[COMMAND_UNKNOWN] = "unknown",
#define COMMAND(name) [COMMAND_##name] = #name,
#include "smtp/commands.def"
#undef COMMAND
	};
	unsigned done = 0, all = 0;

	/* what is unknown last */
	for (int i = 1; i <= COMMANDS; i++) {
		int kind = i % COMMANDS;

		if (s->commands[kind].all > 0)
			add_count(b, names[kind], s->commands[kind].done,
				  s->commands[kind].all);
		done += s->commands[kind].done;
		all += s->commands[kind].all;
	}
	add_count(b, "commands", done, all);
}

static void session_close(struct session *s)
{
	struct buf commands scoped(buf) = BUF_EMPTY;

	if (s->is_lost)
		log_fact(s->part, "lost connection after %s from %s", s->verb,
			 s->client);
	add_commands(s, &commands);
	log_fact(s->part, "disconnect from %s%.*s", s->client,
		 STR(buf_str(&commands)));
	forget_mail(s);
	leave(s);
	if (s->previous)
		s->previous->next = s->next;
	else
		s->server->first = s->next;
	if (s->next)
		s->next->previous = s->previous;
	s->server->sessions--;
	s->server->programs -= s->kind == SMTP_SENDMAIL;
	stream_close(s->peer);
	buf_free(&s->out);
	arena_close(s->line);
	arena_close(s->arena);
}

/* Who is it?  TLS next where the port says so; then a word of welcome, or not. */
static struct reply waits greet(struct session *s, const struct smtp_door *door)
{
	bool is_met = meet(s, door);
	struct reply r;

	s->client = client_text(s);
	if (!is_met)
		return SILENCE;
	r = admit(s);
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

static bool ends_session(const struct reply *r)
{
	return r->code == 221 || r->code == 421 || r->code == 521;
}

void smtp_serve(struct smtp_server *server, const struct smtp_door *door,
		struct stream *peer)
{
	struct session *s = session_open(server, door, peer);
	struct reply r = greet(s, door);
	struct command c;

	while (say_later(s, &r) && !ends_session(&r) && read_command(s, &c))
		r = answer(s, &c);
	if (!s->is_lost)
		say_all(s);
	session_close(s);
}

/* It meets a wait that fails, and says 421. */
static void end(struct session *s)
{
	s->is_ended = true;
	fiber_cancel(s->fiber);
}

void smtp_stop(struct smtp_server *server)
{
	server->stopping = true;
	for (struct session *s = server->first; s; s = s->next)
		if (s->is_idle)
			end(s);
}

void smtp_stop_soon(struct smtp_server *server)
{
	server->hurries = true;
	for (struct session *s = server->first; s; s = s->next)
		if (!is_in_data(s))
			end(s);
}
