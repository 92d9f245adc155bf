/*
 * Whoever takes mail beside the Splitmails: mailbox stores (LMTP, RFC 2033),
 * peers, the Internet.  What it does is its conduct; what it takes, the books
 * hear of before the one who sends does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "neighbour.h"
#include "rates.h"
#include "rt/stream.h"

enum {
	IDLE_MS = 300000,
	SAY_MS = 300000,
	SILENT_MS = 1000000,
	GREYLISTED_MS = 5000,
	HEARD_MS = 2000
};

struct talk {
	struct taker *taker;
	struct stream *peer;
	unsigned mails;
	char sender[128], to[RECIPIENTS * 8][128];
	char domain[64];                                 /* of the first one */
	bool took[RECIPIENTS * 8], told[RECIPIENTS * 8]; /* of the last mail */
	int n;
	bool has_mail, is_over, said_bye;
	bool was_left; /* by the other side, which wanted nothing more */
	struct buf bytes;
	bool is_open; /* was the last answer heard? */
	bool is_reset;
	int64_t answered_ms;
};

/* ---- lines ---- */

static bool read_line(struct talk *t, struct str *line)
{
	int64_t idle_ms = t->taker->manners.idle_ms;
	int64_t deadline = after_ms(idle_ms ? idle_ms : IDLE_MS);
	ptrdiff_t end;

	while ((end = str_find(stream_bytes(t->peer), '\n')) < 0)
		if (stream_fill(t->peer, deadline) != STREAM_MORE) {
			t->was_left = !t->has_mail && now_ms() < deadline;
			return false;
		}
	*line = str_part(stream_bytes(t->peer), 0, (size_t)end + 1);
	return true;
}

static void say(struct talk *t, const char *text)
{
	int64_t ms = t->taker->manners.answer_ms;

	if (ms && !world.is_calm)
		fiber_sleep(after_ms((int64_t)sim_draw((uint64_t)ms)));
	stream_say(t->peer, str_of(text));
	if (!stream_flush(t->peer, after_ms(SAY_MS)))
		t->is_over = true;
}

/* Whoever is told so waits, and the books know since when. */
static void say_later(struct talk *t, const char *text)
{
	t->taker->unwilling_ms = now_ms();
	say(t, text);
}

static void pause_up_to(int64_t ms)
{
	if (ms && !world.is_calm)
		fiber_sleep(after_ms((int64_t)sim_draw((uint64_t)ms)));
}

/* ---- what it knows ---- */

static bool knows(const struct taker *t, int person)
{
	const struct person *p = &world.persons[person];
	int self = (int)(t - world.takers);

	if (t->is_store || p->also == self)
		return true;
	for (int i = 0; i < p->n_homes; i++)
		if (p->homes[i] == self)
			return true;
	return false;
}

/* Of a mailbox here; NULL: it has room. */
static const char *no_room(const struct taker *taker, const struct person *p)
{
	if (p->is_full)
		return "552 5.2.2 this mailbox is full\r\n";
	if (p->is_over_quota && taker->is_store && !world.is_calm)
		return "452 4.2.2 this mailbox is over quota\r\n";
	return NULL;
}

/* NULL: it takes mail for him. */
static const char *refusal(struct talk *t, struct str address)
{
	struct taker *taker = t->taker;
	int person;

	person = person_at(address);
	if (taker->is_internet &&
	    (person < 0 || !world.persons[person].is_full))
		return NULL;
	if (person < 0 || !knows(taker, person))
		return "550 5.1.1 nobody has this address\r\n";
	if (!taker->manners.says_at_dot &&
	    no_room(taker, &world.persons[person]))
		return no_room(taker, &world.persons[person]);
	if (taker->manners.greylists) {
		int64_t *seen =
			&world.persons[person].seen_ms[taker - world.takers];

		if (!*seen)
			*seen = now_ms();
		if (now_ms() < *seen + GREYLISTED_MS)
			return "450 4.7.1 greylisted, come back later\r\n";
	}
	return NULL;
}

/* ---- limits ---- */

/* So many in a time: whatever the code, it takes more later.  NULL: not now. */
static const char *limit_at_mail(const struct taker *t)
{
	static const char *const spellings[] = {
		"421 4.7.0 too many messages in this session\r\n",
		"550 5.7.1 rate limit exceeded, slow down\r\n",
		"554 5.7.0 you send too many messages per hour\r\n",
		"450 4.7.1 too much mail from you\r\n",
		"452 4.4.5 insufficient disk space, try again later\r\n",
	};

	return chance(t->manners.limit_in)
		       ? spellings[sim_draw(array_size(spellings))]
		       : NULL;
}

