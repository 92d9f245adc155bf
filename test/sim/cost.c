/*
 * splitmail-cost: conversations that are always the same, with the whole engine
 * in a world.  tools/dev/cost.py counts the instructions of measured().
 *
 *	splitmail-cost
 *
 * Each conversation is one session.  Some mails come first that are not
 * counted, so that connections stand and memory is there; then those that are,
 * and of these a line is printed:
 *
 *	NAME MAILS OCTETS CHANGES CODE
 *
 * OCTETS are those of a mail's text as the client sends it, CHANGES what
 * happened to the engine's disk, CODE the answer to the last mail.
 *
 * DIAGNOSTICS
 *	status 0: all was said and answered.  The first line says what we, and
 *	the libraries we call, are made of.
 */
#include <gnu/libc-version.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "cost_world.h"
#include "rt/clock.h"
#include "rt/stream.h"

enum {
	WARM = 4,
	BODY_BYTES = 300000,
	LETTER_BYTES = 4096,
	LARGE_BYTES = 1 << 20
};
#define HOUR_US 3600000000

struct conversation {
	const char *name;
	const char *to[2]; /* local parts; "a", "b": so many of them: */
	unsigned numbered;
	unsigned mails;         /* that are counted */
	bool alone;             /* a session each */
	size_t chunk;           /* octets of a BDAT; 0: DATA */
	const struct str *text; /* on the wire; NULL: a short letter */
};

static const char letter[] =
	"Received: from desk.client.test (desk.client.test [192.0.2.51])\r\n"
	"\tby mail.client.test with ESMTPS id 4Vq0F31v1zz9sT4\r\n"
	"\tfor <a0@own.test>; Sun, 1 Nov 2026 08:00:00 +0100\r\n"
	"From: =?UTF-8?Q?J=C3=BCrgen?= Ordinary <j@client.test>\r\n"
	"To: Somebody <a0@own.test>\r\n"
	"Cc: Another <c@elsewhere.test>, Third <d@elsewhere.test>\r\n"
	"Subject: The minutes of last week, and a question\r\n"
	"Date: Sun, 1 Nov 2026 08:00:00 +0100\r\n"
	"Message-ID: <20261101080000.4Vq0F31v1zz9sT4@client.test>\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: text/plain; charset=utf-8\r\n"
	"Content-Transfer-Encoding: 8bit\r\n"
	"\r\n"
	"Hello,\r\n"
	"\r\n"
	"here are the minutes, and there is the question whether the room is\r\n"
	"free on Thursday.  It would do for the ten of us, and the lamp works\r\n"
	"again.\r\n"
	"\r\n"
	"-- \r\n"
	"J.\r\n"
	".\r\n";

/* ---- talking ---- */

struct talk {
	const struct conversation *c;
	struct stream *s;
	struct str text;
	int code; /* of the last mail */
	bool is_warm, is_done;
};

static bool may_go; /* those that are counted */

static int hear(struct talk *t)
{
	bool goes_on = true;
	int code = 0;

	while (goes_on) {
		struct str bytes;
		ptrdiff_t end;

		while ((end = str_find(stream_bytes(t->s), '\n')) < 0)
			if (stream_fill(t->s, NEVER) != STREAM_MORE)
				return 0;
		bytes = stream_bytes(t->s);
		check(bytes.n >= 4);
		code = atoi(bytes.p);
		goes_on = bytes.p[3] == '-';
		stream_skip(t->s, (size_t)end + 1);
	}
	return code;
}

static int ask(struct talk *t, struct str what)
{
	stream_say(t->s, what);
	return stream_flush(t->s, NEVER) ? hear(t) : 0;
}

static void begin(struct talk *t)
{
	struct inet at;

	check(inet_parse(S(COST_ENGINE), 0, &at));
	t->s = stream_dial(&at, NULL, NEVER);
	check(t->s && hear(t) == 220);
	check(ask(t, S("EHLO mail.client.test\r\n")) == 250);
}

static void end(struct talk *t)
{
	if (ask(t, S("QUIT\r\n")))
		check(!hear(t));
	stream_close(t->s);
}

