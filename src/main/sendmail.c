/*
 * splitmail sendmail: a message from standard input into the engine.
 *
 * It speaks SMTP on the engine's Unix socket (programs.h), and whoever calls it
 * needs no rights; the engine's greeting says the host's name.  Sieve's redirect and vacation come this way, and every
 * program that calls a sendmail.
 *
 * Recipients that are refused do not keep the others from getting the mail;
 * when some can only be told later (4xx) nothing is sent, so that a caller who
 * tries again sends nothing twice.
 *
 * Exit status as sysexits.h says: 0 sent, 64 usage, 65 an address that is
 * none, 67 nobody has it, 69 refused, 75 try again.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "deliver/peer.h"
#include "main/main.h"
#include "main/programs.h"
#include "main/sendmail.h"
#include "rt/fiber.h"
#include "rt/loop.h"
#include "rt/random.h"
#include "wire/address.h"
#include "wire/data.h"
#include "wire/mailboxes.h"

struct addressee {
	struct str address, key;
	bool is_sent;
};

struct errand {
	const char *socket;
	struct sendmail options;
	struct buf text;
	struct arena *arena;
	struct peer *peer;
	struct str host;
	struct writer writer;
	struct str sender; /* of the envelope; empty: nobody */
	struct addressee *to;
	size_t n, room;
	bool is_utf8;
	struct buf refusals; /* a line each */
	bool is_busy;        /* the engine has too many connections */
	bool is_lost;        /* nobody has the mail, nor knows of it */
	int status;
};

/* ---- the envelope ---- */

static bool parse(struct errand *e, struct str text, struct address *out)
{
	struct str whole = qualified(text, e->host, e->arena);

	if (!address_parse(whole, e->arena, out)) {
		e->status = call_fail(EX_DATAERR, "sendmail: \"%.*s\": %s",
				      STR(text), cause());
		return false;
	}
	e->is_utf8 |= out->is_utf8;
	return true;
}

/* A bare "root" is whoever reads root's mail of this very host. */
static void add_recipient(void *errand, struct str text)
{
	struct errand *e = errand;
	struct address a;

	if (e->status != EX_OK || !parse(e, text, &a))
		return;
	if (e->n == e->room) {
		size_t room = e->room ? 2 * e->room : 16;
		struct addressee *more =
			arena_array(e->arena, struct addressee, room);

		if (e->n > 0)
			memcpy(more, e->to, e->n * sizeof(*more));
		e->to = more;
		e->room = room;
	}
	e->to[e->n++] = (struct addressee){ a.spelling,
					    address_key(&a, e->arena), false };
}

static int by_key(const void *a, const void *b)
{
	return str_compare(((const struct addressee *)a)->key,
			   ((const struct addressee *)b)->key);
}

/* Each one once. */
static void sort_recipients(struct errand *e)
{
	size_t n = 0;

	if (e->n > 1)
		qsort(e->to, e->n, sizeof(*e->to), by_key);
	for (size_t i = 0; i < e->n; i++)
		if (n == 0 || by_key(&e->to[n - 1], &e->to[i]) != 0)
			e->to[n++] = e->to[i];
	e->n = n;
}

static void add_arguments(struct errand *e)
{
	struct str one;

	for (int i = 0; i < e->options.n; i++) {
		struct str rest = str_of(e->options.recipients[i]);

		while (mailbox_next(&rest, e->arena, &one))
			add_recipient(e, one);
	}
}

/* With -t, who is named in the arguments gets nothing: so says Sendmail. */
static void leave_arguments_out(struct errand *e)
{
	struct errand out = { .arena = e->arena,
			      .host = e->host,
			      .options = e->options };
	size_t n = 0;

	add_arguments(&out);
	e->status = e->status ? e->status : out.status;
	sort_recipients(&out);
	for (size_t i = 0; i < e->n; i++)
		if (!out.n ||
		    !bsearch(&e->to[i], out.to, out.n, sizeof(*out.to), by_key))
			e->to[n++] = e->to[i];
	e->n = n;
}

static bool choose_recipients(struct errand *e)
{
	e->status = EX_OK;
	if (!e->options.from_header)
		add_arguments(e);
	else
		letter_recipients(buf_str(&e->text), e->arena, add_recipient,
				  e);
	sort_recipients(e);
	if (e->options.from_header)
		leave_arguments_out(e);
	if (e->status == EX_OK && e->n == 0)
		e->status = call_fail(EX_USAGE, "sendmail: there is no "
						"recipient");
	return e->status == EX_OK;
}