/* After the first N of a mail. */
static const char *limit_at_rcpt(const struct taker *t, int n)
{
	static const char *const spellings[] = {
		"452 4.5.3 too many recipients\r\n",
		"550 5.5.3 too many recipients\r\n",
		"554 5.7.1 only one recipient per transaction\r\n",
		"451 4.7.1 one recipient at a time, please\r\n",
	};

	return n > 0 && chance(t->manners.limit_in)
		       ? spellings[sim_draw(array_size(spellings))]
		       : NULL;
}

/* ---- commands ---- */

static void on_mail(struct talk *t, struct str path)
{
	unsigned most = t->taker->manners.mails_per_connection;
	const char *limit = limit_at_mail(t->taker);

	if (limit) {
		say(t, limit);
		t->is_over = str_starts(str_of(limit), S("421"));
		return;
	}
	if (most && t->mails >= most) {
		say_later(t, "421 4.7.0 too many mails in this connection\r\n");
		t->is_over = true;
		return;
	}
	snprintf(t->sender, sizeof(t->sender), "%.*s", STR(path));
	rate_note(t->taker, stream_peer(t->peer), false);
	t->has_mail = true;
	t->n = 0;
	say(t, "250 2.1.0 yes\r\n");
}

/* One in two says beforehand what it takes (RFC 9422). */
static bool says_limits(const struct taker *t)
{
	return t->manners.recipients_per_mail && !t->is_store && world.seed % 2;
}

static bool is_of_another_domain(struct talk *t, struct str path)
{
	ptrdiff_t at = str_find_last(path, '@');
	struct str domain = str_from(path, at < 0 ? 0 : (size_t)at + 1);

	if (!says_limits(t->taker))
		return false;
	if (t->n == 0)
		snprintf(t->domain, sizeof(t->domain), "%.*s", STR(domain));
	return !str_same_nocase(domain, str_of(t->domain));
}

static void on_rcpt(struct talk *t, struct str path)
{
	const struct manners *c = &t->taker->manners;
	const char *no = refusal(t, path);

	if (!t->has_mail)
		no = "503 5.5.1 MAIL first\r\n";
	else if ((c->recipients_per_mail &&
		  t->n >= (int)c->recipients_per_mail) ||
		 t->n == (int)array_size(t->to))
		no = "452 4.5.3 too many recipients\r\n";
	else if (!no && is_of_another_domain(t, path))
		no = "452 4.5.3 too many domains\r\n";
	else if (!no)
		no = limit_at_rcpt(t->taker, t->n);
	if (!no && chance(c->later_in))
		no = t->taker->is_store && sim_draw(2)
			     ? "550 5.1.1 who is that?\r\n"
			     : "451 4.3.0 not now\r\n";
	if (!no)
		snprintf(t->to[t->n++], sizeof(t->to[0]), "%.*s", STR(path));
	if (no)
		say_later(t, no);
	else
		say(t, "250 2.1.5 yes\r\n");
}

/* False: the connection is gone before the dot. */
static bool read_text(struct talk *t)
{
	struct str line;

	buf_clear(&t->bytes);
	for (;;) {
		struct str rest;

		if (!read_line(t, &line))
			return false;
		if (str_same(line, S(".\r\n")))
			break;
		rest = line.p[0] == '.' ? str_from(line, 1) : line;
		buf_add(&t->bytes, rest);
		stream_skip(t->peer, line.n);
	}
	stream_skip(t->peer, line.n);
	return true;
}

static void take(struct talk *t, int i)
{
	t->took[i] = true;
	books_taken(t->taker, str_of(t->sender), str_of(t->to[i]),
		    buf_str(&t->bytes));
}

/* ---- the answers to the dot ---- */

/* For whom it has the mail, and has not said so, or was perhaps not heard. */
static void leave_open(struct talk *t, bool all)
{
	for (int i = 0; i < t->n; i++) {
		if (!t->took[i] || (t->told[i] && !all))
			continue;
		books_left_open(t->taker, str_of(t->to[i]), buf_str(&t->bytes));
		t->took[i] = false;
	}
}

/* It was told what was said; and no more comes.  Who is cut off has heard it
 * before, and who hears nothing waits for as long as he likes. */
