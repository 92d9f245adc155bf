/*
 * Is there room for new mail?  A file system that hangs answers this question
 * never, so it is asked in a fiber of its own, off the loop, by one at a time;
 * who waits for it does so for a moment, and then goes by the last answer.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "queue/inside.h"
#include "rt/folder.h"
#include "rt/worker.h"

enum { GOOD_MS = 1000, PATIENCE_MS = 500 };

struct look {
	struct queue *q;
	struct gate answered;
	bool is_answered, is_left; /* by who waited */
};

static bool look_now(void *arg)
{
	struct queue *q = arg;

	atomic_store(&q->is_full, folder_free_bytes(q->spool.folder) <
						  LIMIT_QUEUE_FREE_BYTES ||
					  folder_free_files(q->spool.folder) <
						  LIMIT_QUEUE_FREE_FILES);
	return true;
}

static void look_main(void *arg)
{
	struct look *l = arg;
	struct queue *q = l->q;

	check(offload(look_now, q));
	atomic_store(&q->looked_ms, now_ms());
	atomic_store(&q->is_looking, false);
	l->is_answered = true;
	gate_open(&l->answered);
	if (l->is_left)
		free(l);
}

static void waits look(struct queue *q)
{
	struct look *l = must_alloc(sizeof(*l));
	int64_t deadline = after_ms(PATIENCE_MS);

	*l = (struct look){ .q = q };
	if (!fiber_start("room", look_main, l)) {
		atomic_store(&q->is_looking, false);
		free(l);
		return;
	}
	while (!l->is_answered &&
	       gate_wait(&l->answered, deadline) == WAIT_DONE)
		;
	if (l->is_answered)
		free(l);
	else
		l->is_left = true;
}

bool queue_is_full(struct queue *q)
{
	int64_t looked = atomic_load(&q->looked_ms);

	if ((!looked || now_ms() >= looked + GOOD_MS) &&
	    !atomic_exchange(&q->is_looking, true))
		look(q);
	return atomic_load(&q->is_full);
}
