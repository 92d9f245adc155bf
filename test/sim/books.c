/* What was promised and what was taken, as it happens (books.h). */
#include "books.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "again.h"
#include "books_inside.h"
#include "books_route.h"
#include "judge_inside.h"

enum { VERDICT_BYTES = 400 };

struct books books;

static char verdict[VERDICT_BYTES];

void books_open(void)
{
	books = (struct books){ 0 };
	verdict[0] = '\0';
	books_route_open();
	again_open();
}

void books_close(void)
{
	for (size_t i = 0; i < books.n_units; i++) {
		buf_free(&books.units[i]->again);
		free(books.units[i]);
	}
	free(books.units);
	free(books.taken);
	free(books.open);
	again_close();
	books = (struct books){ 0 };
}

void books_wrong(const char *format, ...)
{
	char line[VERDICT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	tell("WRONG: %s", line);
	if (!verdict[0])
		snprintf(verdict, sizeof(verdict), "%.3f s: %.380s",
			 (double)sim_story_ms() / 1000, line);
}

const char *books_verdict(void)
{
	return verdict[0] ? verdict : NULL;
}

/* ---- units ---- */

struct unit *books_begin(int client, const struct mail *m, int copy)
{
	struct unit *u = must_alloc(sizeof(*u));

	*u = (struct unit){ .number = (int)books.n_units,
			    .client = client,
			    .splitmail = m->splitmail,
			    .n = m->n,
			    .asked = m->n,
			    .bytes = m->bytes,
			    .begun_ms = now_ms() };
	memcpy(u->to, m->to, sizeof(u->to));
	books.units =
		must_realloc(books.units, (books.n_units + 1) * sizeof(u));
	books.units[books.n_units++] = u;
	again_write(u, copy);
	return u;
}

struct unit *books_unit(uint64_t number)
{
	return number < books.n_units ? books.units[number] : NULL;
}

/* Lines of every kind: a dot in front, empty, long, of any bytes. */
static void add_line(struct buf *to, uint64_t *dice)
{
	static const char *const lines[] = {
		"",
		".",
		"..",
		".a",
		"a line",
		"From here",
		"\t.",
		"-- ",
		"Received: from nowhere",
		"\xc3\xa4 \xff",
	};
	uint64_t which = (*dice >> 33) % 16;

	*dice = *dice * 6364136223846793005u + 1442695040888963407u;
	if (which < array_size(lines))
		buf_add(to, str_of(lines[which]));
	else
		for (size_t i = 0; i < 5 * (which - 8); i++)
			buf_add(to, S("0123456789 abc"));
	buf_add(to, S("\r\n"));
}

bool unit_is_local(const struct unit *u)
{
	return world.clients[u->client].is_local;
}

bool unit_is_of_user(const struct unit *u)
{
	return world.clients[u->client].user >= 0;
}

static bool is_of_relay(const struct unit *u)
{
	int system = world.clients[u->client].system;

	return system >= 0 && world.takers[system].may_relay;
}

bool unit_may_leave(const struct unit *u)
{
	return unit_is_local(u) || unit_is_of_user(u) || is_of_relay(u);
}

bool unit_has_rights(const struct unit *u)
{
	int system = world.clients[u->client].system;

	return unit_may_leave(u) ||
	       (system >= 0 && world.takers[system].is_trusted);
}

/* In his own name, with a detail by which notices are known. */
const char *unit_sender(const struct unit *u, char to[SENDER_BYTES])
{
	const struct person *p = NULL;

	if (unit_is_of_user(u))
		p = &world.persons[world.clients[u->client].user];
	snprintf(to, SENDER_BYTES, "%s%sm%d@%s", p ? p->local : "",
		 p ? "+" : "", u->number, p ? p->domain : INTERNET);
	return to;
}

bool unit_is_sent_on(const struct unit *u)
{
	return unit_is_local(u) && u->number % 2 == 0;
}

bool unit_has_header(const struct unit *u)
{
	return u->again.n || unit_may_leave(u) ||
	       (world.seed + (uint64_t)u->number) % 11 > 0;
}

bool unit_has_sender(const struct unit *u)
{
	return (world.seed + (uint64_t)u->number) % 13 > 0;
}

bool unit_says_never(const struct unit *u, int i)
{
	return i < u->asked &&
	       (world.seed + 4 * (uint64_t)u->number + (uint64_t)i) % 9 == 0;
}

/* Not drawn, as all of these. */
static uint64_t notify_dice(const struct unit *u, int i)
{
	return (world.seed * 5 + 7 * (uint64_t)u->number + 3 * (uint64_t)i) %
	       37;
}

bool unit_says_success(const struct unit *u, int i)
{
	return i < u->asked && notify_dice(u, i) < 2 && !unit_says_never(u, i);
}

bool unit_says_no_delay(const struct unit *u, int i)
{
	return i < u->asked && notify_dice(u, i) == 2 && !unit_says_never(u, i);
}

bool unit_says_orcpt(const struct unit *u, int i)
{
	return i < u->asked &&
	       (world.seed + (uint64_t)u->number + (uint64_t)i) % 3 == 0;
}

bool unit_says_envid(const struct unit *u)
{
	return (world.seed + (uint64_t)u->number) % 3 == 0;
}

bool unit_says_headers(const struct unit *u)
{
	return (world.seed + (uint64_t)u->number) % 3 == 1;
}

bool unit_says_alias(const struct unit *u, int i)
{
	return i < u->asked && world.has_alias && (u->number + i) % 3 == 0 &&
	       str_same(str_of(world.persons[u->to[i]].domain), S(DOMAIN));
}

bool unit_says_detail(const struct unit *u, int i)
{
	return i < u->asked && (u->number + i) % 7 == 0;
}

void unit_text(const struct unit *u, struct buf *to)
{
	uint64_t dice = world.seed * 31 + (uint64_t)u->number;
	char sender[SENDER_BYTES];

	if (u->again.n) {
		buf_add(to, buf_str(&u->again));
		return;
	}
	if (unit_has_header(u))
		buf_printf(to, "From: <%s>\r\nSubject: unit %d\r\n",
			   unit_sender(u, sender), u->number);
	else
		buf_add(to, S(".this is no header\r\n"));
	/* or they are put in front */
	if (unit_may_leave(u))
		buf_add(to, S("Message-ID: <m@" INTERNET ">\r\n"
			      "Date: Mon, 1 Jan 2024 12:00:00 +0000\r\n"));
	if (unit_is_sent_on(u))
		buf_add(to, S("X-Sieve-Redirected-From: u0@" DOMAIN "\r\n"));
	buf_printf(to, MARK "%d\r\n\r\n", u->number);
	while (to->n < u->bytes)
		add_line(to, &dice);
}

/* ---- what the client hears ---- */

void books_rcpt(struct unit *u, int i, int code, struct str text)
{
	u->codes[i] = code;
	if (code != 250)
		tell("unit %d: %s refused: %.*s", u->number,
		     world.persons[u->to[i]].local, STR(text));
	judge_rcpt(u, i);
}

void books_dot(struct unit *u)
{
	u->dot_was_sent = true;
}

void books_end(struct unit *u, int code, struct str text)
{
	u->code = code;
	u->ended_ms = now_ms();
	tell("unit %d: %.*s", u->number, STR(code ? text : S("not answered")));
	judge_end(u);
}

/* ---- what arrives ---- */

static struct unit *unit_of(struct str bytes)
{
	ptrdiff_t at = str_search(bytes, S(MARK));
	struct str rest, digits;
	uint64_t number;

	if (at < 0)
		return NULL;
	rest = str_from(bytes, (size_t)at + strlen(MARK));
	if (!str_split(&rest, '\r', &digits) ||
	    !str_number(digits, books.n_units - 1, &number))
		return NULL;
	return books.units[number];
}

/* "Final-Recipient: rfc822; u1@own.test" and its "Action: failed"; FRONT is what of
 * its block stands before it. */
static void note_action(struct unit *u, struct str front, struct str block)
{
	ptrdiff_t at = str_search(block, S(";"));
	struct str address = str_from(block, (size_t)at + 1), line;
	int person;

	str_split(&address, '\r', &line);
	person = person_at(str_trim(line));
	if (person < 0) {
		books_wrong("unit %d: its DSN names %.*s", u->number,
			    STR(line));
		return;
	}
	if (str_search(block, S("\r\nAction: failed")) >= 0) {
		u->told[person]++;
		tell("unit %d: its sender is told that %s has not got it",
		     u->number, world.persons[person].local);
	} else if (str_search(block, S("\r\nAction: delayed")) >= 0) {
		u->warned[person]++;
		tell("unit %d: its sender is told that it waits for %s",
		     u->number, world.persons[person].local);
		judge_warning(u, person);
	} else if (str_search(block, S("\r\nAction: delivered")) >= 0 ||
		   str_search(block, S("\r\nAction: relayed")) >= 0) {
		u->praised[person]++;
		tell("unit %d: its sender is told that %s has got it",
		     u->number, world.persons[person].local);
		judge_praise(u, person);
	}
	judge_orcpt(u, person, front);
}

/* What follows the m of the unit's sender; STR_NONE: it is none. */
static struct str digits_of(struct str recipient)
{
	ptrdiff_t at = str_find_last(recipient, '@'),
		  plus = str_find(recipient, '+');
	size_t m = plus < 0 ? 0 : (size_t)plus + 1;

	if (at < 0 || m + 1 >= (size_t)at || recipient.p[m] != 'm')
		return STR_NONE;
	return str_part(recipient, m + 1, (size_t)at);
}

/* A notice that comes into its sender's own mailbox? */
static bool is_notice(struct str sender, struct str recipient)
{
	return str_empty(sender) && str_find(recipient, '+') > 0 &&
	       digits_of(recipient).n > 0;
}

static void take_dsn(struct str sender, struct str recipient, struct str bytes)
{
	struct str rest = bytes, digits = digits_of(recipient);
	ptrdiff_t at;
	uint64_t number;

	if (!str_number(digits, books.n_units - 1, &number)) {
		books_wrong("a DSN for %.*s", STR(recipient));
		return;
	}
	if (!str_empty(sender))
		books_wrong("a DSN for %.*s is of %.*s, who may be told of it",
			    STR(recipient), STR(sender));
	judge_envid(books.units[number], bytes);
	while ((at = str_search(rest, S("\r\nFinal-Recipient:"))) >= 0) {
		struct str block = str_from(rest, (size_t)at + 2);
		ptrdiff_t end = str_search(block, S("\r\n\r\n"));

		block = end < 0 ? block : str_part(block, 0, (size_t)end);
		note_action(books.units[number],
			    str_part(rest, 0, (size_t)at + 2), block);
		rest = str_from(rest, (size_t)at + 2);
	}
	books.dsns++;
}

/* Where did its first Splitmail send what is at TAKER now? */
static int hop_of(const struct unit *u, int taker, struct str bytes)
{
	struct str head;
	int next = -1;

	if (unit_head(u, bytes, &head))
		next = taker_behind_the_first(head);
	return next < 0 ? taker : next;
}

static const struct taken *add_taken(const struct unit *u, int person,
				     int taker, struct str bytes)
{
	struct taken *t;

	books.taken = must_realloc(books.taken,
				   (books.n_taken + 1) * sizeof(struct taken));
	t = &books.taken[books.n_taken++];
	*t = (struct taken){ .unit = u->number,
			     .person = person,
			     .taker = taker,
			     .hop = hop_of(u, taker, bytes),
			     .at_ms = now_ms() };
	return t;
}

static bool is_ours(struct str sender)
{
	return str_empty(sender) || str_ends(sender, S("@" DOMAIN)) ||
	       str_ends(sender, S("@" ALIAS)) ||
	       str_ends(sender, S("@" SECOND));
}

struct leading_out {
	int person;
	bool directly, by_others;
};

static void look_for_way_out(void *arg, const struct unit *u,
			     const struct way *w)
{
	struct leading_out *l = arg;

	(void)u;
	if (end_of(w) != l->person)
		return;
	l->directly |= w->n == 1;
	l->by_others |= w->n > 1;
}

/* What is sent on has one of ours, what is sent its own: each of those that one
 * mail goes to. */
static bool may_be_sender(const struct unit *u, int person, struct str sender)
{
	struct leading_out l = { .person = person };
	char own[64];

	if ((!unit_is_local(u) && !is_of_relay(u)) || unit_is_sent_on(u) ||
	    !unit_has_sender(u))
		return is_ours(sender);
	snprintf(own, sizeof(own), "m%d@" INTERNET, u->number);
	for (int i = 0; i < u->n; i++)
		ways_of(u, i, (struct asked){ look_for_way_out, &l });
	if (str_same(sender, str_of(own)))
		return l.directly || !l.by_others;
	return is_ours(sender) && (l.by_others || !l.directly);
}

void books_taken(struct taker *t, struct str sender, struct str recipient,
		 struct str bytes)
{
	int taker = (int)(t - world.takers);
	struct unit *u;
	int person;

	if ((t->is_internet && person_at(recipient) < 0) ||
	    (t->is_store && is_notice(sender, recipient))) {
		take_dsn(sender, recipient, bytes);
		return;
	}
	u = unit_of(bytes);
	person = person_at(recipient);
	if (u && t->is_internet && !may_be_sender(u, person, sender))
		books_wrong("to the Internet in the name of %.*s", STR(sender));
	if (!u || person < 0) {
		books_wrong("%s gets what nobody has sent, for %.*s", t->name,
			    STR(recipient));
		return;
	}
	if (t->is_internet && may_leave_for_good(u, person)) {
		tell("unit %d: it has left for %.*s", u->number,
		     STR(recipient));
		return;
	}
	tell("unit %d: %s %s has it for %s", u->number,
	     t->is_store ? "mailbox at" : "system", t->name,
	     world.persons[person].local);
	again_keep(u, person, taker, sender, recipient, bytes);
	judge_taken(add_taken(u, person, taker, bytes), bytes);
}

void books_left_open(struct taker *t, struct str recipient, struct str bytes)
{
	struct unit *u = unit_of(bytes);
	uint64_t number;

	/* a notice of one without a header may have nothing of it (RET=HDRS) */
	if (!u && str_number(digits_of(recipient), books.n_units - 1, &number))
		u = books.units[number];
	if (!u)
		return;
	books.open = must_realloc(books.open,
				  (books.n_open + 1) * sizeof(struct taken));
	books.open[books.n_open++] =
		(struct taken){ .unit = u->number,
				.person = person_at(recipient),
				.taker = (int)(t - world.takers),
				.at_ms = now_ms() };
}

void books_returned(const struct taker *t, struct str recipient,
		    struct str bytes)
{
	struct unit *u = unit_of(bytes);
	int person = person_at(recipient);

	if (!u || person < 0 || !unit_has_sender(u))
		return;
	u->told[person]++;
	tell("unit %d: %s tells its sender that %s has not got it", u->number,
	     t->name, world.persons[person].local);
}

struct books_totals books_totals(void)
{
	struct books_totals t = { .units = (unsigned)books.n_units,
				  .taken = (unsigned)books.n_taken,
				  .told = books.dsns };

	for (size_t i = 0; i < books.n_units; i++) {
		const struct unit *u = books.units[i];

		t.promised += u->code == 250;
		t.refused += u->code >= 400;
		t.open += u->code == 0 && u->dot_was_sent;
	}
	return t;
}
