/*
 * Destinations behind a lock (destinations.h).
 *
 * A destination that was never throttled has no level, and allows what is set.
 * Level 1 and more: so often has it said that it is too much since it was well.
 * It rests until a time, and `allowed` mails may then be under way at once.
 */
#include "deliver/destinations.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/pace.h"
#include "rt/clock.h"
#include "rt/mutex.h"

enum {
	LOOK_MS = 250,      /* who waits for others to leave */
	WAITERS_MOST = 20,  /* of one destination; the others come later */
	STEP_MS = 250,      /* between two that come back */
	RECOVERS_MS = 5000, /* who finds it recovering comes back after that */
	WELL_AT_ONCE = 16,  /* mails under way at once, where none are set */
	LEVELS_MOST = 16,
};

struct domain {
	struct domain *next;
	size_t n;
	char name[];
};

struct destination {
	UT_hash_handle hh;
	unsigned in_use, waiting, level, allowed;
	unsigned put_off; /* since it was throttled or let through last */
	int64_t until_ms, until_wall_ms;
	struct reply reply;
	char text[256];
	struct pace pace;
	struct domain *domains;
	unsigned n_domains;
	size_t name_bytes;
	char name[];
};

struct destinations {
	struct mutex lock;
	struct destination_limits limits;
	int64_t now_ms; /* the latest of all loops, each has its own */
	struct destination *all;
};

struct destinations *destinations_open(const struct destination_limits *limits)
{
	struct destinations *all = must_alloc(sizeof *all);

	*all = (struct destinations){ .limits = *limits };
	mutex_open(&all->lock);
	return all;
}

static void forget_domains(struct destination *d)
{
	struct domain *next;

	for (struct domain *one = d->domains; one; one = next) {
		next = one->next;
		free(one);
	}
	d->domains = NULL;
	d->n_domains = 0;
}

static void forget(struct destinations *all, struct destination *d)
{
	HASH_DEL(all->all, d);
	forget_domains(d);
	pace_free(&d->pace);
	free(d);
}

void destinations_close(struct destinations *all)
{
	struct destination *d, *next;

	if (!all)
		return;
	HASH_ITER (hh, all->all, d, next)
		forget(all, d);
	mutex_close(&all->lock);
	free(all);
}

/* ---- under the lock ---- */

static struct destination *find(struct destinations *all, struct str name)
{
	struct destination *d;

	HASH_FIND(hh, all->all, name.p, name.n, d);
	return d;
}

/* The oldest that is well goes first; else the oldest of no use. */
static void make_room(struct destinations *all)
{
	struct destination *d, *idle = NULL;

	for (d = all->all; d; d = d->hh.next) {
		if (d->in_use || d->waiting)
			continue;
		if (!idle)
			idle = d;
		if (!d->level)
			break;
	}
	if (!d)
		d = idle;
	if (d)
		forget(all, d);
}

static struct destination *find_or_add(struct destinations *all,
				       struct str name)
{
	struct destination *d = find(all, name);

	if (d)
		return d;
	if (HASH_COUNT(all->all) >= LIMIT_DESTINATIONS)
		make_room(all);
	d = must_alloc(sizeof *d + name.n);
	memset(d, 0, sizeof *d);
	d->name_bytes = name.n;
	memcpy(d->name, name.p, name.n);
	HASH_ADD_KEYPTR(hh, all->all, d->name, d->name_bytes, d);
	return d;
}

static void note_domain(struct destination *d, struct str name)
{
	struct domain *one;

	for (one = d->domains; one; one = one->next)
		if (str_same((struct str){ one->name, one->n }, name))
			return;
	if (!name.n || d->n_domains >= LIMIT_DESTINATION_DOMAINS)
		return;
	one = must_alloc(sizeof *one + name.n);
	one->n = name.n;
	memcpy(one->name, name.p, name.n);
	one->next = d->domains;
	d->domains = one;
	d->n_domains++;
}

/* So many may be under way now; 0: as many as like. */
static unsigned most_of(const struct destinations *all,
			const struct destination *d)
{
	unsigned set = all->limits.at_once;

	if (!d->level || (set && set < d->allowed))
		return set;
	return d->allowed;
}

static enum destination_answer put_off(struct destination *d, int64_t least_ms,
				       const struct destination_wish *wish,
				       struct arena *arena,
				       struct destination_rest *rest)
{
	rest->for_ms = least_ms + (int64_t)d->put_off++ * STEP_MS;
	rest->reply = d->reply;
	rest->reply.text = arena_str(arena, d->reply.text);
	note_domain(d, wish->domain);
	return DESTINATION_RESTS;
}

/* BUSY: not now, and AGAIN_MS is when to look. */
static enum destination_answer
answer(struct destinations *all, struct destination *d,
       const struct destination_wish *wish, struct arena *arena,
       struct destination_rest *rest, int64_t *again_ms)
{
	unsigned most = most_of(all, d);
	bool is_full = most && d->in_use >= most;

	*again_ms = all->now_ms + LOOK_MS;
	if (d->until_ms > all->now_ms && !wish->is_ordered)
		return put_off(d, d->until_ms - all->now_ms, wish, arena, rest);
	if (is_full && d->level && !wish->is_ordered)
		return put_off(d, RECOVERS_MS, wish, arena, rest);
	if (is_full)
		return DESTINATION_BUSY;
	if (all->limits.per_minute &&
	    !pace_take(&d->pace, all->limits.per_minute, all->now_ms, again_ms))
		return DESTINATION_BUSY;
	d->in_use++;
	return DESTINATION_OPEN;
}

/* ---- one mail ---- */

