/*
 * What other systems have said: a board (rt/board.h) by system and address.
 *
 * The address "" stands for the system as a whole: it is down.  That is told
 * by trouble without a reply, and forgotten with the next answer.
 * The address "SIZE" stands for the largest message it takes.
 *
 * Two loops that learn at the same moment: the later one is right, and an
 * answer more or less is no harm, because it is only a memory.
 */
#include "route/verify.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "rt/board.h"
#include "rt/clock.h"

enum {
	FRESH_YES_MS = 600000,
	FRESH_NO_MS = 30000,
	FRESH_TROUBLE_MS = 5000,
	CONFIRMED_MS = 7 * 24 * 3600 * 1000,
};

/* As it lies on the board; the reply's text follows. */
struct told {
	enum verdict verdict;
	int code;
	char status[12];
	int64_t at_ms;
	bool was_confirmed;
	int64_t confirmed_ms;
};

struct verification {
	struct board *board;
	struct tally *open;
};

/* SYSTEM and ADDRESS as one key, on the stack. */
struct key {
	char c[LIMIT_PATH_BYTES + 1024];
	size_t n;
};

static struct str key_make(struct key *k, struct str system,
                           struct str address)
{
	system = str_part(system, 0, 1000);
	address = str_part(address, 0, LIMIT_PATH_BYTES);
	if (system.n > 0)
		memcpy(k->c, system.p, system.n);
	k->c[system.n] = '|';
	if (address.n > 0)
		memcpy(k->c + system.n + 1, address.p, address.n);
	k->n = system.n + 1 + address.n;
	return (struct str){ k->c, k->n };
}

struct verification *verification_open(struct tally *open_questions)
{
	struct verification *v = must_alloc(sizeof(*v));

	*v = (struct verification){
		.board = board_open(LIMIT_VERIFICATIONS),
		.open = open_questions,
	};
	return v;
}

void verification_close(struct verification *v)
{
	if (!v)
		return;
	board_close(v->board);
	free(v);
}

/* TEXT: what the system said, in ARENA. */
static bool look_up(struct verification *v, struct str key,
                    struct arena *arena, struct told *t, struct str *text)
{
	struct str note;

	if (!board_read(v->board, key, arena, &note))
		return false;
	check(note.n >= sizeof(*t));
	memcpy(t, note.p, sizeof(*t));
	*text = str_from(note, sizeof(*t));
	return true;
}

static bool is_fresh(const struct told *t, int64_t now)
{
	int64_t age = now - t->at_ms;

	switch (t->verdict) {
	case VERDICT_NOT_ASKED:
		return false;
	case VERDICT_YES:
		return age < FRESH_YES_MS;
	case VERDICT_NO:
		return age < FRESH_NO_MS;
	case VERDICT_TROUBLE:
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

struct finding verify_find(struct verification *v, struct str system,
                           struct str address_key, struct arena *arena)
{
	struct finding f = { .verdict = VERDICT_NOT_ASKED };
	int64_t now = now_ms();
	struct told t;
	struct str key, text;
	struct key k;

	key = key_make(&k, system, address_key);
	f.is_asked_now = v->open && tally_count(v->open, key) > 0;
	if (look_up(v, key, arena, &t, &text)) {
		f.once_confirmed = t.was_confirmed &&
		                   now - t.confirmed_ms < CONFIRMED_MS;
		if (is_fresh(&t, now)) {
			report(&t, text, now, &f);
			return f;
		}
	}
	key = key_make(&k, system, STR_NONE);
	if (look_up(v, key, arena, &t, &text) && is_fresh(&t, now))
		report(&t, text, now, &f);
	return f;
}

bool verify_begin(struct verification *v, struct str system,
                  struct str address_key)
{
	struct str key;
	struct key k;

	if (!v->open)
		return true;
	key = key_make(&k, system, address_key);
	if (tally_add(v->open, key) == 1)
		return true;
	tally_drop(v->open, key);
	return false;
}

static struct told told_now(const struct told *before, enum verdict verdict,
                            const struct reply *reply)
{
	struct told t = {
		.verdict = verdict,
		.at_ms = now_ms(),
		.code = reply ? reply->code : 0,
		.was_confirmed = before->was_confirmed,
		.confirmed_ms = before->confirmed_ms,
	};

	if (reply)
		memcpy(t.status, reply->status, sizeof(t.status) - 1);
	if (verdict == VERDICT_YES) {
		t.was_confirmed = true;
		t.confirmed_ms = t.at_ms;
	}
	return t;
}

static void learn(struct verification *v, struct str system, struct str address,
                  enum verdict verdict, const struct reply *reply)
{
	struct arena *arena scoped(arena) = arena_open();
	struct buf note scoped(buf) = BUF_EMPTY;
	struct told t = { .verdict = VERDICT_NOT_ASKED };
	struct str key, text;
	struct key k;

	key = key_make(&k, system, address);
	look_up(v, key, arena, &t, &text);
	t = told_now(&t, verdict, reply);
	buf_add(&note, (struct str){ (const char *)&t, sizeof(t) });
	if (reply && verdict != VERDICT_YES)
		buf_add(&note, str_part(reply->text, 0, LIMIT_VERIFIED_TEXT));
	board_write(v->board, key, buf_str(&note));
}

void verify_learn(struct verification *v, struct str system,
                  struct str address_key, enum verdict verdict,
                  const struct reply *reply)
{
	struct key k;

	if (verdict == VERDICT_NOT_ASKED)
		return;
	learn(v, system, address_key, verdict, reply);
	if (verdict == VERDICT_TROUBLE && (!reply || reply->code == 0))
		learn(v, system, STR_NONE, verdict, reply);
	else
		board_erase(v->board, key_make(&k, system, STR_NONE));
}

void verify_end(struct verification *v, struct str system,
                struct str address_key, enum verdict verdict,
                const struct reply *reply)
{
	struct key k;

	if (v->open)
		tally_drop(v->open, key_make(&k, system, address_key));
	verify_learn(v, system, address_key, verdict, reply);
}

void verify_learn_size(struct verification *v, struct str system,
                       uint64_t bytes)
{
	struct key k;
	struct str key = key_make(&k, system, S("SIZE"));

	if (bytes > 0)
		board_write(v->board, key,
		            (struct str){ (const char *)&bytes, sizeof(bytes) });
	else
		board_erase(v->board, key);
}

uint64_t verify_size(struct verification *v, struct str system,
                     struct arena *arena)
{
	struct key k;
	uint64_t bytes;
	struct str note;

	if (!board_read(v->board, key_make(&k, system, S("SIZE")), arena,
	                &note))
		return 0;
	check(note.n == sizeof(bytes));
	memcpy(&bytes, note.p, sizeof(bytes));
	return bytes;
}
