/* Ledgers: one lock around one hash. */
#include "rt/ledger.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "rt/clock.h"

struct row {
	UT_hash_handle hh;
	struct ledger_row seen; /* its texts are the two below */
	char note[LEDGER_NOTE_BYTES];
	char name[];
};

struct ledger {
	pthread_mutex_t lock;
	struct row *rows;
	size_t most;
	uint64_t uses;
};

struct ledger *ledger_open(size_t most)
{
	struct ledger *l = must_alloc(sizeof(*l));

	*l = (struct ledger){ .most = most };
	check(pthread_mutex_init(&l->lock, NULL) == 0);
	return l;
}

void ledger_close(struct ledger *l)
{
	struct row *r, *next;

	if (!l)
		return;
	HASH_ITER (hh, l->rows, r, next) {
		HASH_DEL(l->rows, r);
		free(r);
	}
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* NULL: there is no room for one more. */
static struct row *find_or_add(struct ledger *l, struct str name)
{
	struct row *r;

	HASH_FIND(hh, l->rows, name.p, name.n, r);
	if (r || HASH_COUNT(l->rows) >= l->most)
		return r;
	r = must_alloc(sizeof(*r) + name.n);
	memset(r, 0, sizeof(*r));
	memcpy(r->name, name.p, name.n);
	r->seen.name = (struct str){ r->name, name.n };
	HASH_ADD_KEYPTR(hh, l->rows, r->name, name.n, r);
	return r;
}

void ledger_count(struct ledger *l, struct str name, size_t which, uint64_t n)
{
	struct row *r;

	check(which < LEDGER_NUMBERS);
	if (!l || str_empty(name))
		return;
	pthread_mutex_lock(&l->lock);
	r = find_or_add(l, name);
	if (r) {
		r->seen.n[which] += n;
		r->seen.used = ++l->uses;
	}
	pthread_mutex_unlock(&l->lock);
}

static void say(struct row *r, int state, struct str note)
{
	note = str_cut(note, sizeof(r->note));
	if (r->seen.since_ms == 0 || r->seen.state != state)
		r->seen.since_ms = wall_ms();
	r->seen.state = state;
	if (note.n)
		memcpy(r->note, note.p, note.n);
	r->seen.note = (struct str){ r->note, note.n };
}

void ledger_say(struct ledger *l, struct str name, int state, struct str note)
{
	struct row *r;

	if (!l || str_empty(name))
		return;
	pthread_mutex_lock(&l->lock);
	r = find_or_add(l, name);
	if (r) {
		say(r, state, note);
		r->seen.used = ++l->uses;
	}
	pthread_mutex_unlock(&l->lock);
}

struct ledger_row *ledger_copy(struct ledger *l, struct arena *arena, size_t *n)
{
	struct ledger_row *rows;

	*n = 0;
	pthread_mutex_lock(&l->lock);
	rows = arena_array(arena, struct ledger_row, HASH_COUNT(l->rows));
	for (const struct row *r = l->rows; r; r = r->hh.next) {
		struct ledger_row *copy = &rows[(*n)++];

		*copy = r->seen;
		copy->name = arena_str(arena, r->seen.name);
		copy->note = arena_str(arena, r->seen.note);
	}
	pthread_mutex_unlock(&l->lock);
	return rows;
}
