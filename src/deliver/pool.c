/*
 * Slots with idle connections, newest last: the newest is taken first, so that
 * the surplus of a busy hour grows old and is closed.
 *
 * A fiber of the pool closes what was idle for LIMIT_POOL_IDLE_MS or is too old.
 * It lives only while something is idle, and holds the pool: when pool_close()
 * comes first, the sweeper is what frees it.
 *
 * Invariants: a slot exists while someone uses it, waits for it or a connection
 * lies in it.  Each connection, and each one that is being opened, has a place
 * at its host.
 */
#include "deliver/pool.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mutants.h"

enum { SWEEP_MS = 5000 };

struct slot {
	UT_hash_handle hh;
	struct pool *pool;
	struct host_state *host;
	struct peer *idle[LIMIT_POOL_IDLE];
	unsigned n_idle, in_use, waiting;
	struct slot *prev_idle, *next_idle; /* while it has some */
	size_t key_bytes;
	char key[];
};

struct pool {
	struct hosts *hosts;
	struct slot *slots;
	struct slot *first_idle; /* those with idle connections: they are few,
	                            however many wait */
	unsigned n_idle;
	struct fiber *sweeper;
	bool closed;
};

static void give_up_one(void *pool, struct host_state *h);

struct pool *pool_open(struct hosts *hosts)
{
	struct pool *pool = must_alloc(sizeof *pool);

	*pool = (struct pool){ .hosts = hosts };
	hosts_on_plea(hosts, give_up_one, pool);
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

/* HOST becomes the slot's, or is released. */
static struct slot *slot_find(struct pool *pool, struct str key,
			      struct host_state *host)
{
	struct slot *s;

