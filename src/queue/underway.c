/*
 * The notes of what is under way (underway.h): slots in shared memory, found
 * by a hash of our own process.
 *
 * Invariant: a slot whose number is 0 is free; one that is not under way
 * (order 0) is kept for the deaths it has to its name.
 */
#include "queue/underway.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rt/clock.h"
#include "rt/shared.h"

enum {
	SLOTS = 4096,     /* more that are claimed at once are not noted */
	TRIAL_MS = 10000, /* a suspect that lives so long has stood it */
};

struct slot {
	int64_t number;
	uint32_t faults;
	uint32_t order; /* when it was begun; 0: not under way */
};

struct notes {
	uint64_t held;
	struct slot slots[SLOTS];
};

struct entry {
	UT_hash_handle hh;
	int64_t number;
	struct slot *slot;
};

struct underway {
	struct notes *notes;
	struct entry *entries;
	int free[SLOTS];
	size_t n_free;
	uint32_t order;
	int64_t trial_until_ms;
	int64_t tried; /* the suspect on trial; 0: none */
};

/* ---- the supervisor's ---- */

int underway_make(void)
{
	return shared_make("underway", sizeof(struct notes));
}

static struct notes *map(int fd)
{
	return fd < 0 ? NULL : shared_map(fd, sizeof(struct notes));
}

/* The suspect that was begun last. */
static struct slot *on_trial(struct notes *n)
{
	struct slot *found = NULL;

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &n->slots[i];

		if (s->order && s->faults >= FAULTS_SUSPECT &&
		    (!found || s->order > found->order))
			found = s;
	}
	return found;
}

static void charge(struct notes *n)
{
	struct slot *suspect = on_trial(n);

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &n->slots[i];

		if (s->order && (s->faults < FAULTS_SUSPECT || s == suspect))
			s->faults++;
	}
}

void underway_ended(int fd, bool by_fault)
{
	struct notes *n = map(fd);

	if (!n)
		return;
	if (by_fault)
		charge(n);
	for (size_t i = 0; i < SLOTS; i++) {
		n->slots[i].order = 0;
		if (!n->slots[i].faults)
			n->slots[i].number = 0;
	}
	shared_unmap(n, sizeof(*n));
}

uint64_t underway_held(int fd)
{
	struct notes *n = map(fd);
	uint64_t held = n ? n->held : 0;

	shared_unmap(n, sizeof(*n));
	return held;
}

/* ---- the queue's ---- */

static void remember(struct underway *u, struct slot *slot)
{
	struct entry *e = must_alloc(sizeof(*e));

	*e = (struct entry){ .number = slot->number, .slot = slot };
	HASH_ADD(hh, u->entries, number, sizeof(e->number), e);
}

static struct slot *find(const struct underway *u, int64_t number)
{
	struct entry *e;

	HASH_FIND(hh, u->entries, &number, sizeof(number), e);
	return e ? e->slot : NULL;
}

static void forget(struct underway *u, int64_t number)
{
	struct entry *e;

	HASH_FIND(hh, u->entries, &number, sizeof(number), e);
	if (!e)
		return;
	*e->slot = (struct slot){ .number = 0 };
	u->free[u->n_free++] = (int)(e->slot - u->notes->slots);
	HASH_DEL(u->entries, e);
	free(e);
}

struct underway *underway_open(int fd)
{
	struct notes *n = map(fd);
	struct underway *u;

	if (!n)
		return NULL;
	u = must_alloc(sizeof(*u));
	*u = (struct underway){ .notes = n };
	for (int i = SLOTS - 1; i >= 0; i--) {
		n->slots[i].order = 0;
		if (n->slots[i].number)
			remember(u, &n->slots[i]);
		else
			u->free[u->n_free++] = i;
	}
	return u;
}

void underway_close(struct underway *u)
{
	struct entry *e, *next;

	if (!u)
		return;
	HASH_ITER (hh, u->entries, e, next) {
		HASH_DEL(u->entries, e);
		free(e);
	}
	shared_unmap(u->notes, sizeof(*u->notes));
	free(u);
}

static bool is_suspect(const struct slot *s)
{
	return s && s->faults >= FAULTS_SUSPECT;
}

bool underway_may_begin(const struct underway *u, int64_t number)
{
	const struct slot *s = u ? find(u, number) : NULL;

	if (!is_suspect(s))
		return true;
	return s->faults < FAULTS_HOLD &&
	       (!u->tried || now_ms() >= u->trial_until_ms);
}

void underway_begin(struct underway *u, int64_t number)
{
	struct slot *s = u ? find(u, number) : NULL;

	if (!u || (!s && !u->n_free))
		return;
	if (!s) {
		s = &u->notes->slots[u->free[--u->n_free]];
		*s = (struct slot){ .number = number };
		remember(u, s);
	}
	s->order = ++u->order;
	if (!is_suspect(s))
		return;
	u->tried = number;
	u->trial_until_ms = after_ms(TRIAL_MS);
}

void underway_end(struct underway *u, int64_t number, bool was_tried)
{
	struct slot *s = u ? find(u, number) : NULL;

	if (!s)
		return;
	s->order = 0;
	if (u->tried == number)
		u->tried = 0;
	if (was_tried || !s->faults)
		forget(u, number);
}

void underway_judge(struct underway *u,
		    enum underway_fate (*judge)(void *arg, int64_t number,
						unsigned faults),
		    void *arg)
{
	struct entry *e, *next;

	if (!u)
		return;
	HASH_ITER (hh, u->entries, e, next)
		switch (judge(arg, e->number, e->slot->faults)) {
		case UNDERWAY_STAYS:
			break;
		case UNDERWAY_IS_HELD:
			/* once released it stands trial by itself */
			e->slot->faults = FAULTS_SUSPECT;
			u->notes->held++;
			break;
		case UNDERWAY_IS_GONE:
			forget(u, e->number);
			break;
		}
}
