/*
 * A filter's conversations (filters.h), from the protocol's description: packets
 * are a length of four octets, most significant first, a command and its data.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filters.h"
#include "rt/stream.h"

enum { SAY_MS = 300000, NAMES = 12, NAME_BYTES = 128 };

struct visit {
	struct world_filter *f;
	int number; /* the filter's */
	struct stream *s;
	struct buf in;
	struct unit *u; /* NULL: it is not known yet */
	bool is_over, is_decided;
	char to[NAMES][NAME_BYTES]; /* whom it let pass, as they were said */
	int n;
};

/* ---- packets ---- */

static void say(struct visit *v, char command, struct str data)
{
	size_t n = data.n + 1;
	char head[5] = { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8),
			 (char)n, command };

	stream_say(v->s, (struct str){ head, 5 });
	stream_say(v->s, data);
}

static void send_all(struct visit *v)
{
	if (!stream_flush(v->s, after_ms(SAY_MS)))
		v->is_over = true;
}

/* What it wants of the number behind the packet; false: it was left. */
static bool hear(struct visit *v, char *command, struct str *data, size_t *used)
{
	for (;;) {
		struct str in = buf_str(&v->in);
		size_t n = 0;

		for (size_t i = 0; i < 4 && in.n >= 4; i++)
			n = n << 8 | (unsigned char)in.p[i];
		if (n && in.n >= 4 + n) {
			*command = in.p[4];
			*data = str_part(in, 5, 4 + n);
			*used = 4 + n;
			return true;
		}
		if (stream_fill(v->s, after_ms(10 * SAY_MS)) != STREAM_MORE)
			return false;
		buf_add(&v->in, stream_bytes(v->s));
		stream_skip(v->s, stream_bytes(v->s).n);
	}
}

static void say_options(struct visit *v)
{
	char text[12];
	const uint32_t all[] = { v->f->version,
				 v->f->version == 2 ? 0x3f : 0x1ff,
				 v->f->steps };

	for (int i = 0; i < 12; i++)
		text[i] = (char)(all[i / 4] >> (24 - i % 4 * 8));
	say(v, 'O', (struct str){ text, 12 });
	send_all(v);
}

static int times_named(const struct unit *u, int person)
{
	int n = 0;

	for (int i = 0; i < u->n; i++)
		n += u->to[i] == person;
	return n;
}

/* ---- what it does ---- */

static void note(struct visit *v, enum filter_did did)
{
	static const char *const words[] = {
		"has not heard of it", "looks at it", "fails",
		"lets it pass",        "edits it",    "refuses it",
		"puts it off",         "discards it",
	};

	if (!v->u)
		return;
	v->u->did[v->number] = did;
	if (did != DID_BEGIN)
		tell("unit %d: filter %s %s", v->u->number, v->f->name,
		     words[did]);
}

static void await_the_end(struct visit *v)
{
	/* whoever waits for it is gone before it knows */
	if (v->u)
		v->u->paused_ms += (int64_t)v->f->timeout_s * 10000;
	while (stream_fill(v->s, after_ms(10 * SAY_MS)) == STREAM_MORE)
		stream_skip(v->s, stream_bytes(v->s).n);
	v->is_over = true;
}

static void lie(struct visit *v)
{
	static const struct {
		const char *p;
		size_t n;
	} lies[] = {
		{ "\0\0\0\1Z", 5 },
		{ "\0\0\0\0", 4 },
		{ "\x7f\xff\xff\xff"
		  "c",
		  5 },
		{ "\0\0\0\4hX-A", 8 },
		{ "\0\0\0\7hX Y\0v\0", 11 },
		{ "\0\0\0\5hX\0v", 9 },
		{ "\0\0\0\7y250 ok", 11 },
		{ "\0\0\0\1O", 5 },
		{ "\0\0\0\5+<a>x", 9 },
		{ "\xff\xff\xff\xff", 4 },
	};
	uint64_t which = sim_draw(array_size(lies));

	stream_say(v->s, (struct str){ lies[which].p, lies[which].n });
	send_all(v);
	await_the_end(v);
}

