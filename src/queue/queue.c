/*
 * The queue: batches around the statements of store.c, keep and settle.
 *
 * A call prepares in the caller's fiber (syncs and names the spool files), does
 * its rows on the writer's thread, and after the commit finishes in the fiber
 * again (rows into the structs, spool files removed).
 *
 * Invariants:
 *  1. `store`, `claims`, `lanes` and everything named batch are the writer's
 *     alone.
 *  2. A transaction begins with the first call of a batch that writes.
 *  3. Claims made in a batch that fails are undone; claims that a batch ends
 *     end after its commit: a message whose fate is not on the disk is given
 *     to nobody.
 */
#include "queue/queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mutants.h"
#include "queue/inside.h"
#include "rt/counter.h"
#include "rt/folder.h"
#include "rt/worker.h"

/* ---- the queue's time ---- */

static bool start_clock(struct queue *q)
{
	struct instant now = instant_now();

	if (!store_clock(q->store, &q->clock))
		return false;
	now.queue_ms = queue_time(&q->clock, &now);
	atomic_store(&q->last_boot_ms, now.boot_ms);
	atomic_store(&q->offset_ms, now.queue_ms - now.boot_ms);
	/* on a full disk it is written later */
	if (store_set_clock(q->store, &now))
		q->clock = now;
	return true;
}

/* With what is committed anyway. */
static bool note_clock(struct queue *q)
{
	struct instant now = q->clock;

	now.wall_ms = wall_ms();
	now.boot_ms = boot_ms();
	now.queue_ms = queue_now(q);
	if (!instant_is_news(&q->clock, &now))
		return true;
	q->clock = now;
	return store_set_clock(q->store, &now);
}

/* ---- batches ---- */

static void batch_undone(struct queue *q)
{
	struct claim *c = q->batch.claimed, *next;

	for (; c; c = next) {
		next = c->next_in_batch;
		claim_remove(q, c, false);
	}
}

static void mark_files(const struct change *c)
{
	if (c->m && !c->m->row && c->m->body.file)
		spool_mark(c->q, c->number);
	for (size_t i = 0; i < c->n_dsns; i++)
		if (c->dsns[i]->body.file)
			spool_mark(c->q, id_number(str_of(c->dsns[i]->id)));
}

static void batch_done(struct queue *q)
{
	for (struct change *c = q->batch.settled; c; c = c->next_in_batch) {
		claim_end(q, c->number, c->m);
		mark_files(c);
	}
	for (struct change *c = q->batch.kept; c; c = c->next_in_batch)
		mark_files(c);
	if (q->batch.due_ms < q->told_next_ms)
		q->has_news = true;
	atomic_fetch_add(&q->kept, q->batch.n_kept);
	if (q->batch.begun) {
		atomic_fetch_add(&q->commits, 1);
		count(COUNT_QUEUE_COMMITS);
	}
}

static bool on_begin(void *queue)
{
	struct queue *q = queue;

	/* here, and not after the commit: its callers have their answer */
	if (store_log_pages(q->store) > LIMIT_QUEUE_LOG_PAGES)
		store_checkpoint(q->store);
	q->batch = (struct batch){ .due_ms = INT64_MAX };
	return true;
}

static bool on_end(void *queue)
{
	struct queue *q = queue;

	if (q->batch.begun && !(store_stands(q->store) && note_clock(q) &&
				store_commit(q->store))) {
		store_undo_all(q->store);
		q->lanes_are_old = true;
		batch_undone(q);
		return MUTANT(failed_commit_is_a_yes);
	}
	batch_done(q);
	if (q->has_news || q->batch.n_kept)
		sleeper_wake(q);
	return true;
}

static void on_idle(void *queue)
{
	struct queue *q = queue;

	store_checkpoint(q->store);
}

/* ---- opening ---- */

static char *join(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = must_alloc(n);

	snprintf(path, n, "%s/%s", folder, name);
	return path;
}

static bool take_lock(struct queue *q)
{
	char *path = join(q->folder, "queue.lock");

	q->lock = lock_take(path);
	free(path);
	return q->lock;
}

static bool open_store(struct queue *q)
{
	char *path = join(q->folder, "queue.db");

	/* mail is nobody else's; the log's mode follows from this one's */
	if (folder_make_file(path))
		q->store = store_open(path);
	free(path);
	if (!q->store)
		return false;
	q->version = store_version(q->store);
	q->lanes_are_old = true;
	return q->version >= 0 && start_clock(q);
}

static bool open_writer(struct queue *q)
{
	static const struct worker_hooks hooks = { on_begin, on_end, on_idle,
						   100 };

	q->writer = worker_open("queue", &hooks, q);
	return q->writer;
}

/* ---- those that kill ---- */

struct judge {
	struct queue *q;
	void (*held)(void *arg, const char *id);
	void *arg;
};

/* What cannot be held now waits, unclaimed, for the next start. */
static enum underway_fate judge_one(void *arg, int64_t number, unsigned faults)
{
	struct judge *j = arg;
	char id[ID_LETTERS + 1];
	int64_t last;
	bool there;

