/*
 * What a peer does not have goes to the other part of its domain: each
 * recipient in a mail of its own, with a trace field in front, again and again
 * while that says 4xx or nothing.
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

/* With dots before dots; it ends with CRLF, or gets one. */
static void add_data(struct stream *s, struct str bytes)
{
	bool has_end = str_empty(bytes) || str_ends(bytes, S("\r\n"));
	struct str line;

	while (str_split(&bytes, '\n', &line)) {
		if (str_starts(line, S(".")))
			stream_say(s, S("."));
		stream_sayf(s, "%.*s%s", STR(line),
			    str_empty(bytes) && !has_end ? "\r\n" : "\n");
	}
	stream_say(s, S(".\r\n"));
}

/* The first code that is not what it should be, or the last. */
static int converse(struct stream *s, const struct back *b)
{
	int code = hear(s);

	if (code != 220)
		return code;
	stream_say(s, S("EHLO peer.test\r\n"));
	if ((code = ask(s)) != 250)
		return code;
	stream_sayf(s, "MAIL FROM:<%.*s>\r\n", STR(b->mail->sender));
	if ((code = ask(s)) != 250)
		return code;
	stream_sayf(s, "RCPT TO:<%.*s>\r\n", STR(b->recipient));
	if ((code = ask(s)) != 250)
		return code;
	stream_say(s, S("DATA\r\n"));
	if ((code = ask(s)) != 354)
		return code;
	stream_sayf(s, "Received: from %s by %s;\r\n\t%s\r\n",
		    inet_literal(&b->mail->from).c, b->peer->name,
		    date_rfc5322(wall_ms()).c);
	add_data(s, b->mail->bytes);
	return ask(s);
}

static int hand_over(const struct back *b)
{
	const struct inet *from =
		b->peer->has_gateway ? &b->peer->gateway : NULL;
	struct stream *s =
		stream_dial(&b->peer->back, from, after_ms(REPLY_MS));
	int code;

	if (!s)
		return 0;
	code = converse(s, b);
	stream_say(s, S("QUIT\r\n"));
	if (code)
		(void)ask(s);
	stream_close(s);
	return code;
}

static void give_back(void *arg)
{
	struct back *b = arg;
	const struct sim_peer_book *book = &b->peer->book;
	int code;

	do {
		code = hand_over(b);
		if (code && code / 100 != 4)
			break;
		b->tries++;
		fiber_sleep(after_ms(AGAIN_MS));
	} while (b->tries < TRIES);
	b->is_done = true;
	b->peer->figures.under_way--;
	if (book->gave_back)
		book->gave_back(book->arg, b->peer, b->mail, b->recipient,
				code);
}

static void begin(struct back *b)
{
	check(fiber_start("giving back", give_back, b));
}

void sim_peer_give_back(struct sim_peer *p, const struct sim_peer_mail *m)
{
	struct back *b;

	for (size_t i = 0; i < m->n; i++) {
		if (sim_peer_has(p, m->recipients[i]))
			continue;
		b = must_alloc(sizeof(*b));
		*b = (struct back){ .peer = p,
				    .mail = m,
				    .recipient = m->recipients[i] };
		p->backs = list_grow(p->backs, p->n_backs, sizeof(p->backs[0]));
		p->backs[p->n_backs++] = b;
		p->figures.under_way++;
		begin(b);
	}
}

void sim_peer_back_resume(struct sim_peer *p)
{
	for (size_t i = 0; i < p->n_backs; i++)
		if (!p->backs[i]->is_done)
			begin(p->backs[i]);
}