static struct str own_name(struct errand *e, const struct passwd *who)
{
	if (who)
		return arena_str(e->arena, str_of(who->pw_name));
	return arena_strf(e->arena, "uid%u", (unsigned)getuid());
}

/* The first part of the comment in passwd(5). */
static struct str own_full_name(struct errand *e, const struct passwd *who)
{
	struct str rest = str_of(who && who->pw_gecos ? who->pw_gecos : "");
	struct str name;

	str_split(&rest, ',', &name);
	return arena_str(e->arena, str_trim(name));
}

static bool choose_sender(struct errand *e)
{
	const struct passwd *who = getpwuid(getuid());
	struct str given = str_of(e->options.sender), name;
	struct address a;

	e->writer.host = e->host;
	e->writer.full_name = e->options.full_name
				      ? str_of(e->options.full_name)
				      : own_full_name(e, who);
	e->writer.address = qualified(own_name(e, who), e->host, e->arena);
	e->sender = e->writer.address;
	if (!e->options.sender)
		return true;
	e->sender = S("");
	if (!mailbox_next(&given, e->arena, &name))
		return true;
	if (!parse(e, name, &a))
		return false;
	e->sender = e->writer.address = a.spelling;
	if (!e->options.full_name)
		e->writer.full_name = S("");
	return true;
}

/* ---- the conversation ---- */

static void lost(struct errand *e)
{
	e->status = call_fail(EX_TEMPFAIL, "sendmail: the engine went away: %s",
			      cause());
}

/* The next reply to what was said. */
static bool waits hear(struct errand *e, struct reply *out)
{
	if (peer_flush(e->peer, after_ms(LIMIT_COMMAND_MS)) &&
	    peer_reply(e->peer, e->arena, out, after_ms(LIMIT_FINAL_REPLY_MS)))
		return true;
	lost(e);
	return false;
}

static int status_of(const struct reply *r)
{
	if (r->code < 500)
		return EX_TEMPFAIL;
	return str_starts(str_of(r->status), S("5.1.")) ? EX_NOUSER
							: EX_UNAVAILABLE;
}

/* WHAT was refused, for the caller and for a mail about it. */
static void refuse(struct errand *e, struct str what, const struct reply *r)
{
	struct str line = reply_line(r, e->arena);

	if (e->status == EX_OK)
		e->status = status_of(r);
	call_fail(0, "sendmail: %.*s: %.*s", STR(what), STR(line));
	buf_printf(&e->refusals, "%.*s: %.*s\r\n", STR(what), STR(line));
}

/* A reply of 2xx or 3xx; anything else is everybody's. */
static bool waits expect(struct errand *e, const char *what)
{
	struct reply r;

	if (!hear(e, &r))
		return false;
	if (r.code < 400)
		return true;
	refuse(e, str_of(what), &r);
	return false;
}

static bool waits greet(struct errand *e)
{
	struct str text, name;
	struct reply r;

	if (!hear(e, &r))
		return false;
	text = r.text;
	str_split(&text, ' ', &name);
	e->is_busy = r.code == 421;
	if (e->is_busy)
		return false;
	if (r.code != 220 || !domain_parse(name, e->arena, &e->host)) {
		e->status = call_fail(EX_TEMPFAIL, "sendmail: %.*s",
				      STR(reply_line(&r, e->arena)));
		return false;
	}
	stream_sayf(e->peer->stream, "EHLO %.*s\r\n", STR(e->host));
	return expect(e, "EHLO");
}

static void say_mail(struct errand *e, struct str sender, struct str text)
{
	struct stream *s = e->peer->stream;
	const struct sendmail *o = &e->options;

	stream_sayf(s, "MAIL FROM:<%.*s>%s%s", STR(sender),
		    str_is_ascii(text) ? "" : " BODY=8BITMIME",
		    e->is_utf8 ? " SMTPUTF8" : "");
	if (o->ret && !str_empty(sender))
		stream_sayf(s, " RET=%s", o->ret);
	if (o->envelope_id && !str_empty(sender))
		stream_sayf(s, " ENVID=%s", o->envelope_id);
	stream_say(s, S("\r\n"));
}

/* True: so many more are in the mail (0 or 1), or *R says why not. */
static bool waits ask_recipient(struct errand *e, struct str address,
				struct reply *r)
{
	const char *notify = e->options.notify;

	stream_sayf(e->peer->stream, "RCPT TO:<%.*s>%s%s\r\n", STR(address),
		    notify ? " NOTIFY=" : "", notify ? notify : "");
	return hear(e, r);
}

