/*
 * Boards: one lock around one hash.
 *
 * uthash keeps its items in the order they were added; whatever is used is
 * taken out and added again, so the first item is the one to go.
 */
#include "rt/board.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/hash.h"
#include "rt/random.h"

struct note {
	UT_hash_handle hh;
	size_t key_bytes, bytes;
	char c[]; /* the key, then the note */
};

struct board {
	pthread_mutex_t lock;
	struct note *notes; /* not used for longest first */
	size_t most;
	uint8_t hash_key[crypto_shorthash_KEYBYTES]; /* peers choose keys */
};

struct board *board_open(size_t most)
{
	struct board *b = must_alloc(sizeof(*b));

	check(most > 0);
	*b = (struct board){ .most = most };
	check(sodium_init() >= 0);
	random_bytes(b->hash_key, sizeof(b->hash_key));
	check(pthread_mutex_init(&b->lock, NULL) == 0);
	return b;
}

static void drop(struct board *b, struct note *n)
{
	HASH_DEL(b->notes, n);
	free(n);
}

void board_close(struct board *b)
{
	struct note *n, *next;

	if (!b)
		return;
	HASH_ITER (hh, b->notes, n, next)
		drop(b, n);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static unsigned hash_of(const struct board *b, struct str key)
{
	union {
		uint8_t bytes[crypto_shorthash_BYTES];
		unsigned value;
	} out;

	crypto_shorthash(out.bytes, (const uint8_t *)key.p, key.n, b->hash_key);
	return out.value;
}

static struct note *find(struct board *b, struct str key)
{
	unsigned hash = hash_of(b, key);
	struct note *n;

	HASH_FIND_BYHASHVALUE(hh, b->notes, key.p, key.n, hash, n);
	return n;
}

static void add(struct board *b, struct note *n)
{
	unsigned hash = hash_of(b, (struct str){ n->c, n->key_bytes });

	HASH_ADD_KEYPTR_BYHASHVALUE(hh, b->notes, n->c, n->key_bytes, hash, n);
}

bool board_read(struct board *b, struct str key, struct arena *arena,
		struct str *note)
{
	struct note *n;

	pthread_mutex_lock(&b->lock);
	n = find(b, key);
	if (n) {
		*note = arena_str(
			arena, (struct str){ n->c + n->key_bytes, n->bytes });
		HASH_DEL(b->notes, n);
		add(b, n);
	}
	pthread_mutex_unlock(&b->lock);
	return n != NULL;
}

static struct note *note_new(struct str key, struct str text)
{
	struct note *n = must_alloc(sizeof(*n) + key.n + text.n);

	memset(n, 0, sizeof(*n));
	n->key_bytes = key.n;
	n->bytes = text.n;
	memcpy(n->c, key.p, key.n);
	if (text.n > 0)
		memcpy(n->c + key.n, text.p, text.n);
	return n;
}

void board_write(struct board *b, struct str key, struct str note)
{
	struct note *n = note_new(key, note), *old;

	check(key.n > 0);
	pthread_mutex_lock(&b->lock);
	old = find(b, key);
	if (!old && HASH_COUNT(b->notes) >= b->most)
		old = b->notes;
	if (old)
		drop(b, old);
	add(b, n);
	pthread_mutex_unlock(&b->lock);
}

void board_erase(struct board *b, struct str key)
{
	struct note *n;

	pthread_mutex_lock(&b->lock);
	n = find(b, key);
	if (n)
		drop(b, n);
	pthread_mutex_unlock(&b->lock);
}

size_t board_notes(struct board *b)
{
	size_t n;

	pthread_mutex_lock(&b->lock);
	n = HASH_COUNT(b->notes);
	pthread_mutex_unlock(&b->lock);
	return n;
}

void board_each(struct board *b,
		void (*each)(void *arg, struct str key, struct str note),
		void *arg)
{
	struct note *n, *next;

	pthread_mutex_lock(&b->lock);
	HASH_ITER (hh, b->notes, n, next)
		each(arg, (struct str){ n->c, n->key_bytes },
		     (struct str){ n->c + n->key_bytes, n->bytes });
	pthread_mutex_unlock(&b->lock);
}

void board_drain(struct board *b,
		 void (*each)(void *arg, struct str key, struct str note),
		 void *arg)
{
	struct note *all, *n, *next;

	pthread_mutex_lock(&b->lock);
	all = b->notes;
	b->notes = NULL;
	pthread_mutex_unlock(&b->lock);
	HASH_ITER (hh, all, n, next) {
		each(arg, (struct str){ n->c, n->key_bytes },
		     (struct str){ n->c + n->key_bytes, n->bytes });
		HASH_DEL(all, n);
		free(n);
	}
}
