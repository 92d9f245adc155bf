/*
 * What other systems have said: boards (rt/board.h) by system and address.
 *
 * Who was confirmed lies on a board of his own, so that no number of strangers'
 * guesses crowds him out; with a detail (bob+1, bob+2...), of which anybody can
 * make as many as he likes, on another one.  The address "" stands for the
 * system as a whole: it is down, or when it has answered last.  The address "SIZE" stands for the largest message it
 * takes, "ALL own.test" for whether it accepts every address of that domain.
 * What is to be written down lies on a third board until somebody fetches it
 * (verify_kept.c).
 *
 * Two loops that learn at the same moment: the later one is right, and an
 * answer more or less is no harm, because it is only a memory.
 */
#include "route/verify_inside.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mutants.h"
#include "rt/board.h"
#include "rt/clock.h"

enum {
	FRESH_YES_MS = 600000,
	FRESH_NO_MS = 30000,
	FRESH_TROUBLE_MS = 5000,
	DUE_MS = 3600 * 1000,
	SAVE_AGAIN_MS = 6 * 3600 * 1000, /* a yes is worth a line again */
	SORT_MS = 24 * 3600 * 1000,
	PROVE_AGAIN_MS = 3600 * 1000,
	SORT_AGAIN_MS = 60 * 1000, /* known to refuse: worth a note again */
};

/* Of a system and a domain: what does it do with addresses nobody has? */
struct sort {
	int64_t refused_ms, accepts_ms; /* when last; 0: never */
	int64_t tried_ms;
	unsigned confirmed; /* since then */
};

struct str verify_key(struct key *k, struct str system, struct str address)
{
	system = str_part(system, 0, 1000);
	address = str_part(address, 0, LIMIT_PATH_BYTES);
	if (MUTANT(verdict_without_domain) && str_find(address, '@') > 0)
		address.n = (size_t)str_find(address, '@');
	if (system.n > 0)
		memcpy(k->c, system.p, system.n);
	k->c[system.n] = '|';
	if (address.n > 0)
		memcpy(k->c + system.n + 1, address.p, address.n);
	k->system_bytes = system.n;
	k->n = system.n + 1 + address.n;
	return (struct str){ k->c, k->n };
}

struct verification *verification_open(struct tally *open_questions)
{
	struct verification *v = must_alloc(sizeof(*v));

	*v = (struct verification){
		.confirmed = board_open(LIMIT_VERIFICATIONS),
		.detailed = board_open(LIMIT_REFUSALS),
		.rest = board_open(LIMIT_REFUSALS),
		.news = board_open(LIMIT_VERIFICATIONS),
		.said = board_open(LIMIT_REFUSALS),
		.open = open_questions,
	};
	return v;
}

void verification_close(struct verification *v)
{
	if (!v)
		return;
	board_close(v->confirmed);
	board_close(v->detailed);
	board_close(v->rest);
	board_close(v->news);
	board_close(v->said);
	free(v);
}

struct board *verify_board(struct verification *v, struct str address)
{
	ptrdiff_t at = str_find_last(address, '@');

	return at > 0 && str_find(str_part(address, 0, (size_t)at), '+') > 0
		       ? v->detailed
		       : v->confirmed;
}

/* TEXT: what the system said, in ARENA. */
static bool look_up(struct verification *v, struct str key, struct arena *arena,
		    struct told *t, struct str *text)
{
	struct str note;

	if (!board_read(v->confirmed, key, arena, &note) &&
	    !board_read(v->detailed, key, arena, &note) &&
	    !board_read(v->rest, key, arena, &note))
		return false;
	check(note.n >= sizeof(*t));
	memcpy(t, note.p, sizeof(*t));
	*text = str_from(note, sizeof(*t));
	return true;
}

/* ---- systems that accept everything ---- */

static struct str sort_key(struct key *k, struct str system, struct str domain)
{
	char name[LIMIT_DOMAIN_BYTES + 8] = "ALL ";

