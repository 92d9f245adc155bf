/* Tallies: one lock around one hash; keys are copied. */
#include "rt/tally.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"

struct entry {
	UT_hash_handle hh;
	uint64_t count;
	char key[];
};

struct tally {
	pthread_mutex_t lock;
	struct entry *entries;
	uint64_t total;
};

struct tally *tally_open(void)
{
	struct tally *t = must_alloc(sizeof(*t));

	*t = (struct tally){ .total = 0 };
	check(pthread_mutex_init(&t->lock, NULL) == 0);
	return t;
}

void tally_close(struct tally *t)
{
	struct entry *e, *next;

	if (!t)
		return;
	HASH_ITER (hh, t->entries, e, next) {
		HASH_DEL(t->entries, e);
		free(e);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct entry *find(struct tally *t, struct str key)
{
	struct entry *e;

	HASH_FIND(hh, t->entries, key.p, key.n, e);
	return e;
}

static struct entry *add(struct tally *t, struct str key)
{
	struct entry *e = must_alloc(sizeof(*e) + key.n);

	memset(e, 0, sizeof(*e));
	memcpy(e->key, key.p, key.n);
	HASH_ADD_KEYPTR(hh, t->entries, e->key, key.n, e);
	return e;
}

uint64_t tally_add(struct tally *t, struct str key)
{
	struct entry *e;
	uint64_t count;

	check(key.n > 0);
	pthread_mutex_lock(&t->lock);
	e = find(t, key);
	if (!e)
		e = add(t, key);
	count = ++e->count;
	t->total++;
	pthread_mutex_unlock(&t->lock);
	return count;
}

void tally_drop(struct tally *t, struct str key)
{
	struct entry *e;

	pthread_mutex_lock(&t->lock);
	e = find(t, key);
	check(e);
	t->total--;
	if (--e->count == 0) {
		HASH_DEL(t->entries, e);
		free(e);
	}
	pthread_mutex_unlock(&t->lock);
}

uint64_t tally_count(struct tally *t, struct str key)
{
	struct entry *e;
	uint64_t count;

	pthread_mutex_lock(&t->lock);
	e = find(t, key);
	count = e ? e->count : 0;
	pthread_mutex_unlock(&t->lock);
	return count;
}

uint64_t tally_total(struct tally *t)
{
	uint64_t total;

	pthread_mutex_lock(&t->lock);
	total = t->total;
	pthread_mutex_unlock(&t->lock);
	return total;
}
