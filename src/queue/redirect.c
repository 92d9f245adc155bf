/*
 * Mail that waits follows what the directory says: looked at and redirected.
 */
#include "queue/inside.h"
#include "rt/worker.h"

struct look {
	struct queue *q;
	struct str domain;
	int64_t message, row;
	struct arena *arena;
	struct waiting *out;
	size_t most, n;
};

static bool look_rows(void *arg)
{
	struct look *l = arg;

	return store_waiting(l->q->store, l->domain, l->message, l->row,
			     l->arena, l->out, l->most, &l->n);
}

bool queue_look(struct queue *q, struct str domain, int64_t message,
		int64_t row, struct arena *arena, struct waiting *out,
		size_t most, size_t *n)
{
	struct look l = { q, domain, message, row, arena, out, most, 0 };
	bool ok = worker_call(q->writer, look_rows, &l);

	*n = l.n;
	return ok;
}

struct redirect {
	struct queue *q;
	const struct waiting *list;
	size_t n;
};

static bool redirect_rows(void *arg)
{
	struct redirect *d = arg;
	struct queue *q = d->q;
	int64_t now = queue_now(q);

	if (!batch_begin(q))
		return false;
	for (size_t i = 0; i < d->n; i++) {
		if (!store_redirect(q->store, &d->list[i], now))
			return false;
		lane_note(&q->lanes, d->list[i].r.next_hop, now);
	}
	q->has_news = true;
	return true;
}

bool queue_redirect(struct queue *q, const struct waiting *list, size_t n)
{
	struct redirect d = { q, list, n };

	return n == 0 || worker_call(q->writer, redirect_rows, &d);
}

struct followed {
	struct queue *q;
	int64_t change;
};

static bool read_followed(void *arg)
{
	struct followed *f = arg;

	return store_followed(f->q->store, &f->change);
}

bool queue_followed(struct queue *q, int64_t *change)
{
	struct followed f = { q, -1 };
	bool ok = worker_call(q->writer, read_followed, &f);

	*change = f.change;
	return ok;
}

static bool write_followed(void *arg)
{
	struct followed *f = arg;

	return batch_begin(f->q) && store_set_followed(f->q->store, f->change);
}

bool queue_set_followed(struct queue *q, int64_t change)
{
	struct followed f = { q, change };

	return worker_call(q->writer, write_followed, &f);
}