static void part(struct talk *t)
{
	t->is_open = t->is_over;
	if (t->is_over)
		return;
	t->is_over = true;
	leave_open(t, false); /* now: power may fail meanwhile */
	switch (sim_draw(3)) {
	case 0:
		fiber_sleep(after_ms(HEARD_MS));
		t->is_reset = true;
		break;
	case 1:
		t->taker->silent++;
		while (stream_fill(t->peer, after_ms(SILENT_MS)) == STREAM_MORE)
			stream_skip(t->peer, stream_bytes(t->peer).n);
		t->taker->silent--;
		break;
	default:
		break;
	}
}

/* What it has against this one; NULL: nothing. */
static const char *refusal_at_dot(struct talk *t, int i, bool is_later)
{
	const struct manners *c = &t->taker->manners;
	int person = person_at(str_of(t->to[i]));

	if (is_later || chance(c->dot_later_in))
		return "451 4.3.0 not now\r\n";
	return c->says_at_dot && person >= 0
		       ? no_room(t->taker, &world.persons[person])
		       : NULL;
}

/* LMTP says it once for each (RFC 2033 4.2): of those that nothing is said of
 * some are taken. */
static void answer_each(struct talk *t, bool is_later)
{
	const struct manners *c = &t->taker->manners;
	int said = chance(c->part_in) ? (int)sim_draw((uint64_t)t->n) : t->n;

	t->is_open = true;
	for (int i = 0; i < t->n; i++) {
		const char *no = refusal_at_dot(t, i, is_later);

		if (!no && (i < said || sim_draw(2)))
			take(t, i);
		if (i >= said)
			continue;
		if (no)
			say_later(t, no);
		else
			say(t, "250 2.0.0 taken\r\n");
		t->told[i] = !t->is_over;
	}
	if (said < t->n)
		part(t);
}

/* SMTP says it once for all. */
static void answer_all(struct talk *t, bool is_later)
{
	for (int i = 0; i < t->n && !is_later; i++)
		take(t, i);
	t->is_open = !is_later;
	if (is_later)
		say_later(t, "451 4.3.0 not now\r\n");
	else
		say(t, "250 2.0.0 taken\r\n");
	for (int i = 0; i < t->n; i++)
		t->told[i] = !t->is_over;
}

static void answer_text(struct talk *t)
{
	const struct manners *c = &t->taker->manners;
	bool is_later = chance(c->dot_later_in);

	memset(t->took, 0, sizeof(t->took));
	memset(t->told, 0, sizeof(t->told));
	if (!is_later && chance(c->lost_in)) {
		for (int i = 0; i < t->n; i++)
			take(t, i);
		t->is_open = t->is_over = true;
	} else if (t->taker->is_store) {
		answer_each(t, is_later);
	} else {
		answer_all(t, is_later);
	}
}

static void on_data(struct talk *t)
{
	if (!t->has_mail || t->n == 0) {
		say(t, "503 5.5.1 RCPT first\r\n");
		return;
	}
	rate_note(t->taker, stream_peer(t->peer), true);
	if (chance(t->taker->manners.close_data_in)) {
		t->is_over = true;
		return;
	}
	say(t, "354 go on\r\n");
	if (!read_text(t)) {
		t->is_over = true;
		return;
	}
	pause_up_to(t->taker->manners.dot_ms);
	if (chance(t->taker->manners.close_in)) {
		t->is_over = true;
		return;
	}
	answer_text(t);
	t->answered_ms = now_ms();
	t->mails++;
	t->has_mail = false;
}

static void on_hello(struct talk *t)
{
	if (says_limits(t->taker))
		stream_sayf(t->peer,
			    "250-hello\r\n250-LIMITS RCPTMAX=%u "
			    "RCPTDOMAINMAX=1\r\n",
			    t->taker->manners.recipients_per_mail);
	if (t->taker->manners.says_little)
		say(t, "250 hello\r\n");
	else
		say(t, "250-hello\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
		       "250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
		       "250 SIZE 100000000\r\n");
}

static struct str path_of(struct str line)
{
	ptrdiff_t begin = str_find(line, '<'), end = str_find(line, '>');

	if (begin < 0 || end < begin)
		return STR_NONE;
	return str_part(line, (size_t)begin + 1, (size_t)end);
}

