/*
 * What has been delivered leaves the queue while the rest of its message is
 * still being attempted: one next hop may take minutes, and a crash in these
 * would deliver to all the others again.
 */
#include "queue/inside.h"
#include "rt/worker.h"

/* Not who waits for a DSN: that goes with his end, in one transaction. */
static bool is_done(const struct recipient *r)
{
	return r->row && r->state == RECIPIENT_DONE &&
	       !(r->notify & NOTIFY_SUCCESS);
}

static bool remove_all(struct change *c)
{
	for (size_t i = 0; i < c->m->n; i++)
		if (is_done(&c->m->recipients[i]) &&
		    !store_remove(c->q->store, c->number,
				  c->m->recipients[i].row))
			return false;
	return true;
}

/* A message without recipients does not exist: when the others were deleted
 * meanwhile, it is left to queue_settle(). */
static bool remove_done(void *change)
{
	struct change *c = change;
	struct store *s = c->q->store;
	int64_t last;
	bool there;

	if (!batch_begin(c->q) || !store_mark(s))
		return false;
	if (!remove_all(c) || !store_has(s, c->number, &there, &last)) {
		store_undo(s);
		return false;
	}
	c->gone = !last;
	if (c->gone)
		store_undo(s);
	else
		store_unmark(s);
	return true;
}

/* New ones may be what another was split into: on the disk it stands for
 * them. */
static bool has_new(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (recipient_is_new(&m->recipients[i]))
			return true;
	return false;
}

static size_t count_done(const struct message *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += is_done(&m->recipients[i]);
	return n;
}

bool queue_settle_done(struct queue *q, struct message *m)
{
	struct change c = { .q = q, .m = m, .number = m->row };

	if (!m->row || has_new(m) || !count_done(m))
		return true;
	if (!worker_call(q->writer, remove_done, &c))
		return false;
	for (size_t i = 0; !c.gone && i < m->n; i++)
		if (is_done(&m->recipients[i]))
			m->recipients[i].row = 0;
	return true;
}
