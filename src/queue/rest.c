/*
 * Nobody but the engine puts anything into the queue: who looks after it may
 * sleep until then, or until what waits is due.
 */
#include "queue/inside.h"
#include "rt/worker.h"

struct rest {
	struct queue *q;
	struct sleeper sleeper;
	bool empty, yes;
};

void sleeper_wake(struct queue *q)
{
	struct sleeper s = q->sleeper;

	q->sleeper = (struct sleeper){ .wake = NULL };
	if (s.wake)
		s.wake(s.arg);
}

static bool begin_rest(void *arg)
{
	struct rest *r = arg;
	bool any;

	if (r->q->has_news)
		return true;
	if (r->empty && (!store_has_any(r->q->store, &any) || any))
		return true;
	r->q->sleeper = r->sleeper;
	r->yes = true;
	return true;
}

bool queue_rest(struct queue *q, bool empty, void (*wake)(void *arg), void *arg)
{
	struct rest r = { q, { wake, arg }, empty, false };

	(void)!worker_call(q->writer, begin_rest, &r);
	return r.yes;
}

static bool end_rest(void *arg)
{
	struct rest *r = arg;

	r->yes = r->q->sleeper.wake != NULL;
	r->q->sleeper = (struct sleeper){ .wake = NULL };
	return true;
}

bool queue_rest_end(struct queue *q)
{
	struct rest r = { .q = q };

	(void)!worker_call(q->writer, end_rest, &r);
	return r.yes;
}