	domain = str_part(domain, 0, LIMIT_DOMAIN_BYTES);
	if (domain.n > 0)
		memcpy(name + 4, domain.p, domain.n);
	return verify_key(k, system, (struct str){ name, 4 + domain.n });
}

static struct sort sort_read(struct verification *v, struct str key)
{
	struct arena *arena scoped(arena) = arena_open();
	struct sort sort = { .confirmed = 0 };
	struct str note;

	if (board_read(v->rest, key, arena, &note)) {
		check(note.n == sizeof(sort));
		memcpy(&sort, note.p, sizeof(sort));
	}
	return sort;
}

static void sort_write(struct verification *v, struct str key,
		       const struct sort *sort)
{
	board_write(v->rest, key,
		    (struct str){ (const char *)sort, sizeof(*sort) });
}

static bool within(int64_t at_ms, int64_t ms)
{
	return at_ms && now_ms() - at_ms < ms;
}

static struct str domain_of(struct str address)
{
	ptrdiff_t at = str_find_last(address, '@');

	return at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
}

static bool accepts_all(struct verification *v, struct str system,
			struct str address)
{
	struct key k;
	struct sort sort =
		sort_read(v, sort_key(&k, system, domain_of(address)));

	return within(sort.accepts_ms, SORT_MS);
}

static void learn_refuses(struct verification *v, struct str key,
			  struct sort *sort)
{
	if (within(sort->refused_ms, SORT_AGAIN_MS))
		return;
	*sort = (struct sort){ .refused_ms = now_ms() };
	sort_write(v, key, sort);
}

static void learn_confirms(struct verification *v, struct str key,
			   struct sort *sort)
{
	if (within(sort->refused_ms, SORT_MS) ||
	    within(sort->accepts_ms, SORT_MS) ||
	    sort->confirmed >= LIMIT_UNPROVED)
		return;
	sort->confirmed++;
	sort_write(v, key, sort);
}

bool verify_wants_proof(struct verification *v, struct str system,
			struct str domain)
{
	struct key k;
	struct str key = sort_key(&k, system, domain);
	struct sort sort = sort_read(v, key);

	if (sort.confirmed < LIMIT_UNPROVED ||
	    within(sort.tried_ms, PROVE_AGAIN_MS))
		return false;
	sort.tried_ms = now_ms();
	sort_write(v, key, &sort);
	return true;
}

void verify_learn_made_up(struct verification *v, struct str system,
			  struct str domain, enum verdict verdict)
{
	struct key k;
	struct str key = sort_key(&k, system, domain);
	struct sort sort = sort_read(v, key);

	if (verdict == VERDICT_NO)
		learn_refuses(v, key, &sort);
	if (verdict != VERDICT_YES)
		return;
	sort = (struct sort){ .accepts_ms = now_ms() };
	sort_write(v, key, &sort);
}

/* ---- what is known ---- */

static bool is_fresh(const struct told *t, int64_t now)
{
	int64_t age = now - t->at_ms;

	switch (t->verdict) {
	case VERDICT_NOT_ASKED:
		return false;
	case VERDICT_YES:
		return age < FRESH_YES_MS;
	case VERDICT_NO:
		return age <
		       (MUTANT(no_lasts_as_yes) ? FRESH_YES_MS : FRESH_NO_MS);
	case VERDICT_TROUBLE:
	case VERDICT_DOWN:
		return age < FRESH_TROUBLE_MS;
	}
	return false;
}

static void report(const struct told *t, struct str text, int64_t now,
		   struct finding *f)
{
	f->verdict = t->verdict;
	f->age_s = now > t->at_ms ? (now - t->at_ms) / 1000 : 0;
	f->reply.code = t->code;
	memcpy(f->reply.status, t->status, sizeof(f->reply.status));
	f->reply.text = text;
}

/* Of an open question. */
static bool may_come_back(struct verification *v, struct str key,
			  struct arena *arena, int64_t now)
{
	int64_t said_ms;
	struct str note;

	if (!board_read(v->said, key, arena, &note))
		return false;
	check(note.n == sizeof(said_ms));
	memcpy(&said_ms, note.p, sizeof(said_ms));
	return now - said_ms < LIMIT_PROBE_WAIT_MS;
}