/* Instead of an answer. */
static bool misbehaves(struct visit *v)
{
	const struct world_filter *f = v->f;

	if (chance(f->silent_in)) {
		note(v, DID_FAIL);
		await_the_end(v);
	} else if (chance(f->close_in)) {
		note(v, DID_FAIL);
		v->is_over = true;
	} else if (chance(f->lie_in)) {
		note(v, DID_FAIL);
		lie(v);
	}
	return v->is_over;
}

static void rest_up_to(struct visit *v, int64_t ms)
{
	int64_t begun = now_ms();

	if (ms && !world.is_calm)
		fiber_sleep(after_ms((int64_t)sim_draw((uint64_t)ms)));
	if (v->u)
		v->u->paused_ms += now_ms() - begun;
}

static bool answers(const struct visit *v, char command)
{
	static const struct {
		char command;
		uint32_t without, silently;
	} steps[] = {
		{ 'C', 0x1, 0x1000 },    { 'H', 0x2, 0x2000 },
		{ 'M', 0x4, 0x4000 },    { 'R', 0x8, 0x8000 },
		{ 'T', 0x200, 0x10000 }, { 'L', 0x20, 0x80 },
		{ 'N', 0x40, 0x40000 },  { 'B', 0x10, 0x80000 },
		{ 'E', 0, 0 },
	};

	for (size_t i = 0; i < array_size(steps); i++)
		if (steps[i].command == command)
			return !(v->f->steps & steps[i].silently);
	return false;
}

static void go_on(struct visit *v)
{
	say(v, 'c', STR_NONE);
	send_all(v);
}

static void say_reply(struct visit *v, int code)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %s.7.1 filter %s says no", code,
		 code < 500 ? "4" : "5", v->f->name);
	say(v, 'y', (struct str){ text, strlen(text) + 1 });
	send_all(v);
}

/* ---- a verdict ---- */

/* Of the whole mail, before its end; false: none yet. */
static bool decides_early(struct visit *v, char step)
{
	enum opinion opinion = filter_opinion(v->number, v->u);

	if (v->is_decided || filter_step(v->number, v->u) != step)
		return false;
	if (opinion == OPINION_DISCARD) {
		note(v, DID_DISCARD);
		say(v, 'd', STR_NONE);
	} else if (opinion == OPINION_REFUSE && step == 'M') {
		note(v, DID_REFUSE);
		v->u->replied[v->number] = 550;
		say_reply(v, 550);
	} else if (opinion == OPINION_PASS && !filter_edits(v->number, v->u)) {
		note(v, DID_PASS);
		say(v, 'a', STR_NONE);
	} else {
		return false;
	}
	v->is_decided = true;
	send_all(v);
	return true;
}

static void say_header(struct visit *v, char command, bool has_index,
		       uint32_t index, const char *name, const char *value)
{
	char text[128] = { 0 };
	size_t n = has_index ? 4 : 0;

	if (has_index)
		text[3] = (char)index;
	n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", name) + 1;
	n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
			      v->f->steps & 0x100000 ? " " : "", value) +
	     1;
	say(v, command, (struct str){ text, n });
}

static void say_address(struct visit *v, char command, const char *address)
{
	say(v, command, (struct str){ address, strlen(address) + 1 });
}

static void say_edits(struct visit *v, unsigned edits)
{
	char name[16], value[24];

	snprintf(value, sizeof(value), "changed %d", v->u->number);
	if (edits & EDIT_SUBJECT)
		say_header(v, 'm', true, 1, "Subject", value);
	snprintf(value, sizeof(value), "%d", v->u->number);
	snprintf(name, sizeof(name), "X-T%d", v->number);
	if (edits & EDIT_INSERT)
		say_header(v, 'i', true, 1, name, value);
	snprintf(name, sizeof(name), "X-F%d", v->number);
	if (edits & EDIT_ADD)
		say_header(v, 'h', false, 0, name, value);
	if (edits & EDIT_BODY) {
		say(v, 'b', S("another\r\n.\r"));
		say(v, 'b', S("\n..\r\nbody"));
	}
	if (edits & EDIT_HOLD)
		say(v, 'q', S("looks odd\0"));
}

