/*
 * What waits, for whom: looked at, and redirected when the directory says so.
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

struct hops_look {
	struct queue *q;
	struct arena *arena;
	struct next_hop *out;
	size_t most, n;
};

static void add_hop(void *arg, struct next_hop hop, int64_t due_ms)
{
	struct hops_look *l = arg;

	if (l->n == l->most)
		return;
	l->out[l->n] = hop;
	l->out[l->n++].name = arena_str(l->arena, hop.name);
}

static bool look_hops(void *arg)
{
	struct hops_look *l = arg;

	return store_lanes(l->q->store, add_hop, l);
}

bool queue_next_hops(struct queue *q, struct arena *arena, struct next_hop *out,
		     size_t most, size_t *n)
{
	struct hops_look l = { q, arena, out, most, 0 };
	bool ok = worker_call(q->writer, look_hops, &l);

	*n = l.n;
	return ok;
}

struct redirect {
	struct queue *q;
	const struct waiting *list;
	size_t n;
};

/* By its rows: mail for the Internet waits by its own domain, whosever MX it is
 * that a catch-all leads to. */
static bool note_lanes(struct queue *q, int64_t message)
{
	return store_dues(q->store, message, lanes_note_row, q);
}

static bool redirect_rows(void *arg)
{
	struct redirect *d = arg;
	struct queue *q = d->q;
	int64_t now = queue_now(q);

	if (!batch_begin(q))
		return false;
	for (size_t i = 0; i < d->n; i++) {
		const struct waiting *w = &d->list[i];
		bool is_last = i + 1 == d->n || w[1].message != w->message;

		if (!store_redirect(q->store, w, now) ||
		    (is_last && !note_lanes(q, w->message)))
			return false;
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
