/*
 * splitmail sendmail: a message from standard input into the engine.
 *
 * It speaks SMTP on the engine's own Unix socket.  Sieve's redirect and
 * vacation come this way.  Line ends become CRLF here; a lone CR becomes CRLF
 * too, since local programs are not attackers but are often careless.
 *
 * Exit status as sysexits.h says: 0 sent, 64 usage, 69 refused, 75 try again.
 */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "main/main.h"
#include "rt/loop.h"
#include "rt/stream.h"
#include "wire/data.h"
#include "wire/reply.h"

struct errand {
	const char *socket, *sender;
	char **recipients;
	int n;
	struct buf text;
	struct arena *arena;
	int status;
};

static bool waits hear(struct errand *e, struct stream *s, struct reply *r)
{
	int64_t deadline = after_ms(LIMIT_FINAL_REPLY_MS);
	size_t used;

	for (;;) {
		switch (reply_parse(stream_bytes(s), e->arena, r, &used)) {
		case REPLY_WHOLE:
			stream_skip(s, used);
			return true;
		case REPLY_BAD:
			return false;
		case REPLY_PART:
			break;
		}
		if (stream_fill(s, deadline) != STREAM_MORE)
			return false;
	}
}

/* Say LINE (already buffered) and want a reply of class CLASS. */
static bool waits ask(struct errand *e, struct stream *s, int class)
{
	struct reply r;

	if (!stream_flush(s, after_ms(LIMIT_COMMAND_MS)) || !hear(e, s, &r)) {
		e->status = call_fail(EX_TEMPFAIL, "the engine went away");
		return false;
	}
	if (r.code / 100 == class)
		return true;
	e->status = call_fail(r.code >= 500 ? EX_UNAVAILABLE : EX_TEMPFAIL,
			      "%.*s", STR(reply_line(&r, e->arena)));
	return false;
}

static bool waits envelope(struct errand *e, struct stream *s)
{
	if (!ask(e, s, 2))
		return false;
	stream_say(s, S("EHLO localhost\r\n"));
	if (!ask(e, s, 2))
		return false;
	stream_sayf(s, "MAIL FROM:<%s>\r\n", e->sender);
	if (!ask(e, s, 2))
		return false;
	for (int i = 0; i < e->n; i++) {
		stream_sayf(s, "RCPT TO:<%s>\r\n", e->recipients[i]);
		if (!ask(e, s, 2))
			return false;
	}
	stream_say(s, S("DATA\r\n"));
	return ask(e, s, 3);
}

static void waits send_text(void *arg)
{
	struct errand *e = arg;
	struct stream *s = stream_dial_path(e->socket, after_ms(10000));
	struct buf stuffed scoped(buf) = BUF_EMPTY;
	bool at_line_start = true;

	if (!s) {
		e->status = call_fail(EX_TEMPFAIL, "%s; is `splitmail serve` "
				      "running?", cause());
		return;
	}
	if (envelope(e, s)) {
		data_stuff(&stuffed, buf_str(&e->text), &at_line_start);
		buf_add(&stuffed, S(".\r\n"));
		stream_say(s, buf_str(&stuffed));
		if (ask(e, s, 2))
			e->status = EX_OK;
	}
	stream_say(s, S("QUIT\r\n"));
	if (!stream_flush(s, after_ms(1000)))
		call_fail(0, "%s", cause());
	stream_close(s);
}

static bool read_text(struct buf *to, FILE *from)
{
	int ch, last = 0;

	while ((ch = getc(from)) != EOF) {
		if (to->n > LIMIT_MESSAGE_BYTES)
			return fail("the message is larger than %d bytes",
				    LIMIT_MESSAGE_BYTES);
		if (ch == '\n' && last == '\r') {
			last = ch;
			continue;
		}
		if (ch == '\n' || ch == '\r')
			buf_add(to, S("\r\n"));
		else if (ch != 0)
			buf_add_char(to, (char)ch);
		last = ch;
	}
	if (to->n > 0 && !str_ends(buf_str(to), S("\r\n")))
		buf_add(to, S("\r\n"));
	return true;
}

static bool check_addresses(struct errand *e)
{
	struct address unused;

	if (*e->sender &&
	    !address_parse(str_of(e->sender), e->arena, &unused))
		return add_cause("sender");
	for (int i = 0; i < e->n; i++)
		if (!address_parse(str_of(e->recipients[i]), e->arena,
				   &unused))
			return add_cause("recipient");
	return true;
}

/* Options of other sendmails that change nothing here are taken. */
static bool take_options(const struct call *c, struct errand *e)
{
	int i = 1;

	for (; i < c->argc && c->argv[i][0] == '-'; i++) {
		const char *a = c->argv[i];

		if (!strcmp(a, "--")) {
			i++;
			break;
		}
		if (!strcmp(a, "-f") || !strcmp(a, "-r")) {
			if (++i >= c->argc)
				return fail("%s needs a sender", a);
			e->sender = c->argv[i];
		} else if (!strncmp(a, "-f", 2)) {
			e->sender = a + 2;
		} else if (strcmp(a, "-i") && strcmp(a, "-oi") &&
			   strncmp(a, "-F", 2) && strncmp(a, "-o", 2)) {
			return fail("option %s is not supported", a);
		}
	}
	e->recipients = c->argv + i;
	e->n = c->argc - i;
	if (e->n < 1)
		return fail("no recipient");
	if (!strcmp(e->sender, "<>"))
		e->sender = "";
	return check_addresses(e);
}

int sendmail_main(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct buf text scoped(buf) = BUF_EMPTY;
	struct errand e = {
		.sender = "", .arena = arena, .status = EX_TEMPFAIL,
		.socket = arena_printf(arena, "%s/run/submit", c->data),
	};

	if (!take_options(c, &e))
		return call_fail(EX_USAGE, "sendmail: %s", cause());
	if (!read_text(&text, stdin))
		return call_fail(EX_DATAERR, "sendmail: %s", cause());
	e.text = text;
	loops_run(1, send_text, &e);
	return e.status;
}
