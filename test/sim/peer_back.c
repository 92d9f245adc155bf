/*
 * What a peer does not have goes to the other part of its domain, and so do
 * members of its lists: a mail with all of its recipients, a trace field in
 * front, and again with those who were answered 4xx or nothing.
 */
#include <stdlib.h>

#include "peer_inside.h"

enum { TRIES = 10, AGAIN_MS = 60000, REPLY_MS = 300000 };

/* The reply's code; 0: there is none. */
static int hear(struct stream *s)
{
	int64_t deadline = after_ms(REPLY_MS);
	bool is_last = false;
	uint64_t code = 0;
	ptrdiff_t end;

	while (!is_last) {
		while ((end = str_find(stream_bytes(s), '\n')) < 0)
			if (stream_fill(s, deadline) != STREAM_MORE)
				return 0;
		if (end < 4 ||
		    !str_number(str_part(stream_bytes(s), 0, 3), 999, &code))
			return 0;
		is_last = stream_bytes(s).p[3] != '-';
		stream_skip(s, (size_t)end + 1);
	}
	return (int)code;
}

static int ask(struct stream *s)
{
	return stream_flush(s, after_ms(REPLY_MS)) ? hear(s) : 0;
}

/* Where the header ends. */
static size_t header_bytes(struct str bytes)
{
	ptrdiff_t end = str_search(bytes, S("\r\n\r\n"));

	return end < 0 ? 0 : (size_t)end + 2;
}

/* With dots before dots; it ends with CRLF, or gets one. */
static void add_data(struct stream *s, struct str bytes, bool strips_trail)
{
	bool has_end = str_empty(bytes) || str_ends(bytes, S("\r\n"));
	const char *body = bytes.p + header_bytes(bytes);
	bool is_trail = false;
	struct str line;

	while (str_split(&bytes, '\n', &line)) {
		if (!str_starts(line, S("\t")))
			is_trail = str_starts(line, S("Splitmail-Trail:"));
		if (strips_trail && is_trail && line.p < body)
			continue;
		if (str_starts(line, S(".")))
			stream_say(s, S("."));
		stream_sayf(s, "%.*s%s", STR(line),
			    str_empty(bytes) && !has_end ? "\r\n" : "\n");
	}
	stream_say(s, S(".\r\n"));
}

/* 4xx, and no answer, are tried again. */
static void note_code(struct returned *r, int code)
{
	r->code = code;
	r->is_done = code && code / 100 != 4;
}

static void note_all(struct back *b, int code)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->to[i].is_done)
			note_code(&b->to[i], code);
}

/* Those it takes have 0 for now.  False: it does not answer any more. */
static bool say_recipients(struct stream *s, struct back *b, size_t *n)
{
	for (size_t i = 0; i < b->n; i++) {
		int code;

		if (b->to[i].is_done)
			continue;
		stream_sayf(s, "RCPT TO:<%.*s>\r\n", STR(b->to[i].recipient));
		code = ask(s);
		if (!code)
			return false;
		note_code(&b->to[i], code == 250 ? 0 : code);
		*n += code == 250;
	}
	return true;
}

/* The code of all those that were taken at RCPT, or of all; 0: who knows. */
static int converse(struct stream *s, struct back *b)
{
	size_t n = 0;
	int code = hear(s);

	if (code != 220)
		return code;
	stream_say(s, S("EHLO peer.test\r\n"));
	if ((code = ask(s)) != 250)
		return code;
	stream_sayf(s, "MAIL FROM:<%.*s>\r\n", STR(b->mail->sender));
	if ((code = ask(s)) != 250)
		return code;
	if (!say_recipients(s, b, &n) || !n)
		return 0;
	stream_say(s, S("DATA\r\n"));
	if ((code = ask(s)) != 354)
		return code;
	stream_sayf(s, "Received: from %s by %s;\r\n\t%s\r\n",
		    inet_literal(&b->mail->from).c, b->peer->name,
		    date_rfc5322(wall_ms()).c);
	add_data(s, b->mail->bytes, b->peer->strips_trail);
	return ask(s);
}

/* Those who were answered 4xx at RCPT wait for another time. */
static void note_taken(struct back *b, int code)
{
	for (size_t i = 0; code && i < b->n; i++)
		if (!b->to[i].is_done && !b->to[i].code)
			note_code(&b->to[i], code);
}

static void hand_over(struct back *b)
{
	const struct inet *from =
		b->peer->has_gateway ? &b->peer->gateway : NULL;
	struct stream *s =
		stream_dial(&b->peer->back, from, after_ms(REPLY_MS));
	int code;

	note_all(b, 0);
	if (!s)
		return;
	code = converse(s, b);
	note_taken(b, code);
	stream_say(s, S("QUIT\r\n"));
	if (code)
		(void)ask(s);
	stream_close(s);
}

static bool are_done(const struct back *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->to[i].is_done)
			return false;
	return true;
}

static void give_back(void *arg)
{
	struct back *b = arg;
	const struct sim_peer_book *book = &b->peer->book;

	for (;;) {
		hand_over(b);
		if (are_done(b) || ++b->tries == TRIES)
			break;
		fiber_sleep(after_ms(AGAIN_MS));
	}
	b->is_done = true;
	b->peer->figures.under_way--;
	for (size_t i = 0; i < b->n && book->gave_back; i++)
		book->gave_back(book->arg, b->peer, b->mail, b->to[i].recipient,
				b->to[i].code);
}

static void begin(struct back *b)
{
	check(fiber_start("giving back", give_back, b));
}

static void add_to(struct back *b, struct str recipient)
{
	b->to = list_grow(b->to, b->n, sizeof(b->to[0]));
	b->to[b->n++] = (struct returned){ .recipient = recipient };
}

/* Without its detail, for which alone it may be quoted. */
static bool is_for(struct str recipient, const char *list)
{
	size_t quote = str_starts(recipient, S("\""));
	ptrdiff_t plus = str_find(recipient, '+'),
		  at = str_find_last(recipient, '@');
	struct str local, rest = str_of(list);

	if (plus < 0 || at < plus)
		return str_same_nocase(recipient, rest);
	local = str_part(recipient, quote, (size_t)plus);
	return str_starts_nocase(rest, local) &&
	       str_same_nocase(str_from(rest, local.n),
			       str_from(recipient, (size_t)at));
}

static void add_members(struct back *b, const struct sim_peer *p,
			struct str list)
{
	for (size_t i = 0; i < p->n_lists; i++)
		if (is_for(list, p->lists[i].address))
			add_to(b, str_of(p->lists[i].member));
}

void sim_peer_give_back(struct sim_peer *p, const struct sim_peer_mail *m)
{
	struct back *b = must_alloc(sizeof(*b));

	*b = (struct back){ .peer = p, .mail = m };
	for (size_t i = 0; i < m->n; i++) {
		if (!sim_peer_has(p, m->recipients[i]))
			add_to(b, m->recipients[i]);
		add_members(b, p, m->recipients[i]);
	}
	if (b->n == 0) {
		free(b);
		return;
	}
	p->backs = list_grow(p->backs, p->n_backs, sizeof(p->backs[0]));
	p->backs[p->n_backs++] = b;
	p->figures.under_way++;
	begin(b);
}

void sim_peer_back_resume(struct sim_peer *p)
{
	for (size_t i = 0; i < p->n_backs; i++)
		if (!p->backs[i]->is_done)
			begin(p->backs[i]);
}
