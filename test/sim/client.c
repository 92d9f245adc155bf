/*
 * Whoever sends: patient or not, with pipelining or without, some of whom leave
 * at the worst moment.  What was not answered, or with 4xx, is sent again, as
 * another unit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "again.h"
#include "base/inet.h"
#include "books.h"
#include "books_route.h"
#include "login.h"
#include "rt/stream.h"
#include "wire/command.h"

enum { TRIES = 12, REPLY_BYTES = 300, LOOK_MS = 50 };

struct talk {
	struct client *client;
	struct mail *mail;
	int copy; /* again.h */
	struct unit *unit;
	struct stream *s;
	int code; /* at the dot */
	bool is_over;
	char said[REPLY_BYTES]; /* the last reply's last line */
};

static int64_t deadline(const struct talk *t)
{
	return after_ms(t->client->patience_ms);
}

/* 0: none came. */
static int hear(struct talk *t)
{
	bool goes_on = true;
	int code = 0;

	while (goes_on) {
		struct str line;
		ptrdiff_t end;

		while ((end = str_find(stream_bytes(t->s), '\n')) < 0)
			if (stream_fill(t->s, deadline(t)) != STREAM_MORE)
				return 0;
		line = str_part(stream_bytes(t->s), 0, (size_t)end);
		if (line.n < 4)
			return 0;
		code = atoi(line.p);
		goes_on = line.p[3] == '-';
		snprintf(t->said, sizeof(t->said), "%.*s", STR(str_trim(line)));
		stream_skip(t->s, (size_t)end + 1);
	}
	return code;
}

static bool flush(struct talk *t)
{
	return stream_flush(t->s, deadline(t));
}

static int ask(struct talk *t, const char *line)
{
	stream_say(t->s, str_of(line));
	return flush(t) ? hear(t) : 0;
}

/* ---- one unit ---- */

static void say_mail(struct talk *t)
{
	char sender[SENDER_BYTES];

	stream_sayf(
		t->s, "MAIL FROM:<%s>",
		unit_has_sender(t->unit) ? unit_sender(t->unit, sender) : "");
	if (unit_says_headers(t->unit))
		stream_say(t->s, S(" RET=HDRS"));
	if (unit_says_envid(t->unit))
		stream_sayf(t->s, " ENVID=e%d", t->unit->number);
	stream_say(t->s, S("\r\n"));
}

static char shouted(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* What is to be told of him (RFC 3461 4.1, 4.2). */
static void say_notify(struct talk *t, int i)
{
	const struct unit *u = t->unit;

	if (unit_says_never(u, i))
		stream_say(t->s, S(" NOTIFY=NEVER"));
	else if (unit_says_success(u, i))
		stream_say(t->s, S(" NOTIFY=SUCCESS,FAILURE,DELAY"));
	else if (unit_says_no_delay(u, i))
		stream_say(t->s, S(" NOTIFY=FAILURE"));
	if (unit_says_orcpt(u, i))
		stream_sayf(t->s, " ORCPT=rfc822;o%d.%d@old.test", u->number,
			    i);
	stream_say(t->s, S("\r\n"));
}

/* As people write it. */
static void say_rcpt(struct talk *t, int i)
{
	const struct person *p = &world.persons[t->unit->to[i]];
	const char *domain = p->domain;

	if (unit_says_alias(t->unit, i))
		domain = ALIAS;
	if (unit_says_detail(t->unit, i) && (t->unit->number + i) % 3 == 0)
		stream_sayf(t->s, "RCPT TO:<\"%s+a b.\"@%s>", p->local, domain);
	else if (unit_says_detail(t->unit, i))
		stream_sayf(t->s, "RCPT TO:<%s+tag@%s>", p->local, domain);
	else if ((t->unit->number + i) % 7 == 1)
		stream_sayf(t->s, "RCPT TO:<%c%s@%c%s>", shouted(p->local[0]),
			    p->local + 1, shouted(domain[0]), domain + 1);
	else
		stream_sayf(t->s, "RCPT TO:<%s@%s>", p->local, domain);
	say_notify(t, i);
}

/* False: no answer. */
static bool hear_rcpt(struct talk *t, int i)
{
	int code = hear(t);

	if (code)
		books_rcpt(t->unit, i, code, str_of(t->said));
	return code != 0;
}

/* How many recipients are accepted; -1: no answer, or none worth going on. */
static int envelope_by_steps(struct talk *t)
{
	int accepted = 0;

	say_mail(t);
	if (!flush(t) || hear(t) != 250)
		return -1;
	for (int i = 0; i < t->unit->n; i++) {
		say_rcpt(t, i);
		if (!flush(t) || !hear_rcpt(t, i))
			return -1;
		accepted += t->unit->codes[i] == 250;
	}
	if (!accepted || t->client->chunks)
		return accepted;
	return ask(t, "DATA\r\n") == 354 ? accepted : -1;
}

static int envelope_at_once(struct talk *t)
{
	int accepted = 0, code;

	say_mail(t);
	for (int i = 0; i < t->unit->n; i++)
		say_rcpt(t, i);
	if (!t->client->chunks)
		stream_say(t->s, S("DATA\r\n"));
	if (!flush(t))
		return -1;
	code = hear(t);
	for (int i = 0; i < t->unit->n; i++) {
		if (code != 250 ? !hear(t) : !hear_rcpt(t, i))
			return -1;
		accepted += t->unit->codes[i] == 250;
	}
	if (t->client->chunks)
		return accepted;
	code = hear(t);
	if (code == 354 && !accepted)
		books_wrong("unit %d: 354 without a recipient",
			    t->unit->number);
	return code == 354 ? accepted : accepted ? -1 : 0;
}

static void say_text(struct talk *t, bool whole)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	struct str rest, line;

	unit_text(t->unit, &text);
	rest = buf_str(&text);
	if (!whole)
		rest = str_part(rest, 0, rest.n / 2);
	while (str_split(&rest, '\n', &line)) {
		stream_say(t->s, line.n && line.p[0] == '.' ? S(".") : S(""));
		stream_say(t->s, line);
		/* a half may end within a line */
		stream_say(t->s, whole || rest.n ? S("\n") : S(""));
	}
}