/* ---- recipients ---- */

/* The last one it let pass, if he is named once and stands alone. */
static int strikes(struct visit *v)
{
	struct unit *u = v->u;
	int person = v->n ? person_at(str_of(v->to[v->n - 1])) : -1;

	if (person < 0 || times_named(u, person) != 1)
		return -1;
	for (int i = 0; i < u->n; i++)
		if (u->to[i] == person && i < u->asked && !u->is_struck[i])
			return i;
	return -1;
}

static void change_recipients(struct visit *v, unsigned edits)
{
	struct unit *u = v->u;
	int whom = filter_whom(), struck = strikes(v);
	char address[64];

	if (edits & EDIT_STRIKE && struck >= 0) {
		u->is_struck[struck] = true;
		snprintf(address, sizeof(address), "<%s>", v->to[v->n - 1]);
		say_address(v, '-', address);
	}
	if (!(edits & EDIT_RECIPIENT) || whom < 0 || u->again.n ||
	    u->n == RECIPIENTS || times_named(u, whom))
		return;
	u->to[u->n] = whom;
	u->codes[u->n++] = 250;
	snprintf(address, sizeof(address), "<%s@%s>", world.persons[whom].local,
		 world.persons[whom].domain);
	say_address(v, '+', address);
}

/* ---- steps ---- */

static struct str in_brackets(struct str data)
{
	ptrdiff_t begin = str_find(data, '<'), end = str_find(data, '>');

	return begin < 0 || end < begin
		       ? STR_NONE
		       : str_part(data, (size_t)begin + 1, (size_t)end);
}

/* "m12@net.test", "u0+m12@own.test" */
static void know_by_sender(struct visit *v, struct str sender)
{
	ptrdiff_t at = str_find_last(sender, '@'),
		  m = str_find_last(sender, 'm');
	uint64_t number;

	/* that of ".test" is behind the @ */
	while (m > at && m >= 0)
		m = str_find_last(str_part(sender, 0, (size_t)m), 'm');
	if (at > 0 && m >= 0 &&
	    str_number(str_part(sender, (size_t)m + 1, (size_t)at), 1000000,
		       &number))
		v->u = books_unit(number);
}

static void begin_mail(struct visit *v, struct str data)
{
	v->u = NULL;
	v->n = 0;
	v->is_decided = false;
	know_by_sender(v, in_brackets(data));
	note(v, DID_BEGIN);
}

static void on_mail(struct visit *v, struct str data)
{
	begin_mail(v, data);
	if (!answers(v, 'M'))
		return;
	rest_up_to(v, v->f->pause_ms);
	if (misbehaves(v) || (v->u && decides_early(v, 'M')))
		return;
	if (v->u && chance(v->f->later_in)) {
		note(v, DID_LATER);
		v->u->replied[v->number] = 451;
		v->is_decided = true;
		say_reply(v, 451);
		return;
	}
	go_on(v);
}

static void on_rcpt(struct visit *v, struct str data)
{
	struct str address = in_brackets(data);
	int person = person_at(address), code = 0;

	if (answers(v, 'R')) {
		rest_up_to(v, v->f->pause_ms);
		if (misbehaves(v) || (v->u && decides_early(v, 'R')))
			return;
		if (v->u && person >= 0 && filter_bars(v->number, person))
			code = 550;
		else if (v->u && person >= 0 &&
			 times_named(v->u, person) == 1 &&
			 chance(v->f->later_in))
			code = 451;
		if (code && !v->u->rcpt_said[person])
			v->u->rcpt_said[person] = code;
		if (code)
			say_reply(v, code);
		else
			go_on(v);
	}
	if (!code && v->n < NAMES && address.n < NAME_BYTES)
		snprintf(v->to[v->n++], NAME_BYTES, "%.*s", STR(address));
}