struct finding verify_find(struct verification *v, struct str system,
			   struct str address_key, struct arena *arena)
{
	struct finding f = { .verdict = VERDICT_NOT_ASKED, .is_due = true };
	int64_t now = now_ms();
	struct told t;
	struct str text;
	struct key k, whole;

	if (look_up(v, verify_key(&k, system, address_key), arena, &t, &text)) {
		f.once_confirmed = t.was_confirmed &&
				   now - t.confirmed_ms < CONFIRMED_MS &&
				   !accepts_all(v, system, address_key);
		f.was_refused = t.answer == VERDICT_NO;
		f.is_due = t.verdict == VERDICT_NOT_ASKED ||
			   now - t.at_ms >= DUE_MS;
		if (is_fresh(&t, now)) {
			report(&t, text, now, &f);
			return f;
		}
	}
	f.is_asked_now = verify_is_open(v, system, address_key);
	f.may_come_back = f.is_asked_now &&
			  may_come_back(v, verify_key(&k, system, address_key),
					arena, now);
	if (look_up(v, verify_key(&whole, system, STR_NONE), arena, &t,
		    &text) &&
	    t.verdict == VERDICT_DOWN && is_fresh(&t, now))
		report(&t, text, now, &f);
	return f;
}

/* ---- open questions ---- */

/* It may have been answered between the last look at it and now: by another
 * thread, whose answer is on the board before the question is closed. */
static bool is_answered(struct verification *v, struct str key)
{
	struct arena *arena scoped(arena) = arena_open();
	struct told t;
	struct str text;

	return look_up(v, key, arena, &t, &text) && is_fresh(&t, now_ms());
}

bool verify_begin(struct verification *v, struct str system,
		  struct str address_key)
{
	struct str key;
	struct key k;

	key = verify_key(&k, system, address_key);
	if (!v->open)
		return !is_answered(v, key);
	if (tally_add(v->open, key) == 1 && !is_answered(v, key))
		return true;
	tally_drop(v->open, key);
	return false;
}

void verify_said(struct verification *v, struct str system,
		 struct str address_key)
{
	int64_t now = now_ms();
	struct key k;

	board_write(v->said, verify_key(&k, system, address_key),
		    (struct str){ (const char *)&now, sizeof(now) });
}

bool verify_is_open(struct verification *v, struct str system,
		    struct str address_key)
{
	struct key k;

	return v->open &&
	       tally_count(v->open, verify_key(&k, system, address_key)) > 0;
}

/* ---- learning ---- */

/* CONFIRMS: a yes of this system about this is a confirmation. */
static struct told told_now(const struct told *before, bool confirms,
			    enum verdict verdict, const struct reply *reply)
{
	struct told t = *before;

	t.verdict = verdict;
	t.at_ms = now_ms();
	t.code = reply ? reply->code : 0;
	memset(t.status, 0, sizeof(t.status));
	if (reply)
		memcpy(t.status, reply->status, sizeof(t.status) - 1);
	if (verdict == VERDICT_YES || verdict == VERDICT_NO)
		t.answer = verdict;
	if (verdict == VERDICT_YES && confirms) {
		t.was_confirmed = true;
		t.confirmed_ms = t.at_ms;
	}
	return t;
}

/* Once confirmed: worth to be written down when that is new, was long ago, or
 * is true no more. */
static bool is_news(const struct told *t, const struct told *before)
{
	if (!t->was_confirmed)
		return false;
	return t->answer != before->answer || !t->is_saved ||
	       t->confirmed_ms - t->saved_ms >= SAVE_AGAIN_MS;
}

/* We could not spell it: so it was not asked. */
static bool is_ours(const struct reply *reply)
{
	return reply && str_same(str_of(reply->status), S("5.6.7"));
}

/* What the answer about one address says of the system.  False: its yes
 * confirms nothing. */