	if (!store_has(j->q->store, number, &there, &last))
		return UNDERWAY_STAYS;
	if (!there)
		return UNDERWAY_IS_GONE;
	if (faults < FAULTS_HOLD ||
	    !store_hold(j->q->store, number,
			S("held: the server died three times while this "
			  "message was under way")))
		return UNDERWAY_STAYS;
	id_write(number, id);
	j->held(j->arg, id);
	return UNDERWAY_IS_HELD;
}

static void say_nothing(void *arg, const char *id)
{
}

struct queue *queue_open(const char *folder)
{
	return queue_open_after(folder, NULL, say_nothing, NULL);
}

struct queue *queue_open_after(const char *folder, struct underway *underway,
			       void (*held)(void *arg, const char *id),
			       void *arg)
{
	struct queue *q = must_alloc(sizeof(*q));
	struct judge judge = { q, held, arg };

	*q = (struct queue){ .told_next_ms = INT64_MAX, .underway = underway };
	q->folder = join(folder, "");
	q->folder[strlen(folder)] = '\0';
	q->spool.folder = join(folder, "spool");
	q->orphans = join(folder, "spool.orphans");
	if (folder_make(folder) && folder_make(q->spool.folder) &&
	    take_lock(q) && open_store(q) && spool_sweep(q)) {
		underway_judge(underway, judge_one, &judge);
		if (open_writer(q))
			return q;
	}
	add_cause("open the queue");
	queue_close(q);
	return NULL;
}

void queue_close(struct queue *q)
{
	if (!q)
		return;
	worker_close(q->writer);
	store_close(q->store);
	claims_free(q);
	underway_close(q->underway);
	lanes_clear(&q->lanes);
	lock_drop(q->lock);
	free(q->spool.folder);
	free(q->orphans);
	free(q->folder);
	free(q);
}

struct spool *queue_spool(struct queue *q)
{
	return &q->spool;
}

/* ---- keep ---- */

/* Mail for the Internet waits by domain. */
static struct next_hop lane_of(struct message *m, const struct recipient *r)
{
	struct next_hop hop = r->next_hop;

	if (hop.kind == NEXT_HOP_INTERNET)
		hop.name = store_domain(m, r);
	return hop;
}

static void note_due(struct queue *q, struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct recipient *r = &m->recipients[i];

		if (!recipient_is_open(r) || r->held)
			continue;
		if (r->next_attempt_ms < q->batch.due_ms)
			q->batch.due_ms = r->next_attempt_ms;
		lane_note(&q->lanes, lane_of(m, r), r->next_attempt_ms);
	}
}

static bool add_message(struct queue *q, struct message *m, bool claim)
{
	struct spool_name name = spool_name(id_number(str_of(m->id)));

	m->entered_ms = queue_now(q);
	if (!store_add(q->store, m, m->body.file ? name.c : NULL))
		return false;
	if (!claim && !MUTANT(kept_is_not_looked_for))
		note_due(q, m);
	return true;
}

static bool add_dsns(struct change *c)
{
	for (size_t i = 0; i < c->n_dsns; i++)
		if (!add_message(c->q, c->dsns[i], false))
			return false;
	return true;
}

static bool keep_rows(void *change)
{
	struct change *c = change;
	struct queue *q = c->q;

	if (!batch_begin(q) || !store_mark(q->store))
		return false;
	if (!add_message(q, c->m, c->claim) || !add_dsns(c)) {
		store_undo(q->store);
		return false;
	}
	store_unmark(q->store);
	if (c->claim)
		claim_add(q, c->number)->attempts = claim_attempts(c->m);
	q->batch.n_kept += 1 + c->n_dsns;
	c->next_in_batch = q->batch.kept;
	q->batch.kept = c;
	return true;
}

/* Rows given out by store_add_recipients(). */
static void number_recipients(struct message *m, int64_t first)
{
	for (size_t i = 0; i < m->n; i++)
		if (recipient_is_new(&m->recipients[i]))
			m->recipients[i].row =
				MUTANT(row_of_the_next) ? ++first : first++;
}

static void note_rows(struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct recipient *r = &m->recipients[i];

		r->row_attempt_ms = r->next_attempt_ms;
		r->row_part = r->part;
	}
}

static void now_kept(struct message *m)
{
	m->row = id_number(str_of(m->id));
	m->is_kept = true;
	number_recipients(m, 1);
	note_rows(m);
}

static void dsns_kept(struct change *c)
{
	for (size_t i = 0; i < c->n_dsns; i++)
		now_kept(c->dsns[i]);
}

bool queue_keep(struct queue *q, struct message *m, bool claim,
		struct message *const *dsns, size_t n_dsns)
{
	struct change c = { .q = q,
			    .m = m,
			    .number = id_number(str_of(m->id)),
			    .dsns = dsns,
			    .n_dsns = n_dsns,
			    .claim = claim };

	check(!m->row);
	if (!spool_keep_all(&c, true) ||
	    !worker_call(q->writer, keep_rows, &c)) {
		spool_undo(&c, true);
		return false;
	}
	now_kept(m);
	dsns_kept(&c);
	return true;
}

