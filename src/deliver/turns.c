/*
 * One pace for each system that has one, behind a lock (turns.h).
 *
 * They are as many as administrators have set, and stay: what has gone within
 * the minute counts for a system that was changed or made anew, too.
 */
#include "deliver/turns.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/pace.h"
#include "rt/mutex.h"

enum { RETURNED_MS = 1000 }; /* who waits sees a turn that was returned */

struct turn {
	UT_hash_handle hh;
	struct pace pace;
	size_t name_bytes;
	char name[];
};

struct turns {
	struct mutex lock;
	int64_t now_ms; /* the latest of all loops, each has its own */
	struct turn *all;
};

struct turns *turns_open(void)
{
	struct turns *t = must_alloc(sizeof *t);

	*t = (struct turns){ 0 };
	mutex_open(&t->lock);
	return t;
}

void turns_close(struct turns *t)
{
	struct turn *one, *next;

	if (!t)
		return;
	HASH_ITER (hh, t->all, one, next) {
		HASH_DEL(t->all, one);
		pace_free(&one->pace);
		free(one);
	}
	mutex_close(&t->lock);
	free(t);
}

/* Under the lock. */
static struct turn *turn_of(struct turns *t, struct str system)
{
	struct turn *one;

	HASH_FIND(hh, t->all, system.p, system.n, one);
	if (one)
		return one;
	one = must_alloc(sizeof *one + system.n);
	memset(one, 0, sizeof *one);
	one->name_bytes = system.n;
	memcpy(one->name, system.p, system.n);
	HASH_ADD_KEYPTR(hh, t->all, one->name, one->name_bytes, one);
	return one;
}

static bool take(struct turns *t, struct str system, unsigned per_minute,
		 int64_t *again_ms)
{
	bool took;

	mutex_take(&t->lock);
	if (t->now_ms < now_ms())
		t->now_ms = now_ms();
	took = pace_take(&turn_of(t, system)->pace, per_minute, t->now_ms,
			 again_ms);
	mutex_give(&t->lock);
	return took;
}

bool turn_wait(struct turns *t, struct str system, unsigned per_minute,
	       int64_t deadline_ms)
{
	int64_t again_ms, look_ms;

	while (!take(t, system, per_minute, &again_ms)) {
		if (again_ms > deadline_ms)
			return fail("%.*s takes %u mails a minute", STR(system),
				    per_minute);
		look_ms = after_ms(RETURNED_MS);
		if (fiber_sleep(again_ms < look_ms ? again_ms : look_ms) ==
		    WAIT_CANCELLED)
			return fail("cancelled");
	}
	return true;
}

void turn_return(struct turns *t, struct str system)
{
	mutex_take(&t->lock);
	pace_return(&turn_of(t, system)->pace);
	mutex_give(&t->lock);
}