/* How many. */
static unsigned say_recipients(struct talk *t)
{
	unsigned n = 0;

	for (size_t k = 0; k < array_size(t->c->to) && t->c->to[k]; k++) {
		if (!t->c->numbered) {
			stream_sayf(t->s, "RCPT TO:<%s@own.test>\r\n",
				    t->c->to[k]);
			n++;
		}
		for (unsigned i = 0; i < t->c->numbered; i++, n++)
			stream_sayf(t->s, "RCPT TO:<%s%u@own.test>\r\n",
				    t->c->to[k], i);
	}
	return n;
}

static int say_chunks(struct talk *t)
{
	struct str rest = t->text;
	int code = 250;

	while (rest.n > 0 && code == 250) {
		struct str chunk = str_part(rest, 0, t->c->chunk);

		rest = str_from(rest, chunk.n);
		stream_sayf(t->s, "BDAT %zu%s\r\n", chunk.n,
			    rest.n ? "" : " LAST");
		code = ask(t, chunk);
	}
	return code;
}

/* One behind the other, as far as RFC 2920 permits. */
static void send_mail(struct talk *t)
{
	unsigned n;

	stream_say(t->s, S("MAIL FROM:<j@client.test> BODY=8BITMIME\r\n"));
	n = say_recipients(t);
	if (!t->c->chunk)
		stream_say(t->s, S("DATA\r\n"));
	check(stream_flush(t->s, NEVER) && hear(t) == 250);
	while (n-- > 0)
		check(hear(t) == 250);
	if (t->c->chunk) {
		t->code = say_chunks(t);
	} else {
		check(hear(t) == 354);
		t->code = ask(t, t->text);
	}
	check(t->code);
}

static void send_mails(struct talk *t, unsigned n)
{
	while (n-- > 0) {
		if (t->c->alone)
			begin(t);
		send_mail(t);
		if (t->c->alone)
			end(t);
	}
}

static void run(void *talk)
{
	struct talk *t = talk;

	if (!t->c->alone)
		begin(t);
	send_mails(t, t->c->text ? 1 : WARM);
	t->is_warm = true;
	while (!may_go)
		fiber_sleep(after_ms(1));
	send_mails(t, t->c->mails);
	t->is_done = true;
	if (!t->c->alone)
		end(t);
}

/* ---- counting ---- */

static void until(const bool *is_so)
{
	while (!*is_so)
		check(sim_step(now_us() + HOUR_US));
}

void measured(const bool *is_done) __attribute__((noinline));

/* A dump of the counts is written at its end. */
void measured(const bool *is_done)
{
	may_go = true;
	until(is_done);
}

static void hold(const struct conversation *c)
{
	struct talk t = { .c = c };
	struct sim_process *client;
	uint64_t changes;

	t.text = c->text ? *c->text : str_of(letter);
	may_go = false;
	client = sim_start(cost_client(), "client", run, &t);
	until(&t.is_warm);
	changes = cost_disk_changes();
	measured(&t.is_done);
	printf("%s %u %zu %llu %d\n", c->name, c->mails, t.text.n,
	       (unsigned long long)(cost_disk_changes() - changes), t.code);
	while (!sim_has_ended(client))
		check(sim_step(now_us() + HOUR_US));
}

/* ---- what a mail costs ---- */

static const struct conversation ordinary[] = {
	{ .name = "handed-over", .to = { "a0" }, .mails = 100 },
	{ .name = "a-session-each",
	  .to = { "a0" },
	  .mails = 30,
	  .alone = true },
	{ .name = "kept", .to = { "later" }, .mails = 50 },
	{ .name = "mailbox", .to = { "here" }, .mails = 100 },
	{ .name = "fifty-recipients",
	  .to = { "a", "b" },
	  .numbered = COST_USERS,
	  .mails = 10 },
};

/* ---- what an octet costs ---- */

struct kind {
	const char *name;
	struct str head, piece;
};

#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define HEAD TEXT("Subject: x\r\n\r\n")
#define LINE \
	TEXT("This line has seventy octets, as the lines of ordinary mail " \
	     "have, ab.\r\n")
#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X900 X100 X100 X100 X100 X100 X100 X100 X100 X100

