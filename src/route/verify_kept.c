/*
 * What other systems have said and outlives the process: who was confirmed, as
 * somebody writes it down and brings it back.
 */
#include "route/verify_inside.h"

#include "base/buf.h"
#include "rt/board.h"
#include "rt/clock.h"

/* Notes, copied while the board is locked: keys and what was told, in turn. */
struct copies {
	struct buf bytes;
};

static void copy_note(void *arg, struct str key, struct str note)
{
	struct copies *c = arg;

	buf_add(&c->bytes, (struct str){ (const char *)&key.n, sizeof(key.n) });
	buf_add(&c->bytes, key);
	buf_add(&c->bytes, str_part(note, 0, sizeof(struct told)));
}

static void waits tell_one(struct str key, const struct told *t,
			   confirmation_each *each, void *arg)
{
	int64_t age_ms = now_ms() - t->confirmed_ms;
	struct confirmation c = {
		.system = str_part(key, 0, t->system_bytes),
		.address_key = str_from(key, t->system_bytes + 1),
		.age_ms = age_ms,
		.was_refused = t->answer == VERDICT_NO,
	};

	if (t->was_confirmed && age_ms < CONFIRMED_MS)
		each(arg, &c);
}

static void waits tell_all(struct copies *c, confirmation_each *each, void *arg)
{
	struct str rest = buf_str(&c->bytes), key;
	struct told t;

	while (rest.n > 0) {
		memcpy(&key.n, rest.p, sizeof(key.n));
		key.p = rest.p + sizeof(key.n);
		memcpy(&t, key.p + key.n, sizeof(t));
		tell_one(key, &t, each, arg);
		rest = str_from(rest, sizeof(key.n) + key.n + sizeof(t));
	}
	buf_free(&c->bytes);
}

void verify_each_confirmed(struct verification *v, confirmation_each *each,
			   void *arg)
{
	struct copies c = { BUF_EMPTY };

	board_each(v->confirmed, copy_note, &c);
	board_each(v->detailed, copy_note, &c);
	tell_all(&c, each, arg);
}

void verify_each_news(struct verification *v, confirmation_each *each,
		      void *arg)
{
	struct copies c = { BUF_EMPTY };

	board_drain(v->news, copy_note, &c);
	tell_all(&c, each, arg);
}

void verify_restore(struct verification *v, const struct confirmation *c)
{
	struct told t = {
		.verdict = c->was_refused ? VERDICT_NOT_ASKED : VERDICT_YES,
		.answer = c->was_refused ? VERDICT_NO : VERDICT_YES,
		.was_confirmed = true,
		.is_saved = true,
		.confirmed_ms = now_ms() - c->age_ms,
		.at_ms = now_ms() - c->age_ms,
	};
	struct str key;
	struct key k;

	if (c->age_ms >= CONFIRMED_MS || c->address_key.n == 0)
		return;
	key = verify_key(&k, c->system, c->address_key);
	t.saved_ms = t.confirmed_ms;
	t.system_bytes = k.system_bytes;
	board_write(verify_board(v, c->address_key), key, note_of(&t));
}
