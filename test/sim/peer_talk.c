/*
 * A conversation as the conduct has it: each reply comes from the first rule
 * that applies, or else is the usual one.
 *
 * Order of commands is not enforced but for DATA and BDAT without recipients:
 * who talks to us is tested elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>

#include "peer_inside.h"

struct session {
	struct sim_peer *peer;
	const struct conduct *conduct;
	struct stream *stream;
	bool is_over, by_tls;
	uint64_t mails;
	uint64_t errors, junk; /* since the last mail was taken */
	uint64_t seen[MOMENTS];
	/* The mail at hand. */
	char *sender;
	struct str *recipients;
	size_t n;
	struct buf bytes;
	bool by_bdat;
	struct sim_peer_mail *taken; /* it is */
};

/* What was heard of an answer. */
enum said {
	SAID_NOTHING,
	SAID_NO,
	SAID_YES, /* 2xx, 3xx */
};

enum { SEND_MS = 600000, HANDSHAKE_MS = 30000 };

static void forget(struct session *s)
{
	for (size_t i = 0; i < s->n; i++)
		free((char *)s->recipients[i].p);
	free(s->recipients);
	free(s->sender);
	s->sender = NULL;
	s->recipients = NULL;
	s->n = 0;
	s->taken = NULL;
	buf_clear(&s->bytes);
}

/* ---- saying ---- */

static bool send_all(struct session *s)
{
	if (!stream_flush(s->stream, after_ms(SEND_MS)))
		s->is_over = true;
	return !s->is_over;
}

/* "250 a\nb": 250-a, 250 b */
static void add_lines(struct stream *to, struct str text)
{
	struct str code = str_part(text, 0, 3), line;

	while (str_split(&text, '\n', &line)) {
		if (str_starts(line, code))
			line = str_from(line, 4);
		stream_sayf(to, "%.*s%c%.*s\r\n", STR(code),
			    str_empty(text) ? ' ' : '-', STR(line));
	}
}

static void take(struct session *s)
{
	struct sim_peer_mail m = {
		.from = *stream_peer(s->stream),
		.sender = str_of(s->sender),
		.recipients = s->recipients,
		.n = s->n,
		.bytes = buf_str(&s->bytes),
		.by_bdat = s->by_bdat,
		.by_tls = s->by_tls,
	};

	s->taken = sim_peer_take(s->peer, &m);
	s->mails++;
	s->errors = s->junk = 0;
}

static void tell_refused(struct session *s, struct str recipient,
			 struct str bytes, const char *text)
{
	const struct sim_peer_book *book = &s->peer->book;

	s->peer->figures.refused++;
	if (book->refuses)
		book->refuses(book->arg, s->peer, recipient, bytes, text);
}

static bool is_end(enum moment at)
{
	return at == MOMENT_DOT || at == MOMENT_BDAT;
}

/* PATH is what it is said to, of RCPT. */
static void note(struct session *s, enum moment at, struct str path,
		 const char *text)
{
	s->errors += text[0] == '4' || text[0] == '5';
	if (is_end(at) && text[0] == '2' && !s->taken)
		take(s);
	if (at == MOMENT_RCPT && text[0] == '5')
		tell_refused(s, path, STR_NONE, text);
	for (size_t i = 0; is_end(at) && text[0] == '5' && i < s->n; i++)
		tell_refused(s, s->recipients[i], buf_str(&s->bytes), text);
}

static enum said say(struct session *s, enum moment at, struct str path,
		     const char *text, bool is_raw)
{
	note(s, at, path, text);
	if (is_raw)
		stream_say(s->stream, str_of(text));
	else
		add_lines(s->stream, str_of(text));
	if (!send_all(s))
		return SAID_NO;
	if (is_end(at) && s->taken)
		s->taken->is_said = text[0] == '2';
	return text[0] == '2' || text[0] == '3' ? SAID_YES : SAID_NO;
}

static void say_plainly(struct session *s, const char *text)
{
	say(s, MOMENT_OTHER, STR_NONE, text, false);
}

/* ---- rules ---- */

static bool has_unknown(struct session *s, enum moment at, struct str path)
{
	if (at == MOMENT_RCPT)
		return !sim_peer_has(s->peer, path);
	for (size_t i = 0; i < s->n; i++)
		if (!sim_peer_has(s->peer, s->recipients[i]))
			return true;
	return false;
}

/* What came behind a command's path, or all that came behind its verb. */
struct words {
	struct str path, parameters;
};