static void leave(struct talk *t)
{
	if (sim_draw(2))
		stream_reset(t->s);
	else
		stream_close(t->s);
	t->s = NULL;
}

static bool is_whole(const struct talk *t)
{
	return t->client->haste != LEAVES_BEFORE_DOT || world.is_calm;
}

static bool leaves_after(struct talk *t)
{
	if (t->client->haste != LEAVES_AFTER_DOT || world.is_calm ||
	    !sim_draw(2))
		return false;
	leave(t);
	return true;
}

static int content(struct talk *t)
{
	bool whole = is_whole(t);

	say_text(t, whole);
	if (!whole) {
		(void)!flush(t);
		leave(t);
		return 0;
	}
	books_dot(t->unit);
	stream_say(t->s, S(".\r\n"));
	return flush(t) && !leaves_after(t) ? hear(t) : 0;
}

/* ---- in chunks (RFC 3030) ---- */

/* N answers, up to the first that is not 250, which it is then. */
static int hear_chunks(struct talk *t, int n)
{
	int code = 250;

	for (int i = 0; i < n && code == 250; i++)
		code = hear(t);
	return code;
}

static void say_chunk(struct talk *t, struct str chunk, bool is_last)
{
	if (is_last)
		books_dot(t->unit);
	stream_sayf(t->s, "BDAT %zu%s\r\n", chunk.n, is_last ? " LAST" : "");
	stream_say(t->s, chunk);
}

/* Of equal size but for one that is empty, each when the one before is answered,
 * or all in one go.  Who leaves early has said half of them. */
static int content_in_chunks(struct talk *t)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	int n = t->client->chunks, due = 0, code = 250;
	int empty = t->client->empty_chunk, left = empty ? n - 1 : n;
	bool whole = is_whole(t);
	struct str rest;

	unit_text(t->unit, &text);
	rest = buf_str(&text);
	for (int i = 0; i < (whole ? n : n / 2) && code == 250; i++) {
		size_t size = i + 1 == empty ? 0 : rest.n / (size_t)left--;
		bool is_last = i == n - 1;

		say_chunk(t, str_part(rest, 0, size), is_last);
		rest = str_from(rest, size);
		if (!flush(t))
			return 0;
		due++;
		if (t->client->pipelines || is_last)
			continue;
		code = hear_chunks(t, due);
		due = 0;
	}
	if (!whole) {
		leave(t);
		return 0;
	}
	if (code == 250 && leaves_after(t))
		return 0;
	return code == 250 ? hear_chunks(t, due) : code;
}

