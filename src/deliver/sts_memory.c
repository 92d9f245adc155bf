/* Policies by domain, behind a lock (sts_memory.h). */
#include "deliver/sts_memory.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "rt/clock.h"
#include "rt/mutex.h"

enum {
	AGAIN_MS = 300000, /* one that could not be had is asked for again */
	DAY_S = 86400,
};

struct entry {
	UT_hash_handle hh;
	struct arena *arena; /* of what is known; NULL: nothing is */
	struct sts_known known;
	int64_t not_before_ms; /* now_ms() */
	bool is_asked;         /* somebody does so now */
	bool is_in_use;        /* since it was fetched */
	size_t domain_bytes;
	char domain[];
};

struct sts_memory {
	struct mutex lock;
	struct entry *all; /* who was fetched first is first */
	uint64_t version;
};

struct sts_memory *sts_memory_open(void)
{
	struct sts_memory *m = must_alloc(sizeof(*m));

	*m = (struct sts_memory){ 0 };
	mutex_open(&m->lock);
	return m;
}

static void forget(struct sts_memory *m, struct entry *e)
{
	HASH_DEL(m->all, e);
	arena_close(e->arena);
	free(e);
}

void sts_memory_close(struct sts_memory *m)
{
	struct entry *e, *next;

	if (!m)
		return;
	HASH_ITER (hh, m->all, e, next)
		forget(m, e);
	mutex_close(&m->lock);
	free(m);
}

/* ---- under the lock ---- */

static bool holds(const struct entry *e)
{
	return e && e->arena && e->known.until_ms > wall_ms();
}

/* Who only could not be asked goes first. */
static void make_room(struct sts_memory *m)
{
	struct entry *e, *next;

	for (int of_all = 0; of_all < 2; of_all++)
		HASH_ITER (hh, m->all, e, next) {
			if (HASH_COUNT(m->all) < LIMIT_STS_DOMAINS)
				return;
			if (!e->is_asked && (of_all || !holds(e)))
				forget(m, e);
		}
}

static struct entry *find(struct sts_memory *m, struct str domain)
{
	struct entry *e;

	HASH_FIND(hh, m->all, domain.p, domain.n, e);
	return e;
}

static struct entry *find_or_add(struct sts_memory *m, struct str domain)
{
	struct entry *e = find(m, domain);

	if (e)
		return e;
	make_room(m);
	e = must_alloc(sizeof(*e) + domain.n);
	memset(e, 0, sizeof(*e));
	memcpy(e->domain, domain.p, domain.n);
	e->domain_bytes = domain.n;
	HASH_ADD_KEYPTR(hh, m->all, e->domain, e->domain_bytes, e);
	return e;
}

static struct sts_known copy(const struct sts_known *k, struct arena *arena)
{
	struct sts_known to = *k;

	to.id = arena_str(arena, k->id);
	to.policy.mx = arena_array(arena, struct str, k->policy.n);
	for (size_t i = 0; i < k->policy.n; i++)
		to.policy.mx[i] = arena_str(arena, k->policy.mx[i]);
	return to;
}

static void begin(struct entry *e)
{
	e->is_asked = true;
	e->not_before_ms = now_ms() + AGAIN_MS;
}

/* ---- for everybody ---- */

bool sts_recall(struct sts_memory *m, struct str domain, struct arena *arena,
		struct sts_known *out)
{
	struct entry *e;
	bool is_known;

	mutex_take(&m->lock);
	e = find(m, domain);
	is_known = holds(e);
	if (is_known) {
		e->is_in_use = true;
		*out = copy(&e->known, arena);
	}
	mutex_give(&m->lock);
	return is_known;
}

void sts_keep(struct sts_memory *m, struct str domain,
	      const struct sts_known *known)
{
	struct entry *e;

	mutex_take(&m->lock);
	e = find_or_add(m, domain);
	arena_close(e->arena);
	e->arena = arena_open();
	e->known = copy(known, e->arena);
	e->is_in_use = false;
	e->not_before_ms = 0;
	HASH_DEL(m->all, e); /* and the last again */
	HASH_ADD_KEYPTR(hh, m->all, e->domain, e->domain_bytes, e);
	m->version++;
	mutex_give(&m->lock);
}

uint64_t sts_version(struct sts_memory *m)
{
	uint64_t version;

	mutex_take(&m->lock);
	version = m->version;
	mutex_give(&m->lock);
	return version;
}

enum sts_turn sts_turn(struct sts_memory *m, struct str domain, struct str id)
{
	enum sts_turn turn = STS_KNOWN;
	struct entry *e;

	mutex_take(&m->lock);
	e = find_or_add(m, domain);
	if (holds(e) && str_same(e->known.id, id))
		turn = STS_KNOWN;
	else if (e->is_asked)
		turn = STS_OTHERS_ASK;
	else if (now_ms() >= e->not_before_ms)
		turn = STS_ASK;
	if (turn == STS_ASK)
		begin(e);
	mutex_give(&m->lock);
	return turn;
}

void sts_asked(struct sts_memory *m, struct str domain)
{
	struct entry *e;

	mutex_take(&m->lock);
	e = find(m, domain);
	check(e && e->is_asked);
	e->is_asked = false;
	mutex_give(&m->lock);
}

/* Halfway to its end, or a day after it was fetched (RFC 8461 10.2). */
static bool is_old(const struct entry *e)
{
	int64_t age_s = e->known.policy.max_age_s;
	int64_t good_s = age_s / 2 < DAY_S ? age_s / 2 : DAY_S;
	int64_t fetched_ms = e->known.until_ms - age_s * 1000;

	return wall_ms() >= fetched_ms + good_s * 1000;
}

bool sts_turn_of_old(struct sts_memory *m, struct arena *arena,
		     struct str *domain)
{
	struct entry *e, *next, *found = NULL;

	mutex_take(&m->lock);
	HASH_ITER (hh, m->all, e, next)
		if (holds(e) && e->is_in_use && !e->is_asked && is_old(e) &&
		    now_ms() >= e->not_before_ms) {
			found = e;
			break;
		}
	if (found) {
		begin(found);
		*domain = arena_str(arena, (struct str){ found->domain,
							 found->domain_bytes });
	}
	mutex_give(&m->lock);
	return found;
}

void sts_each(struct sts_memory *m,
	      void (*each)(void *arg, struct str domain,
			   const struct sts_known *known),
	      void *arg)
{
	struct entry *e, *next;

	mutex_take(&m->lock);
	HASH_ITER (hh, m->all, e, next)
		if (holds(e))
			each(arg, (struct str){ e->domain, e->domain_bytes },
			     &e->known);
	mutex_give(&m->lock);
}