static void obey(struct talk *t, struct str line)
{
	char path[128];

	snprintf(path, sizeof(path), "%.*s", STR(path_of(line)));
	if (str_starts_nocase(line, S("EHLO")) ||
	    str_starts_nocase(line, S("LHLO")) ||
	    str_starts_nocase(line, S("HELO"))) {
		on_hello(t);
	} else if (str_starts_nocase(line, S("MAIL"))) {
		on_mail(t, str_of(path));
	} else if (str_starts_nocase(line, S("RCPT"))) {
		on_rcpt(t, str_of(path));
	} else if (str_starts_nocase(line, S("DATA"))) {
		on_data(t);
	} else if (str_starts_nocase(line, S("RSET"))) {
		t->has_mail = false;
		say(t, "250 2.0.0 yes\r\n");
	} else if (str_starts_nocase(line, S("QUIT"))) {
		say(t, "221 2.0.0 bye\r\n");
		t->said_bye = t->is_over = true;
	} else {
		say(t, "500 5.5.2 what?\r\n");
	}
}

/* ---- a conversation ---- */

/* Whoever rests in a pool has heard it. */
static bool may_be_unheard(const struct talk *t)
{
	return t->is_open && (now_ms() - t->answered_ms < HEARD_MS ||
			      was_torn(t->answered_ms, now_ms()));
}

static void listen_to(struct talk *t)
{
	struct str line;

	while (!t->is_over && read_line(t, &line)) {
		char copy[1024];
		size_t n = line.n;

		snprintf(copy, sizeof(copy), "%.*s", STR(line));
		stream_skip(t->peer, n);
		t->is_open = false;
		if (chance(t->taker->manners.close_in))
			break;
		obey(t, str_of(copy));
	}
	leave_open(t, may_be_unheard(t));
}

static void converse(void *talk)
{
	struct talk *t = talk;
	struct taker *taker = t->taker;
	unsigned most = taker->manners.connections;

	taker->connections++;
	pause_up_to(taker->manners.greet_ms);
	if (most && taker->connections > most) {
		say_later(t, "421 4.7.0 too many connections\r\n");
	} else if (chance(taker->manners.away_in)) {
		say_later(t, "421 4.3.2 not now\r\n");
	} else {
		say(t, "220 here ESMTP\r\n");
		listen_to(t);
	}
	/* whoever hung up, it may have been this one */
	if (!t->said_bye && !t->was_left)
		taker->unwilling_ms = now_ms();
	taker->connections--;
	if (t->is_reset)
		stream_reset(t->peer);
	else
		stream_close(t->peer);
	buf_free(&t->bytes);
	free(t);
}

static struct listener *open_listener(struct taker *t)
{
	struct inet at;

	if (t->is_store)
		return listener_open_path("/run/lmtp", 0600);
	check(inet_parse(S("0.0.0.0:25"), 0, &at));
	return listener_open(&at);
}

static void run(void *taker)
{
	struct taker *t = taker;
	struct listener *l = open_listener(t);
	struct stream *s;

	check(l);
	while ((s = listener_accept(l)) != NULL) {
		struct talk *talk = must_alloc(sizeof(*talk));

		*talk = (struct talk){ .taker = t, .peer = s };
		check(fiber_start("conversation", converse, talk));
	}
}

void taker_start(struct taker *t)
{
	t->connections = t->silent = 0;
	if (t->is_gone || t->is_left_out)
		return;
	t->process = t->kind >= 0 ? neighbour_start(t)
				  : sim_start(t->host, "taker", run, t);
}

void taker_kill(struct taker *t)
{
	if (t->process && !sim_has_ended(t->process))
		sim_kill(t->process);
}

/* ---- a host that takes nothing from anybody ---- */

static void turn_away(void *stream)
{
	struct stream *s = stream;

	stream_say(s, S("554 5.7.1 no mail is taken here\r\n"));
	if (stream_flush(s, after_ms(SAY_MS)))
		while (stream_fill(s, after_ms(SAY_MS)) == STREAM_MORE)
			stream_skip(s, stream_bytes(s).n);
	stream_close(s);
}

static void run_unwilling(void *arg)
{
	struct listener *l;
	struct stream *s;
	struct inet at;

	(void)arg;
	check(inet_parse(S("0.0.0.0:25"), 0, &at));
	l = listener_open(&at);
	check(l);
	while ((s = listener_accept(l)) != NULL)
		check(fiber_start("conversation", turn_away, s));
}

void takers_start(void)
{
	if (world.takers[internet()].has_unwilling_host)
		sim_start(sim_host("first", UNWILLING), "taker", run_unwilling,
			  NULL);
	for (int i = 0; i < world.n_takers; i++)
		taker_start(&world.takers[i]);
}