static bool learn_sort(struct verification *v, struct str system,
		       struct str address, enum verdict verdict,
		       const struct reply *reply)
{
	struct key k;
	struct str key = sort_key(&k, system, domain_of(address));
	struct sort sort = sort_read(v, key);

	if (verdict == VERDICT_NO && !is_ours(reply))
		learn_refuses(v, key, &sort);
	if (verdict == VERDICT_YES)
		learn_confirms(v, key, &sort);
	return !within(sort.accepts_ms, SORT_MS);
}

static void learn(struct verification *v, struct str system, struct str address,
		  enum verdict verdict, const struct reply *reply)
{
	bool confirms =
		address.n > 0 && learn_sort(v, system, address, verdict, reply);
	struct arena *arena scoped(arena) = arena_open();
	struct buf note scoped(buf) = BUF_EMPTY;
	struct told before = { .verdict = VERDICT_NOT_ASKED }, t;
	struct str key, text;
	struct key k;

	key = verify_key(&k, system, address);
	look_up(v, key, arena, &before, &text);
	before.system_bytes = k.system_bytes;
	t = told_now(&before, confirms, verdict, reply);
	if (is_news(&t, &before)) {
		t.is_saved = true;
		t.saved_ms = t.confirmed_ms;
		board_write(v->news, key, note_of(&t));
	}
	buf_add(&note, note_of(&t));
	if (reply && verdict != VERDICT_YES)
		buf_add(&note, str_part(reply->text, 0, LIMIT_VERIFIED_TEXT));
	if (t.was_confirmed && !before.was_confirmed)
		board_erase(v->rest, key);
	board_write(t.was_confirmed ? verify_board(v, address) : v->rest, key,
		    buf_str(&note));
}

static bool has_answered_since(struct verification *v, struct str system,
			       int64_t since_ms)
{
	struct arena *arena scoped(arena) = arena_open();
	struct told t;
	struct str text;
	struct key k;

	return look_up(v, verify_key(&k, system, STR_NONE), arena, &t, &text) &&
	       t.verdict == VERDICT_YES && t.at_ms >= since_ms;
}

void verify_learn(struct verification *v, struct str system,
		  struct str address_key, enum verdict verdict,
		  const struct reply *reply)
{
	switch (verdict) {
	case VERDICT_NOT_ASKED:
		return;
	case VERDICT_DOWN:
		learn(v, system, STR_NONE, VERDICT_DOWN, reply);
		return;
	case VERDICT_YES:
	case VERDICT_NO:
	case VERDICT_TROUBLE:
		break;
	}
	learn(v, system, address_key, verdict, reply);
	/* Nothing said is no answer, and no sign of life. */
	if (verdict != VERDICT_TROUBLE || (reply && reply->code))
		learn(v, system, STR_NONE, VERDICT_YES, NULL);
}

void verify_end(struct verification *v, struct str system,
		struct str address_key, enum verdict verdict,
		const struct reply *reply, int64_t began_ms)
{
	struct key k;

	if (verdict == VERDICT_DOWN && has_answered_since(v, system, began_ms))
		verdict = VERDICT_TROUBLE;
	verify_learn(v, system, address_key, verdict, reply);
	board_erase(v->said, verify_key(&k, system, address_key));
	if (v->open)
		tally_drop(v->open, verify_key(&k, system, address_key));
}

/* ---- sizes ---- */

void verify_learn_size(struct verification *v, struct str system,
		       uint64_t bytes)
{
	struct key k;
	struct str key = verify_key(&k, system, S("SIZE"));

	if (bytes > 0)
		board_write(
			v->rest, key,
			(struct str){ (const char *)&bytes, sizeof(bytes) });
	else
		board_erase(v->rest, key);
}

uint64_t verify_size(struct verification *v, struct str system,
		     struct arena *arena)
{
	struct key k;
	uint64_t bytes;
	struct str note;

	if (!board_read(v->rest, verify_key(&k, system, S("SIZE")), arena,
			&note))
		return 0;
	check(note.n == sizeof(bytes));
	memcpy(&bytes, note.p, sizeof(bytes));
	return bytes;
}