	HASH_FIND(hh, pool->slots, key.p, key.n, s);
	if (s) {
		host_release(host);
		return s;
	}
	s = must_alloc(sizeof *s + key.n);
	memset(s, 0, sizeof *s);
	s->pool = pool;
	s->host = host;
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
	host_release(s->host);
	free(s);
}

/* Its connections that are idle change by so many. */
static void count_idle(struct slot *s, int change)
{
	struct pool *pool = s->pool;
	unsigned before = s->n_idle;

	s->n_idle += (unsigned)change;
	pool->n_idle += (unsigned)change;
	if (!before && s->n_idle) {
		s->prev_idle = NULL;
		s->next_idle = pool->first_idle;
		if (s->next_idle)
			s->next_idle->prev_idle = s;
		pool->first_idle = s;
	} else if (before && !s->n_idle) {
		*(s->prev_idle ? &s->prev_idle->next_idle : &pool->first_idle) =
			s->next_idle;
		if (s->next_idle)
			s->next_idle->prev_idle = s->prev_idle;
	}
}

static void close_ready(struct slot *s, struct peer *p)
{
	peer_close(p);
	host_left(s->host, true);
}

/* The oldest lie first. */
static void drop_oldest(struct slot *s, unsigned n)
{
	struct peer *old[LIMIT_POOL_IDLE];

	memcpy(old, s->idle, n * sizeof old[0]);
	count_idle(s, -(int)n);
	memmove(s->idle, s->idle + n, s->n_idle * sizeof s->idle[0]);
	for (unsigned i = 0; i < n; i++) {
		host_idle(s->host, -1);
		close_ready(s, old[i]);
	}
}

/* The place of an idle connection is needed: by another slot, or loop. */
static bool close_one_of(struct pool *pool, struct host_state *h)
{
	struct slot *s;

	for (s = pool->first_idle; s; s = s->next_idle)
		if (s->host == h) {
			drop_oldest(s, 1);
			forget_if_empty(pool, s);
			return true;
		}
	return false;
}

static void give_up_one(void *pool, struct host_state *h)
{
	(void)!close_one_of(pool, h);
}

static bool is_old(const struct peer *p)
{
	return now_ms() - p->opened_ms >= LIMIT_CONNECTION_MS;
}

static void sweep(struct pool *pool)
{
	int64_t old = now_ms() - LIMIT_POOL_IDLE_MS;
	struct slot *s, *next;

	for (s = pool->first_idle; s; s = next) {
		unsigned n = 0;

		next = s->next_idle;
		while (n < s->n_idle &&
		       (s->idle[n]->idle_since_ms <= old || is_old(s->idle[n])))
			n++;
		drop_oldest(s, n);
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

	hosts_on_plea(pool->hosts, NULL, NULL);
	HASH_ITER (hh, pool->slots, s, next) {
		check(!s->in_use && !s->waiting);
		drop_oldest(s, s->n_idle);
		forget_if_empty(pool, s);
	}
	pool->closed = true;
	if (pool->sweeper)
		fiber_cancel(pool->sweeper);
	else
		free(pool);
}

static struct peer *take_idle(struct slot *s)
{
	while (s->n_idle > 0) {
		struct peer *p = s->idle[s->n_idle - 1];

		count_idle(s, -1);
		host_idle(s->host, -1);
		if (stream_bytes(p->stream).n == 0 &&
		    stream_is_quiet(p->stream) && !is_old(p)) {
			p->is_reused = true;
			p->has_spoken = false;
			return p;
		}
		close_ready(s, p);
	}
	return NULL;
}

/* A connection for G (*PEER), or a place for one (NULL)? */
static bool is_served(struct slot *s, struct guest *g, struct peer **peer)
{
	*peer = NULL;
	if (g->kind == GUEST_QUESTION && !host_ask(s->host, g))
		return false;
	if (!g->wants_fresh && (*peer = take_idle(s)))
		return true;
	if (host_enter(s->host, g))
		return true;
	/* What is idle and of no use to G may be in his way. */
	return close_one_of(s->pool, s->host) && host_enter(s->host, g);
}

struct slot *pool_enter(struct pool *pool, struct str key,
			struct host_state *host, struct guest *g,
			int64_t deadline_ms, struct peer **peer)
{
	struct slot *s = slot_find(pool, key, host);
	bool served;

	g->slot = s;
	s->waiting++;
	do
		served = is_served(s, g, peer);
	while (!served && host_wait(s->host, g, deadline_ms));
	s->waiting--;
	s->in_use += served;
	host_seated(s->host, g);
	if (served)
		return s;
	if (g->is_asking)
		host_asked(s->host);
	forget_if_empty(pool, s);
	fail("no connection came free in time");
	return NULL;
}

void slot_dialled(struct slot *s, struct peer *p)
{
	if (p) {
		p->opened_ms = now_ms();
		host_is_ready(s->host);
	} else {
		host_left(s->host, false);
	}
}

struct host_state *slot_host(const struct slot *s)
{
	return s->host;
}

/* Has it taken all the mails that one connection may? */
static bool is_used_up(const struct slot *s, const struct peer *p)
{
	unsigned most =
		p->most_mails ? p->most_mails : host_fact(s->host, HOST_MAILS);

	if (p->can.most_mails && p->begun >= p->can.most_mails)
		return true;
	return p->mails >= (most ? most : LIMIT_CONNECTION_MAILS);
}

static bool is_worth_keeping(struct slot *s, struct peer *p)
{
	return !s->pool->closed && !p->is_broken && !p->is_worn &&
	       s->n_idle < LIMIT_POOL_IDLE && stream_bytes(p->stream).n == 0 &&
	       !is_old(p) && !is_used_up(s, p) &&
	       host_may_keep(s->host, s, p->mails);
}

void pool_leave(struct slot *s, struct peer *p)
{
	struct pool *pool = s->pool;

	if (MUTANT(pool_keeps_the_broken) && p)
		p->is_broken = false;
	s->in_use--;
	if (p && is_worth_keeping(s, p)) {
		p->idle_since_ms = now_ms();
		s->idle[s->n_idle] = p;
		count_idle(s, 1);
		host_idle(s->host, 1);
		if (!pool->sweeper)
			pool->sweeper = fiber_start("pool", sweeper, pool);
	} else if (p) {
		close_ready(s, p);
	}
	forget_if_empty(pool, s);
}