static bool is_counted_met(const struct session *s, enum moment at,
			   const struct condition *c)
{
	return s->mails >= c->mails && s->n >= c->recipients &&
	       (!c->more_recipients || s->n > c->more_recipients) &&
	       s->errors >= c->errors && s->junk >= c->junk &&
	       s->seen[at] >= c->seen &&
	       s->peer->figures.refused >= c->refused && s->bytes.n >= c->bytes;
}

static bool is_met(struct session *s, enum moment at, const struct words *w,
		   const struct condition *c)
{
	return is_counted_met(s, at, c) && (!c->is_clear || !s->by_tls) &&
	       (!c->has_parameters || !str_empty(w->parameters)) &&
	       (!c->is_unknown || has_unknown(s, at, w->path)) &&
	       (!c->new_for_ms ||
		now_ms() - sim_peer_first_seen(s->peer, w->path) <
			c->new_for_ms);
}

static bool applies(struct session *s, enum moment at, const struct words *w,
		    size_t i)
{
	const struct rule *r = &s->conduct->rules[i];
	struct rule_state *state = &s->peer->rules[i];

	if (!(r->at & 1U << at) || !is_met(s, at, w, &r->when))
		return false;
	if (!state->is_met)
		*state = (struct rule_state){ true, now_ms(), 0 };
	if (r->when.for_ms && now_ms() - state->first_ms >= r->when.for_ms)
		return false;
	if (r->when.times && state->times >= r->when.times)
		return false;
	state->times++;
	return true;
}

static void hear_nothing(struct session *s)
{
	while (stream_fill(s->stream, NEVER) == STREAM_MORE)
		stream_skip(s->stream, stream_bytes(s->stream).n);
}

static enum said perform(struct session *s, enum moment at, struct str path,
			 const struct deed *d)
{
	enum said said = SAID_NO;

	if (d->takes && !s->taken)
		take(s);
	if (d->says)
		said = say(s, at, path, d->says, d->is_raw);
	if (d->then == THEN_SILENCE)
		hear_nothing(s);
	if (d->then == THEN_RESET) {
		stream_reset(s->stream);
		s->stream = NULL;
	}
	if (d->then != THEN_GO_ON)
		s->is_over = true;
	return s->is_over ? SAID_NO : said;
}

/* USUAL is NULL: nothing is said there. */
static enum said answer(struct session *s, enum moment at,
			const struct words *w, const char *usual)
{
	s->seen[at]++;
	for (size_t i = 0; i < s->conduct->n_rules; i++) {
		const struct deed *d = &s->conduct->rules[i].does;

		if (!applies(s, at, w, i))
			continue;
		s->errors += d->is_error;
		if (d->wait_ms)
			fiber_sleep(after_ms(d->wait_ms));
		if (d->says || d->then != THEN_GO_ON)
			return perform(s, at, w->path, d);
	}
	return usual ? say(s, at, w->path, usual, false) : SAID_NOTHING;
}

/* ---- the bytes of a mail ---- */

static const struct words no_words;

static bool fill(struct session *s)
{
	if (stream_fill(s->stream, after_ms(s->conduct->idle_ms)) !=
	    STREAM_MORE)
		s->is_over = true;
	return !s->is_over;
}

/* Without the dots before dots; CRLF.CRLF, whose first half is part of it. */
static void unstuff(struct buf *b)
{
	bool at_start = true;
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++) {
		bool drop = at_start && b->p[i] == '.';

		at_start = i > 0 && b->p[i] == '\n' && b->p[i - 1] == '\r';
		if (!drop)
			b->p[kept++] = b->p[i];
	}
	b->n = kept;
}

/* Where the data ends, its last three bytes not counted; -1: not yet. */
static ptrdiff_t end_of_data(const struct buf *b, size_t looked)
{
	size_t from = looked > 4 ? looked - 4 : 0;
	ptrdiff_t end;

	if (str_starts(buf_str(b), S(".\r\n")))
		return 0;
	end = str_search(str_from(buf_str(b), from), S("\r\n.\r\n"));
	return end < 0 ? -1 : (ptrdiff_t)from + end + 2;
}

static bool read_data(struct session *s)
{
	size_t looked, more;
	ptrdiff_t end;

	if (str_empty(stream_bytes(s->stream)) && !fill(s))
		return false;
	answer(s, MOMENT_BODY, &no_words, NULL);
	if (s->is_over)
		return false;
	do {
		if (str_empty(stream_bytes(s->stream)) && !fill(s))
			return false;
		looked = s->bytes.n;
		buf_add(&s->bytes, stream_bytes(s->stream));
		end = end_of_data(&s->bytes, looked);
		more = end < 0 ? s->bytes.n - looked : (size_t)end + 3 - looked;
		stream_skip(s->stream, more);
	} while (end < 0);
	s->bytes.n = (size_t)end;
	unstuff(&s->bytes);
	return true;
}