/* ---- settle ---- */

/* Who waits on may have become a share of what he was: the other is a recipient
 * of its own, or has had its end. */
static bool settle_recipient(struct change *c, const struct recipient *r)
{
	switch (r->state) {
	case RECIPIENT_DONE:
	case RECIPIENT_REFUSED:
	case RECIPIENT_DROPPED:
		return store_remove(c->q->store, c->number, r->row);
	case RECIPIENT_LATER:
		return store_update(c->q->store, c->number, r);
	case RECIPIENT_WAITING:
		return r->part == r->row_part ||
		       MUTANT(half_that_waits_is_whole) ||
		       store_update(c->q->store, c->number, r);
	}
	check(false);
	return false;
}

static bool settle_old(struct change *c)
{
	for (size_t i = 0; i < c->m->n; i++)
		if (c->m->recipients[i].row &&
		    !settle_recipient(c, &c->m->recipients[i]))
			return false;
	return true;
}

/* New recipients get rows above all that are or were there; none are added to
 * a message that was deleted meanwhile. */
static bool settle_new(struct change *c)
{
	int64_t last;
	bool there;

	if (!store_has(c->q->store, c->number, &there, &last))
		return false;
	if (!there)
		return true;
	for (size_t i = 0; i < c->m->n; i++)
		if (c->m->recipients[i].row > last)
			last = c->m->recipients[i].row;
	c->first_new = last + 1;
	return store_add_recipients(c->q->store, c->m, c->number, c->first_new);
}

/* A message without recipients does not exist, and its body is still read. */
static bool some_stay(struct change *c)
{
	int64_t last;
	bool there;

	return store_has(c->q->store, c->number, &there, &last) &&
	       (last || fail("what is attempted was deleted"));
}

static bool settle_message(struct change *c)
{
	if (!settle_new(c) || !settle_old(c))
		return false;
	return c->goes_on ? some_stay(c)
			  : store_end(c->q->store, c->number, &c->gone,
				      &c->spooled);
}

static bool settle_rows(void *change)
{
	struct change *c = change;
	struct queue *q = c->q;

	if (!batch_begin(q) || !store_mark(q->store))
		return false;
	if ((c->m && !settle_message(c)) || !add_dsns(c)) {
		store_undo(q->store);
		return false;
	}
	store_unmark(q->store);
	q->batch.n_kept += c->n_dsns;
	if (c->gone && c->spooled)
		spool_unmark(q, c->number);
	if (c->goes_on) {
		c->next_in_batch = q->batch.kept;
		q->batch.kept = c;
	} else if (c->m || c->n_dsns) {
		c->next_in_batch = q->batch.settled;
		q->batch.settled = c;
	}
	return true;
}

/* After the commit: the message has the rows that are on the disk, and no others;
 * none at all when it is gone. */
static void now_settled(struct change *c)
{
	struct message *m = c->m;

	if (c->first_new)
		number_recipients(m, c->first_new);
	note_rows(m);
	for (size_t i = 0; i < m->n; i++)
		if (c->gone || !recipient_is_open(&m->recipients[i]))
			m->recipients[i].row = 0;
	if (!c->gone)
		return;
	m->row = 0;
	m->is_kept = false;
	if (c->spooled)
		spool_remove(c->q, m);
}

static bool settle(struct change *c)
{
	if (!c->m && !c->n_dsns)
		return true;
	if (!spool_keep_all(c, false) ||
	    !worker_call(c->q->writer, settle_rows, c)) {
		spool_undo(c, false);
		return false;
	}
	if (c->m)
		now_settled(c);
	dsns_kept(c);
	return true;
}

bool queue_settle(struct queue *q, struct message *m,
		  struct message *const *dsns, size_t n_dsns)
{
	struct change c = { .q = q,
			    .m = m->row ? m : NULL,
			    .number = m->row,
			    .dsns = dsns,
			    .n_dsns = n_dsns };

	if (!settle(&c))
		return false;
	if (MUTANT(file_goes_at_first_settling))
		spool_remove(q, m);
	return true;
}

bool queue_settle_part(struct queue *q, struct message *m,
		       struct message *const *dsns, size_t n_dsns)
{
	struct change c = { .q = q,
			    .m = m,
			    .number = m->row,
			    .dsns = dsns,
			    .n_dsns = n_dsns,
			    .goes_on = true };

	check(m->row);
	for (size_t i = 0; i < m->n; i++) {
		struct recipient *r = &m->recipients[i];

		if (recipient_is_new(r) && r->state == RECIPIENT_WAITING)
			r->next_attempt_ms = queue_now(q);
	}
	return settle(&c);
}

/* ---- release ---- */

static bool release_claim(void *change)
{
	struct change *c = change;

	claim_end(c->q, c->number, NULL);
	return true;
}

void queue_release(struct queue *q, struct message *m)
{
	struct change c = { .q = q, .number = m->row };

	/* it writes nothing; should the batch it is in fail, it has run */
	if (m->row && !worker_call(q->writer, release_claim, &c))
		return;
}
