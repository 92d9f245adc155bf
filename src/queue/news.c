/*
 * Has anything changed that the engine has not done itself?
 */
#include "queue/inside.h"
#include "rt/worker.h"

struct question {
	struct queue *q;
	bool others, yes;
};

static bool clock_is_set(struct queue *q)
{
	struct instant now = q->clock;

	now.wall_ms = wall_ms();
	now.queue_ms = queue_now(q);
	now.wall_ms -= now.queue_ms - q->clock.queue_ms;
	now.queue_ms = q->clock.queue_ms;
	return instant_is_news(&q->clock, &now);
}

static bool ask_changed(void *arg)
{
	struct question *question = arg;
	struct queue *q = question->q;

	question->others = lanes_heard(q);
	question->yes = question->others || q->has_news;
	q->has_news = false;
	/* somebody has set the wall clock */
	return !clock_is_set(q) || batch_begin(q);
}

bool queue_changed(struct queue *q, bool *others)
{
	struct question question = { .q = q };
	bool ok = worker_call(q->writer, ask_changed, &question);

	*others = ok && question.others;
	/* A batch that failed took the answer along: there may be something. */
	return !ok || question.yes;
}

void queue_counts(struct queue *q, uint64_t *commits, uint64_t *kept)
{
	*commits = atomic_load(&q->commits);
	*kept = atomic_load(&q->kept);
}