static void take_lock(struct destinations *all)
{
	mutex_take(&all->lock);
	if (all->now_ms < now_ms())
		all->now_ms = now_ms();
}

enum destination_answer destination_enter(struct destinations *all,
					  struct str name,
					  const struct destination_wish *wish,
					  struct arena *arena,
					  struct destination_rest *rest)
{
	enum destination_answer a;
	bool is_waiting = false;
	int64_t again_ms;

	for (;;) {
		struct destination *d;
		bool goes_on;

		take_lock(all);
		d = find_or_add(all, name);
		d->waiting -= is_waiting;
		a = answer(all, d, wish, arena, rest, &again_ms);
		goes_on = a == DESTINATION_BUSY && d->waiting < WAITERS_MOST &&
			  again_ms <= wish->deadline_ms;
		is_waiting = goes_on;
		d->waiting += goes_on;
		if (a == DESTINATION_BUSY && !goes_on) {
			fail("%.*s has as many mails as it may have",
			     STR(name));
			rest->for_ms = STEP_MS +
				       (int64_t)(d->put_off++ % 64) * STEP_MS;
		}
		mutex_give(&all->lock);
		if (!goes_on)
			return a;
		if (again_ms > after_ms(LOOK_MS))
			again_ms = after_ms(LOOK_MS);
		if (fiber_sleep(again_ms) != WAIT_CANCELLED)
			continue;
		take_lock(all);
		find_or_add(all, name)->waiting--;
		mutex_give(&all->lock);
		fail("cancelled");
		return DESTINATION_BUSY;
	}
}

/* Of many that were under way and hear the same, one counts. */
static void throttle(struct destinations *all, struct destination *d,
		     const struct reply *reply)
{
	int64_t rest_ms = all->limits.rest_ms;

	d->reply = *reply;
	snprintf(d->text, sizeof d->text, "%.*s", STR(reply->text));
	d->reply.text = str_of(d->text);
	d->allowed = 1;
	if (d->until_ms > all->now_ms)
		return;
	d->level += d->level < LEVELS_MOST;
	for (unsigned i = 1; i < d->level && rest_ms < all->limits.rest_most_ms;
	     i++)
		rest_ms *= 2;
	if (rest_ms > all->limits.rest_most_ms)
		rest_ms = all->limits.rest_most_ms;
	d->until_ms = all->now_ms + rest_ms;
	d->until_wall_ms = wall_ms() + rest_ms;
	d->put_off = 0;
}

/* Slow start, from one. */
static bool recover(struct destinations *all, struct destination *d)
{
	unsigned well =
		all->limits.at_once ? all->limits.at_once : WELL_AT_ONCE;

	if (!d->level || d->until_ms > all->now_ms)
		return false;
	d->allowed *= 2;
	d->put_off = 0;
	if (d->allowed < well)
		return false;
	d->level = d->allowed = 0;
	return true;
}

bool destination_leave(struct destinations *all, struct str name,
		       enum destination_outcome outcome,
		       const struct reply *reply)
{
	struct destination *d;
	bool is_well = false;

	take_lock(all);
	d = find_or_add(all, name);
	if (d->in_use)
		d->in_use--;
	switch (outcome) {
	case DESTINATION_THROTTLED:
		throttle(all, d, reply);
		break;
	case DESTINATION_TOOK:
		is_well = recover(all, d);
		break;
	case DESTINATION_NOTHING:
		break;
	}
	if (!d->level && !d->in_use && !d->waiting && !d->pace.n && !is_well)
		forget(all, d);
	mutex_give(&all->lock);
	return is_well;
}

bool destination_wake(struct destinations *all, struct str name)
{
	struct destination *d;
	bool rests;

	take_lock(all);
	d = find(all, name);
	rests = d && d->level;
	if (rests)
		d->until_ms = d->until_wall_ms = d->put_off = 0;
	mutex_give(&all->lock);
	return rests;
}

/* ---- who watches ---- */

static struct str *copy_domains(const struct destination *d,
				struct arena *arena, size_t *n)
{
	struct str *list = arena_array(arena, struct str, d->n_domains + 1);

	*n = 0;
	for (const struct domain *one = d->domains; one; one = one->next)
		list[(*n)++] =
			arena_str(arena, (struct str){ one->name, one->n });
	return list;
}

struct str *destination_domains(struct destinations *all, struct str name,
				struct arena *arena, size_t *n)
{
	const struct destination *d;
	struct str *list = NULL;

	*n = 0;
	mutex_take(&all->lock);
	d = find(all, name);
	if (d)
		list = copy_domains(d, arena, n);
	mutex_give(&all->lock);
	return list;
}

struct destination_note *destinations_list(struct destinations *all,
					   struct arena *arena, size_t *n)
{
	struct destination_note *list;
	const struct destination *d;

	mutex_take(&all->lock);
	list = arena_array(arena, struct destination_note,
			   HASH_COUNT(all->all) + 1);
	*n = 0;
	for (d = all->all; d; d = d->hh.next) {
		struct destination_note *one = &list[*n];

		if (!d->level && !d->in_use)
			continue;
		*one = (struct destination_note){
			.name = arena_str(
				arena, (struct str){ d->name, d->name_bytes }),
			.in_use = d->in_use,
			.at_once = d->level ? d->allowed : 0,
			.rests = d->level > 0,
			.until_ms = d->level ? d->until_wall_ms : 0,
			.reply = d->reply,
		};
		one->reply.text = arena_str(arena, d->reply.text);
		one->domains = copy_domains(d, arena, &one->n_domains);
		++*n;
	}
	mutex_give(&all->lock);
	return list;
}