static bool read_chunk(struct session *s, uint64_t bytes)
{
	while (bytes) {
		struct str here = stream_bytes(s->stream);

		if (str_empty(here) && !fill(s))
			return false;
		here = str_part(stream_bytes(s->stream), 0, bytes);
		buf_add(&s->bytes, here);
		bytes -= here.n;
		stream_skip(s->stream, here.n);
	}
	return true;
}

/* ---- commands ---- */

/* "FROM:<a@b> SIZE=3" */
static struct words path_of(struct str arguments)
{
	ptrdiff_t begin = str_find(arguments, '<');
	ptrdiff_t end = str_find_last(arguments, '>');

	if (begin < 0 || end < begin)
		return (struct words){ arguments, STR_NONE };
	return (struct words){
		str_part(arguments, (size_t)begin + 1, (size_t)end),
		str_trim(str_from(arguments, (size_t)end + 1)),
	};
}

static void on_hello(struct session *s, enum moment at, struct str arguments)
{
	struct buf all scoped(buf) = BUF_EMPTY;

	forget(s);
	s->junk++;
	buf_add(&all, S("250 peer.test"));
	for (size_t i = 0; at == MOMENT_EHLO && i < s->conduct->n_extensions;
	     i++)
		buf_printf(&all, "\n250 %s", s->conduct->extensions[i]);
	if (at == MOMENT_EHLO && s->peer->tls && !s->by_tls)
		buf_add(&all, S("\n250 STARTTLS"));
	buf_add_char(&all, '\0');
	answer(s, at, &(struct words){ arguments, STR_NONE }, all.p);
}

static void on_starttls(struct session *s)
{
	if (answer(s, MOMENT_STARTTLS, &no_words,
		   s->peer->tls ? "220 2.0.0 go ahead"
				: "502 5.5.1 not here") != SAID_YES)
		return;
	if (answer(s, MOMENT_TLS, &no_words, NULL) != SAID_NOTHING ||
	    !s->peer->tls ||
	    !stream_tls_accept(s->stream, s->peer->tls, after_ms(HANDSHAKE_MS)))
		s->is_over = true;
	s->by_tls = !s->is_over;
	forget(s);
}

static void on_mail(struct session *s, struct str arguments)
{
	struct words w = path_of(arguments);

	if (answer(s, MOMENT_MAIL, &w, "250 2.1.0 ok") != SAID_YES)
		return;
	forget(s);
	s->sender = text_of(w.path);
}

static void on_rcpt(struct session *s, struct str arguments)
{
	struct words w = path_of(arguments);

	if (answer(s, MOMENT_RCPT, &w, "250 2.1.5 ok") != SAID_YES)
		return;
	s->recipients =
		list_grow(s->recipients, s->n, sizeof(s->recipients[0]));
	s->recipients[s->n++] = (struct str){ text_of(w.path), w.path.n };
}

static bool has_recipients(struct session *s)
{
	if (s->sender && s->n)
		return true;
	say_plainly(s, "503 5.5.1 no recipients");
	return false;
}

/* The mail is there. */
static void settle(struct session *s, enum moment at)
{
	const struct sim_peer_book *book = &s->peer->book;

	answer(s, at, &no_words, "250 2.0.0 ok");
	if (s->taken && !s->taken->is_said && book->leaves_open)
		book->leaves_open(book->arg, s->peer, s->taken);
	forget(s);
}

static void on_data(struct session *s)
{
	if (!has_recipients(s) ||
	    answer(s, MOMENT_DATA, &no_words, "354 go ahead") != SAID_YES)
		return;
	s->by_bdat = false;
	if (!read_data(s))
		return;
	settle(s, MOMENT_DOT);
}

static void on_bdat(struct session *s, struct str arguments)
{
	struct str bytes;
	uint64_t n = 0;

	if (answer(s, MOMENT_CHUNK, &no_words, NULL) != SAID_NOTHING)
		return;
	str_split(&arguments, ' ', &bytes);
	if (!str_number(bytes, 1 << 30, &n))
		s->is_over = true;
	if (s->is_over || !read_chunk(s, n) || !has_recipients(s))
		return;
	s->by_bdat = true;
	if (!str_same_nocase(str_trim(arguments), S("LAST"))) {
		say_plainly(s, "250 2.0.0 next");
		return;
	}
	settle(s, MOMENT_BDAT);
}