static bool waits send_text(struct errand *e, struct str text)
{
	struct buf stuffed scoped(buf) = BUF_EMPTY;
	bool at_line_start = true;

	stream_say(e->peer->stream, S("DATA\r\n"));
	if (!expect(e, "the message"))
		return false;
	data_stuff(&stuffed, text, &at_line_start);
	buf_add(&stuffed, S(".\r\n"));
	stream_say(e->peer->stream, buf_str(&stuffed));
	return expect(e, "the message");
}

/* Whoever goes on asking then is taken for an attacker. */
static bool is_full(const struct reply *r)
{
	return !strcmp(r->status, "4.5.3");
}

/*
 * One mail with as many of the recipients as it may have; *LEFT: some are for
 * another one.  False: that is the end, e->status says how.
 */
static bool waits send_one(struct errand *e, struct str text, size_t *left)
{
	size_t in_mail = 0;
	struct reply r;

	*left = 0;
	say_mail(e, e->sender, text);
	if (!expect(e, "the sender"))
		return false;
	for (size_t i = 0; i < e->n; i++) {
		struct addressee *to = &e->to[i];

		if (to->is_sent)
			continue;
		if (!ask_recipient(e, to->address, &r))
			return false;
		if (r.code == 452 && in_mail > 0) {
			++*left;
			if (is_full(&r))
				break;
			continue;
		}
		to->is_sent = true;
		if (r.code < 400) {
			in_mail++;
			continue;
		}
		refuse(e, to->address, &r);
		if (r.code < 500) {
			e->status = EX_TEMPFAIL;
			return false;
		}
	}
	if (in_mail > 0)
		return send_text(e, text);
	stream_say(e->peer->stream, S("RSET\r\n"));
	return expect(e, "RSET");
}

static bool waits send_all(struct errand *e, struct str text)
{
	size_t left = e->n;

	while (left > 0)
		if (!send_one(e, text, &left))
			return false;
	return true;
}

/* ---- -oem: what was refused goes to the sender ---- */

static void write_error(struct errand *e, struct buf *b, struct str text)
{
	char boundary[24];

	random_name(boundary, sizeof(boundary) - 1);
	buf_printf(b,
		   "From: Mail Delivery System <MAILER-DAEMON@%.*s>\r\n"
		   "To: <%.*s>\r\n"
		   "Subject: Your mail could not be sent\r\n"
		   "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n"
		   "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		   "Content-Transfer-Encoding: 8bit\r\n\r\n"
		   "Your mail was not sent to:\r\n\r\n%.*s\r\n"
		   "It follows below.\r\n"
		   "--%s\r\nContent-Type: message/rfc822\r\n"
		   "Content-Transfer-Encoding: 8bit\r\n\r\n%.*s\r\n--%s--\r\n",
		   STR(e->host), STR(e->sender), boundary, boundary,
		   STR(buf_str(&e->refusals)), boundary, STR(text), boundary);
}

/* True: it is on its way to him. */
static bool waits hand_back(struct errand *e, struct str error)
{
	struct reply r;

	e->options.notify = NULL;
	stream_say(e->peer->stream, S("RSET\r\n"));
	if (!expect(e, "RSET"))
		return false;
	say_mail(e, S(""), error);
	if (!expect(e, "the sender") || !ask_recipient(e, e->sender, &r))
		return false;
	if (r.code < 400)
		return send_text(e, error);
	refuse(e, e->sender, &r);
	return false;
}

/* Its own trouble changes nothing: the status says already that it went
 * wrong. */
static void waits return_to_sender(struct errand *e, struct str text)
{
	struct buf error scoped(buf) = BUF_EMPTY;
	int status = e->status;

	write_error(e, &error, text);
	e->is_lost = !hand_back(e, buf_str(&error));
	e->status = status;
}

/* ---- the whole ---- */

/* -bv: as Sendmail says it. */
static void waits verify(struct errand *e)
{
	struct reply r;

	if (!choose_recipients(e) || !choose_sender(e))
		return;
	say_mail(e, e->sender, S(""));
	if (!expect(e, "the sender"))
		return;
	for (size_t i = 0; i < e->n; i++) {
		if (!ask_recipient(e, e->to[i].address, &r))
			return;
		if (e->status == EX_OK && r.code >= 400)
			e->status = status_of(&r);
		printf("%.*s... %.*s\n", STR(e->to[i].address),
		       STR(r.code < 400 ? S("deliverable")
					: reply_line(&r, e->arena)));
	}
}