/* "X-Unit\0 12\0"; of an old one the first. */
static void on_field(struct visit *v, struct str data)
{
	struct str rest = data, name, value;
	uint64_t number;

	if (!v->u && str_split(&rest, '\0', &name) &&
	    str_split(&rest, '\0', &value) &&
	    str_same_nocase(name, S("X-Unit")) &&
	    str_number(str_trim(value), 1000000, &number)) {
		v->u = books_unit(number);
		note(v, DID_BEGIN);
	}
	if (answers(v, 'L') && !misbehaves(v))
		go_on(v);
}

static bool may_edit(const struct visit *v)
{
	return v->u && unit_has_header(v->u);
}

/* What it wants changed and then does not stand by is nothing. */
static void decide(struct visit *v)
{
	unsigned edits = may_edit(v) ? filter_edits(v->number, v->u) : 0;
	enum opinion opinion =
		v->u ? filter_opinion(v->number, v->u) : OPINION_PASS;

	if (edits)
		say_edits(v, edits & ~(unsigned)EDIT_HOLD);
	send_all(v);
	if (misbehaves(v))
		return;
	if (v->u && chance(v->f->later_in)) {
		note(v, DID_LATER);
		v->u->replied[v->number] = 451;
		say_reply(v, 451);
	} else if (opinion == OPINION_REFUSE) {
		note(v, DID_REFUSE);
		v->u->replied[v->number] = 554;
		say_reply(v, 554);
	} else if (opinion == OPINION_DISCARD) {
		note(v, DID_DISCARD);
		say(v, 'd', STR_NONE);
	} else {
		note(v, edits ? DID_EDIT : DID_PASS);
		if (edits & EDIT_HOLD)
			say(v, 'q', S("looks odd\0"));
		if (edits)
			change_recipients(v, edits);
		say(v, 'c', STR_NONE);
	}
	send_all(v);
}

static void on_end(struct visit *v)
{
	rest_up_to(v, v->f->end_ms / 2);
	if (v->f->end_ms) {
		say(v, 'p', STR_NONE);
		send_all(v);
	}
	rest_up_to(v, v->f->end_ms / 2);
	decide(v);
}

static void obey(struct visit *v, char command, struct str data)
{
	switch (command) {
	case 'O':
		if (!misbehaves(v))
			say_options(v);
		break;
	case 'M':
		on_mail(v, data);
		break;
	case 'R':
		on_rcpt(v, data);
		break;
	case 'L':
		on_field(v, data);
		break;
	case 'E':
		on_end(v);
		break;
	case 'K':
	case 'A':
		v->u = NULL;
		break;
	case 'Q':
		v->is_over = true;
		break;
	case 'D':
		break;
	default:
		if (answers(v, command) && !misbehaves(v))
			go_on(v);
	}
}

static void converse(void *visit)
{
	struct visit *v = visit;
	struct str data;
	char command;
	size_t used;

	while (!v->is_over && hear(v, &command, &data, &used)) {
		obey(v, command, data);
		buf_take(&v->in, used);
	}
	stream_close(v->s);
	buf_free(&v->in);
	free(v);
}

static void run(void *filter)
{
	struct world_filter *f = filter;
	struct listener *l;
	struct stream *s;
	struct inet at;

	check(inet_parse(S("0.0.0.0:11332"), 0, &at));
	l = listener_open(&at);
	check(l);
	while ((s = listener_accept(l)) != NULL) {
		struct visit *v = must_alloc(sizeof(*v));

		*v = (struct visit){ .f = f,
				     .number = (int)(f - world.filters),
				     .s = s };
		check(fiber_start("visit", converse, v));
	}
}

void filter_start(struct world_filter *f)
{
	f->process = sim_start(f->host, f->name, run, f);
}