static void on_other(struct session *s, enum moment at, struct str arguments)
{
	static const char *const usual[MOMENTS] = {
		[MOMENT_RSET] = "250 2.0.0 ok",
		[MOMENT_NOOP] = "250 2.0.0 ok",
		[MOMENT_VRFY] = "252 2.0.0 maybe",
		[MOMENT_QUIT] = "221 2.0.0 bye",
		[MOMENT_XCLIENT] = "220 peer.test again",
		[MOMENT_OTHER] = "500 5.5.2 what?",
	};
	bool is_junk =
		at != MOMENT_QUIT && at != MOMENT_OTHER && at != MOMENT_XCLIENT;

	s->junk += is_junk;
	if (at == MOMENT_RSET || at == MOMENT_XCLIENT)
		forget(s);
	answer(s, at, &(struct words){ arguments, STR_NONE }, usual[at]);
	s->is_over |= at == MOMENT_QUIT;
}

static void obey(struct session *s, enum moment at, struct str arguments)
{
	if (at == MOMENT_EHLO || at == MOMENT_HELO)
		on_hello(s, at, arguments);
	else if (at == MOMENT_STARTTLS)
		on_starttls(s);
	else if (at == MOMENT_MAIL)
		on_mail(s, arguments);
	else if (at == MOMENT_RCPT)
		on_rcpt(s, arguments);
	else if (at == MOMENT_DATA)
		on_data(s);
	else if (at == MOMENT_BDAT)
		on_bdat(s, arguments);
	else
		on_other(s, at, arguments);
}

static enum moment moment_of_verb(struct str verb)
{
	static const struct {
		const char *verb;
		enum moment at;
	} known[] = {
		{ "EHLO", MOMENT_EHLO },         { "HELO", MOMENT_HELO },
		{ "MAIL", MOMENT_MAIL },         { "RCPT", MOMENT_RCPT },
		{ "DATA", MOMENT_DATA },         { "BDAT", MOMENT_BDAT },
		{ "RSET", MOMENT_RSET },         { "NOOP", MOMENT_NOOP },
		{ "VRFY", MOMENT_VRFY },         { "QUIT", MOMENT_QUIT },
		{ "STARTTLS", MOMENT_STARTTLS }, { "XCLIENT", MOMENT_XCLIENT },
	};

	for (size_t i = 0; i < array_size(known); i++)
		if (str_same_nocase(verb, str_of(known[i].verb)))
			return known[i].at;
	return MOMENT_OTHER;
}

/* ---- the conversation ---- */

static void was_idle(struct session *s)
{
	if (s->conduct->idle_says)
		say_plainly(s, s->conduct->idle_says);
	s->is_over = true;
}

/* A copy; NULL: it is over. */
static char *read_line(struct session *s)
{
	int64_t deadline = after_ms(s->conduct->idle_ms);
	enum stream_state state;
	ptrdiff_t end;
	char *line;

	while ((end = str_search(stream_bytes(s->stream), S("\r\n"))) < 0) {
		state = stream_fill(s->stream, deadline);
		if (state == STREAM_LATE)
			was_idle(s);
		if (state != STREAM_MORE)
			return NULL;
	}
	line = text_of(str_part(stream_bytes(s->stream), 0, (size_t)end));
	stream_skip(s->stream, (size_t)end + 2);
	return line;
}

static void converse(struct session *s)
{
	struct str arguments, verb;
	char *line;

	answer(s, MOMENT_CONNECT, &no_words, "220 peer.test ESMTP");
	while (!s->is_over) {
		answer(s, MOMENT_NEXT, &no_words, NULL);
		line = s->is_over ? NULL : read_line(s);
		if (!line)
			return;
		arguments = str_of(line);
		str_split(&arguments, ' ', &verb);
		obey(s, moment_of_verb(verb), arguments);
		free(line);
	}
}

static void turn_away(struct session *s)
{
	if (s->conduct->beyond.wait_ms)
		fiber_sleep(after_ms(s->conduct->beyond.wait_ms));
	perform(s, MOMENT_BEYOND, STR_NONE, &s->conduct->beyond);
}

void sim_peer_talk(void *arrival)
{
	struct arrival a = *(struct arrival *)arrival;
	struct session s = { .peer = a.peer,
			     .conduct = a.peer->conduct,
			     .stream = a.stream };

	free(arrival);
	if (a.is_beyond)
		turn_away(&s);
	else
		converse(&s);
	forget(&s);
	buf_free(&s.bytes);
	stream_close(s.stream);
	if (!a.is_beyond) {
		a.peer->figures.open--;
		gate_open(&a.peer->gate);
	}
}