static const struct kind kinds[] = {
	{ "stuffed-lines", HEAD, TEXT("..x\r\n") },
	{ "lone-dots", HEAD, TEXT("..\r\n") },
	{ "rows-of-dots", HEAD, TEXT("...\r\n.....\r\n..\r\n") },
	{ "dots-that-end-no-line", HEAD, TEXT(".x\r\n") },
	{ "empty-lines", HEAD, TEXT("\r\n") },
	{ "lines-of-an-octet", HEAD, TEXT("x\r\n") },
	{ "lines-of-7", HEAD, TEXT("1234567\r\n") },
	{ "lines-of-1000", HEAD,
	  TEXT(X900 X10 X10 X10 X10 X10 X10 X10 X10 X10 "xxxxxxxx\r\n") },
	{ "no-line-end", HEAD, TEXT("x") },
	{ "eight-bits", HEAD, TEXT("\xc3\xa4\xff\x80\xfe\xa0 .\r\n") },
	{ "bare-LF", HEAD, TEXT("x\n") },
	{ "bare-CR", HEAD, TEXT("x\r") },
	{ "NUL", HEAD, TEXT("\0") },
	{ "a-dot-and-a-CR", HEAD, TEXT(".\r.\r\n") },
	{ "no-header", TEXT(""), TEXT("text\r\n") },
	{ "only-a-header", TEXT(""),
	  TEXT("X-A: This field has seventy octets, as many of real mail have, "
	       "abc\r\n") },
	{ "short-fields", TEXT(""), TEXT("a:\r\n") },
	{ "folded", TEXT("Subject: x\r\n"), TEXT(" \r\n") },
	{ "one-field", TEXT("Subject: "), TEXT("x") },
	{ "one-folded-field", TEXT("Subject: x\r\n"),
	  TEXT(" yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
	       "yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n") },
	{ "trails", TEXT(""), TEXT("Splitmail-Trail: x\r\n") },
	{ "eight-bits-in-fields", TEXT(""),
	  TEXT("X-A: \xc3\xa4\xc3\xa4\xc3\xa4\r\n") },
};

static const struct kind ordinary_text = { "ordinary-text", HEAD, LINE };
static const size_t chunks[] = { 7, 50, 1000, 50000 };

static struct str text_of(const struct kind *k, size_t bytes, struct buf *to)
{
	buf_clear(to);
	buf_add(to, k->head);
	while (to->n < bytes)
		buf_add(to, k->piece);
	return buf_str(to);
}

static void send_text(const char *name, const struct kind *k, size_t bytes)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str text;

	text_of(k, bytes, &b);
	buf_add(&b, S("\r\n.\r\n"));
	text = buf_str(&b);
	hold(&(struct conversation){
		.name = name, .to = { "a0" }, .mails = 1, .text = &text });
}

/* The same without a filter and with one, which adds a field. */
static void send_filtered(void)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str text;

	buf_add(&b, (struct str){ letter, sizeof(letter) - 4 });
	while (b.n < LETTER_BYTES)
		buf_add(&b, ordinary_text.piece);
	buf_add(&b, S(".\r\n"));
	text = buf_str(&b);
	hold(&(struct conversation){ .name = "four-KiB",
				     .to = { "a0" },
				     .mails = 100,
				     .text = &text });
	cost_world_filter();
	hold(&(struct conversation){ .name = "filtered",
				     .to = { "a0" },
				     .mails = 100,
				     .text = &text });
}

static void send_in_chunks(size_t size)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str text = text_of(&ordinary_text, BODY_BYTES, &b);
	char name[32];

	snprintf(name, sizeof(name), "chunks-of-%zu", size);
	hold(&(struct conversation){ .name = name,
				     .to = { "a0" },
				     .mails = 1,
				     .chunk = size,
				     .text = &text });
}

int main(void)
{
	printf("gcc %s, glibc %s, SQLite %s\n", __VERSION__,
	       gnu_get_libc_version(), sqlite3_libversion());
	cost_world_open();
	for (size_t i = 0; i < array_size(ordinary); i++)
		hold(&ordinary[i]);
	send_text("large", &ordinary_text, LARGE_BYTES);
	send_text(ordinary_text.name, &ordinary_text, BODY_BYTES);
	for (size_t i = 0; i < array_size(kinds); i++)
		send_text(kinds[i].name, &kinds[i], BODY_BYTES);
	for (size_t i = 0; i < array_size(chunks); i++)
		send_in_chunks(chunks[i]);
	send_filtered();
	cost_world_close();
	return 0;
}
