/*
 * Slots with idle connections, newest last: the newest is taken first, so that
 * the surplus of a busy hour grows old and is closed.
 *
 * A fiber of the pool closes what was idle for LIMIT_POOL_IDLE_MS.  It lives
 * only while something is idle, and holds the pool: when pool_close() comes
 * first, the sweeper is what frees it.
 *
 * Invariant: a slot exists while someone uses it, waits for it or a connection
 * lies in it.
 */
#include "deliver/pool.h"

#include <stdlib.h>
#include <uthash.h>

#include "base/limits.h"

enum { SWEEP_MS = 5000 };

struct slot {
	UT_hash_handle hh;
	struct pool *pool;
	struct peer *idle[LIMIT_POOL_IDLE];
	unsigned n_idle, in_use, waiting;
	struct gate room;
	size_t key_bytes;
	char key[];
};

struct pool {
	struct slot *slots;
	unsigned n_idle;
	struct fiber *sweeper;
	bool closed;
};

struct pool *pool_open(void)
{
	struct pool *pool = must_alloc(sizeof *pool);

	*pool = (struct pool){ 0 };
	return pool;
}

unsigned pool_idle(const struct pool *pool)
{
	return pool->n_idle;
}

void pool_list(struct pool *pool,
               void (*each)(void *arg, struct str whose, unsigned in_use,
                            unsigned idle),
               void *arg)
{
	struct slot *s, *next;

	HASH_ITER (hh, pool->slots, s, next) {
		struct str rest = { s->key, s->key_bytes }, whose;

		str_split(&rest, '\n', &whose);
		each(arg, whose, s->in_use, s->n_idle);
	}
}

static struct slot *slot_find(struct pool *pool, struct str key)
{
	struct slot *s;

	HASH_FIND(hh, pool->slots, key.p, key.n, s);
	if (s)
		return s;
	s = must_alloc(sizeof *s + key.n);
	memset(s, 0, sizeof *s);
	s->pool = pool;
	s->key_bytes = key.n;
	memcpy(s->key, key.p, key.n);
	HASH_ADD_KEYPTR(hh, pool->slots, s->key, s->key_bytes, s);
	return s;
}

static void forget_if_empty(struct pool *pool, struct slot *s)
{
	if (s->n_idle || s->in_use || s->waiting)
		return;
	HASH_DEL(pool->slots, s);
	free(s);
}

/* The oldest lie first. */
static void drop_oldest(struct pool *pool, struct slot *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		peer_close(s->idle[i]);
	s->n_idle -= n;
	pool->n_idle -= n;
	memmove(s->idle, s->idle + n, s->n_idle * sizeof s->idle[0]);
}

static void sweep(struct pool *pool)
{
	int64_t old = now_ms() - LIMIT_POOL_IDLE_MS;
	struct slot *s, *next;

	HASH_ITER (hh, pool->slots, s, next) {
		unsigned n = 0;

		while (n < s->n_idle && s->idle[n]->idle_since_ms <= old)
			n++;
		drop_oldest(pool, s, n);
		forget_if_empty(pool, s);
	}
}

static void sweeper(void *arg)
{
	struct pool *pool = arg;

	while (!pool->closed && pool->n_idle > 0)
		if (fiber_sleep(after_ms(SWEEP_MS)) == WAIT_DEADLINE &&
		    !pool->closed)
			sweep(pool);
		else
			break;
	pool->sweeper = NULL;
	if (pool->closed)
		free(pool);
}

void pool_close(struct pool *pool)
{
	struct slot *s, *next;

	HASH_ITER (hh, pool->slots, s, next) {
		check(!s->in_use && !s->waiting);
		drop_oldest(pool, s, s->n_idle);
		forget_if_empty(pool, s);
	}
	pool->closed = true;
	if (pool->sweeper)
		fiber_cancel(pool->sweeper);
	else
		free(pool);
}

struct slot *pool_enter(struct pool *pool, struct str key, int64_t deadline_ms)
{
	struct slot *s = slot_find(pool, key);
	enum wait_result w = WAIT_DONE;

	s->waiting++;
	while (s->in_use >= LIMIT_PER_HOP && w == WAIT_DONE)
		w = gate_wait(&s->room, deadline_ms);
	s->waiting--;
	if (s->in_use >= LIMIT_PER_HOP) {
		forget_if_empty(pool, s);
		fail("too many connections at once");
		return NULL;
	}
	s->in_use++;
	return s;
}

struct peer *slot_idle(struct slot *s)
{
	while (s->n_idle > 0) {
		struct peer *p = s->idle[--s->n_idle];

		s->pool->n_idle--;
		if (stream_bytes(p->stream).n == 0 &&
		    stream_is_quiet(p->stream)) {
			p->is_reused = true;
			p->has_spoken = false;
			return p;
		}
		peer_close(p);
	}
	return NULL;
}

static bool is_worth_keeping(struct slot *s, struct peer *p)
{
	return !s->pool->closed && !p->is_broken &&
	       s->n_idle < LIMIT_POOL_IDLE && stream_bytes(p->stream).n == 0;
}

void pool_leave(struct slot *s, struct peer *p)
{
	struct pool *pool = s->pool;

	s->in_use--;
	if (p && is_worth_keeping(s, p)) {
		p->idle_since_ms = now_ms();
		s->idle[s->n_idle++] = p;
		pool->n_idle++;
		if (!pool->sweeper)
			pool->sweeper = fiber_start("pool", sweeper, pool);
	} else {
		peer_close(p);
	}
	if (s->waiting)
		gate_open(&s->room);
	forget_if_empty(pool, s);
}