/* Who is no user need not. */
static bool log_in(struct talk *t)
{
	struct arena *a scoped(arena) = arena_open();
	const struct person *p;
	struct str login;

	if (t->client->user < 0)
		return true;
	p = &world.persons[t->client->user];
	login = arena_strf(a, "_%s@%s_" LOGIN_PASSWORD, p->local, p->domain);
	((char *)login.p)[0] = '\0';
	((char *)login.p)[str_find_last(login, '_')] = '\0';
	stream_sayf(t->s, "AUTH PLAIN %.*s\r\n", STR(base64_encode(login, a)));
	return flush(t) && hear(t) == 235;
}

/* The answer to the dot, or to what stands for it; 0: there was none. */
static int converse(struct talk *t)
{
	int accepted;

	if (hear(t) != 220 || ask(t, "EHLO client.test\r\n") != 250 ||
	    !log_in(t))
		return 0;
	accepted = t->client->pipelines ? envelope_at_once(t)
					: envelope_by_steps(t);
	if (accepted <= 0)
		return 0;
	return t->client->chunks ? content_in_chunks(t) : content(t);
}

/* ---- a mail, as often as it takes ---- */

/* Whoever is still to be sent to stays in M. */
static void strike_out(struct mail *m, const struct unit *u)
{
	int n = 0;

	for (int i = 0; i < u->asked; i++) {
		bool is_through = u->codes[i] >= 500 ||
				  (u->codes[i] == 250 &&
				   (u->code == 250 || u->code >= 500));

		if (!is_through)
			m->to[n++] = u->to[i];
	}
	m->n = n;
}

/* One unit, over the connection it has. */
static void visit(struct talk *t)
{
	const struct inet *from =
		t->client->is_local ? NULL : stream_local(t->s);

	t->unit =
		books_begin((int)(t->client - world.clients), t->mail, t->copy);
	books_ask_route(t->unit, from);
	t->code = converse(t);
	books_end(t->unit, t->code, str_of(t->said));
	if (t->s && t->code)
		ask(t, "QUIT\r\n");
	if (t->s)
		stream_close(t->s);
	t->is_over = true;
}

/* On the server's host, where it dies with all the others. */
static void visit_there(void *talk)
{
	struct talk *t = talk;

	t->s = stream_dial_path("/run/submit", after_ms(30000));
	if (t->s)
		visit(t);
	t->is_over = true;
}

static void send_a_program(struct talk *t, const struct splitmail *s)
{
	struct sim_process *p;

	if (!sim_is_on(s->host))
		return;
	p = sim_start(s->host, "program", visit_there, t);
	while (!t->is_over && !sim_has_ended(p))
		fiber_sleep(after_ms(LOOK_MS));
	if (t->unit && !t->is_over)
		books_end(t->unit, 0, S(""));
}

static void hand_in(struct client *c, struct mail *m, int copy)
{
	const struct splitmail *s = &world.splitmails[m->splitmail];
	struct talk t = { .client = c, .mail = m, .copy = copy };
	struct inet at;

	if (c->is_local) {
		send_a_program(&t, s);
	} else {
		check(inet_parse_ip(str_of(s->address), c->user < 0 ? 25 : 587,
				    &at));
		t.s = stream_dial(&at, NULL, after_ms(30000));
		if (t.s)
			visit(&t);
	}
	if (!t.unit)
		return;
	strike_out(m, t.unit);
	if (t.code == 250 && chance(world.cut_in))
		power_fails(m->splitmail);
}

static void send_mail(struct client *c, struct mail *m)
{
	int copy = again_choose(c, m);

	for (int i = 0; i < TRIES && m->n > 0; i++) {
		hand_in(c, m, copy);
		if (m->n > 0)
			fiber_sleep(after_ms(500 + (int64_t)sim_draw(20000)));
		if (world.is_calm) {
			c->patience_ms = 600000;
			c->haste = PATIENT;
		}
	}
}

static void run(void *client)
{
	struct client *c = client;

	for (; c->done < c->n; c->done++) {
		fiber_sleep(world.began_ms + c->mails[c->done].at_ms);
		send_mail(c, &c->mails[c->done]);
	}
}

void clients_start(void)
{
	for (int i = 0; i < world.n_clients; i++) {
		struct client *c = &world.clients[i];

		c->process = sim_start(c->host, c->name, run, c);
	}
}

bool clients_are_done(void)
{
	for (int i = 0; i < world.n_clients; i++)
		if (world.clients[i].done < world.clients[i].n)
			return false;
	return true;
}