static void waits send_letter(struct errand *e)
{
	struct buf letter scoped(buf) = BUF_EMPTY;
	bool refused;

	if (!choose_recipients(e) || !choose_sender(e))
		return;
	letter_finish(&letter, buf_str(&e->text), &e->writer,
		      e->options.from_header);
	send_all(e, buf_str(&letter));
	refused = e->status == EX_NOUSER || e->status == EX_UNAVAILABLE;
	if (refused && e->options.mail_errors && !str_empty(e->sender) &&
	    !e->peer->is_broken)
		return_to_sender(e, buf_str(&letter));
}

static void waits talk(struct errand *e)
{
	struct reply r;

	if (!greet(e))
		return;
	if (e->options.job == SENDMAIL_VERIFY)
		verify(e);
	else
		send_letter(e);
	/* who leaves without hearing 221 looks as if he was lost */
	if (!e->peer->is_broken && !peer_ask(e->peer, e->arena, S("QUIT\r\n"),
					     &r, after_ms(LIMIT_COMMAND_MS)))
		e->peer->is_broken = true;
}

enum meeting { MET, NOT_NOW, NOT_THERE };

static enum meeting waits meet(struct errand *e, int64_t deadline_ms)
{
	struct stream *s = stream_dial_path(e->socket, deadline_ms);

	e->is_busy = false;
	if (!s)
		return programs_may_wait(e->socket) ? NOT_NOW : NOT_THERE;
	e->peer = peer_new(s, "the engine", false);
	talk(e);
	peer_close(e->peer);
	return e->is_busy ? NOT_NOW : MET;
}

/* A server that starts anew is back in a moment, and who sends much at once has
 * his turn: cron does not try again. */
static void waits converse(void *arg)
{
	enum { PATIENCE_MS = 20000, PAUSE_MS = 200 };
	int64_t end_ms = after_ms(PATIENCE_MS);
	struct errand *e = arg;
	enum meeting m;

	while ((m = meet(e, end_ms)) == NOT_NOW && now_ms() < end_ms)
		fiber_sleep(after_ms(PAUSE_MS));
	if (m == MET)
		return;
	e->is_lost = true;
	if (e->is_busy)
		e->status = call_fail(EX_TEMPFAIL,
				      "sendmail: the engine has no time: this "
				      "user has too many connections, or it "
				      "is stopping");
	else
		e->status = call_fail(EX_TEMPFAIL,
				      "sendmail: %s; is "
				      "`splitmail serve` running?",
				      cause());
}

/* Who said -oem does not look at the status. */
static void say_lost(struct errand *e)
{
	const char *path = "";

	if (!e->options.mail_errors)
		return;
	if (dead_letter_keep(buf_str(&e->text), e->arena, &path))
		call_fail(0, "sendmail: the mail was put into %s", path);
	else
		call_fail(0, "sendmail: the mail is lost: %s", cause());
}

static int send_from_stdin(const struct call *c, const struct sendmail *o)
{
	struct arena *arena scoped(arena) = arena_open();
	struct errand e = {
		.options = *o,
		.arena = arena,
		.status = EX_OK,
		.socket = programs_socket(c->data, arena),
	};

	if (o->job == SENDMAIL_SEND &&
	    !letter_read(&e.text, stdin, o->dot_ends))
		e.status = call_fail(EX_DATAERR, "sendmail: %s", cause());
	else
		loops_run(1, converse, &e);
	if (o->job == SENDMAIL_SEND && e.is_lost)
		say_lost(&e);
	buf_free(&e.text);
	buf_free(&e.refusals);
	return e.status;
}

int sendmail_main(const struct call *c)
{
	struct sendmail o;

	if (!sendmail_options(c->argc, c->argv, &o))
		return call_fail(EX_USAGE, "sendmail: %s", cause());
	switch (o.job) {
	case SENDMAIL_SEND:
	case SENDMAIL_VERIFY:
		return send_from_stdin(c, &o);
	case SENDMAIL_TALK:
		return sendmail_talk(c);
	case SENDMAIL_LIST:
		return mailq_main(c);
	case SENDMAIL_RETRY:
		if (!mailq_reads_queue(c))
			return call_fail(EX_NOPERM,
					 "sendmail: -q is for root and the "
					 "user of Splitmail");
		return c->command((char *[]){ "queue", "retry", NULL });
	case SENDMAIL_ALIASES:
		return newaliases_main(c);
	}
	return EX_OK;
}
