/*
 * The queue: batches, claims and spool files around the statements of store.c.
 *
 * A call prepares in the caller's fiber (syncs and names the spool files), does
 * its rows on the writer's thread, and after the commit finishes in the fiber
 * again (rows into the structs, spool files removed).
 *
 * Invariants:
 *  1. `store`, `claims` and everything named batch are the writer's alone.
 *  2. A transaction begins with the first call of a batch that writes.
 *  3. Claims made in a batch that fails are undone; claims that a batch ends
 *     end after its commit: a message whose fate is not on the disk is given
 *     to nobody.
 */
#include "queue/queue.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/limits.h"
#include "queue/store.h"
#include "rt/clock.h"
#include "rt/counter.h"
#include "rt/folder.h"
#include "rt/worker.h"

struct claim {
	int64_t number; /* the message's row */
	struct claim *next_in_batch;
	UT_hash_handle hh;
};

/* One keep or settle, on the stack of the fiber that waits for it. */
struct change {
	struct queue *q;
	struct message *m; /* NULL: only the DSNs */
	int64_t number;    /* M's row, or what it will be */
	struct message *const *dsns;
	size_t n_dsns;
	bool claim;         /* keep: M is the caller's */
	int64_t first_new;  /* settle: row of the first new
	                       recipient; 0: none was added */
	bool gone, spooled; /* settle: the message has left; it
	                       had a file */
	struct change *next_in_batch;
};

struct batch {
	bool begun;             /* a transaction */
	struct claim *claimed;  /* in this batch */
	struct change *settled; /* their claims end with it */
	uint64_t kept;
	int64_t due_ms; /* the earliest that it made due */
};

struct queue {
	char *folder, *spool;
	struct lock *lock;
	struct worker *writer;
	struct store *store;
	struct claim *claims;
	struct batch batch;
	int64_t told_next_ms; /* by the last queue_claim() */
	int64_t version;
	bool has_news;
	_Atomic uint64_t commits, kept;
	_Atomic int64_t full_asked_ms;
	_Atomic bool is_full;
};

/* ---- claims ---- */

static struct claim *claim_find(struct queue *q, int64_t number)
{
	struct claim *c;

	HASH_FIND(hh, q->claims, &number, sizeof(number), c);
	return c;
}

static void claim_add(struct queue *q, int64_t number)
{
	struct claim *c = must_alloc(sizeof(*c));

	*c = (struct claim){ .number = number,
		             .next_in_batch = q->batch.claimed };
	q->batch.claimed = c;
	HASH_ADD(hh, q->claims, number, sizeof(c->number), c);
}

static void claim_remove(struct queue *q, struct claim *c)
{
	HASH_DEL(q->claims, c);
	free(c);
}

static void claim_end(struct queue *q, int64_t number)
{
	struct claim *c = claim_find(q, number);

	if (!c)
		return;
	claim_remove(q, c);
	q->has_news = true;
}

static void claims_free(struct queue *q)
{
	struct claim *c, *next;

	HASH_ITER (hh, q->claims, c, next)
		claim_remove(q, c);
}

/* ---- batches ---- */

/* For calls that write. */
static bool batch_begin(struct queue *q)
{
	if (q->batch.begun)
		return !store_is_broken(q->store) ||
		       fail("queue.db: the transaction was undone");
	q->batch.begun = store_begin(q->store);
	return q->batch.begun;
}

static void batch_undone(struct queue *q)
{
	struct claim *c = q->batch.claimed, *next;

	for (; c; c = next) {
		next = c->next_in_batch;
		claim_remove(q, c);
	}
}

static void batch_done(struct queue *q)
{
	for (struct change *c = q->batch.settled; c; c = c->next_in_batch)
		claim_end(q, c->number);
	if (q->batch.due_ms < q->told_next_ms)
		q->has_news = true;
	atomic_fetch_add(&q->kept, q->batch.kept);
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

	if (q->batch.begun && !store_commit(q->store)) {
		batch_undone(q);
		return false;
	}
	batch_done(q);
	return true;
}

static void on_idle(void *queue)
{
	struct queue *q = queue;

	store_checkpoint(q->store);
}

/* ---- opening ---- */

static const char suffix[] = ".eml";

enum { SPOOL_NAME_BYTES = ID_LETTERS + sizeof(suffix) };

struct spool_name {
	char c[SPOOL_NAME_BYTES];
};

static struct spool_name spool_name(const struct message *m)
{
	struct spool_name name;

	snprintf(name.c, sizeof(name.c), "%.*s%s", ID_LETTERS, m->id, suffix);
	return name;
}

struct sweep {
	struct queue *q;
	bool ok;
};

/* A spool file that no row knows is what a crash left over.  Names we did not
 * make are left alone. */
static void sweep_one(void *arg, const char *name)
{
	struct sweep *w = arg;
	struct str id = str_of(name);
	int64_t number, last;
	bool known;

	if (!w->ok || !str_ends(id, str_of(suffix)))
		return;
	id.n -= sizeof(suffix) - 1;
	number = id_number(id);
	if (!number)
		return;
	w->ok = store_has(w->q->store, number, &known, &last) &&
	        (known || folder_remove(w->q->spool, name));
}

static bool sweep(struct queue *q)
{
	struct sweep w = { q, true };

	return folder_list(q->spool, sweep_one, &w) && w.ok;
}

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
	return q->version >= 0;
}

static bool open_writer(struct queue *q)
{
	static const struct worker_hooks hooks = { on_begin, on_end, on_idle,
		                                   100 };

	q->writer = worker_open("queue", &hooks, q);
	return q->writer;
}

struct queue *queue_open(const char *folder)
{
	struct queue *q = must_alloc(sizeof(*q));

	*q = (struct queue){ .told_next_ms = INT64_MAX };
	q->folder = join(folder, "");
	q->folder[strlen(folder)] = '\0';
	q->spool = join(folder, "spool");
	if (folder_make(folder) && folder_make(q->spool) && take_lock(q) &&
	    open_store(q) && sweep(q) && open_writer(q))
		return q;
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
	lock_drop(q->lock);
	free(q->spool);
	free(q->folder);
	free(q);
}

const char *queue_spool(const struct queue *q)
{
	return q->spool;
}

/* ---- spool files ---- */

/* Sync the body's file and give it its name. */
static bool spool_keep(const struct message *m)
{
	return !m->body.file || file_keep(m->body.file, spool_name(m).c);
}

/* A file that cannot be removed is swept at the next start. */
static void spool_remove(struct queue *q, const struct message *m)
{
	if (!file_remove(q->spool, spool_name(m).c))
		return;
}

static bool spool_keep_all(struct change *c, bool with_message)
{
	size_t n = 0;
	bool ok = !with_message || spool_keep(c->m);

	while (ok && n < c->n_dsns)
		ok = spool_keep(c->dsns[n++]);
	return ok;
}

/* What the transaction that failed would have needed. */
static void spool_undo(struct change *c, bool with_message)
{
	char why[FAIL_SLOT_BYTES];

	snprintf(why, sizeof(why), "%s", cause());
	if (with_message && c->m->body.file)
		spool_remove(c->q, c->m);
	for (size_t i = 0; i < c->n_dsns; i++)
		if (c->dsns[i]->body.file)
			spool_remove(c->q, c->dsns[i]);
	fail("%s", why);
}

/* ---- keep ---- */

static void note_due(struct queue *q, const struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct recipient *r = &m->recipients[i];

		if (recipient_is_open(r) && !r->held &&
		    r->next_attempt_ms < q->batch.due_ms)
			q->batch.due_ms = r->next_attempt_ms;
	}
}

static bool add_message(struct queue *q, struct message *m, bool claim)
{
	struct spool_name name = spool_name(m);

	if (!store_add(q->store, m, m->body.file ? name.c : NULL))
		return false;
	if (!claim)
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
		claim_add(q, c->number);
	q->batch.kept += 1 + c->n_dsns;
	return true;
}

/* Rows given out by store_add_recipients(). */
static void number_recipients(struct message *m, int64_t first)
{
	for (size_t i = 0; i < m->n; i++)
		if (recipient_is_new(&m->recipients[i]))
			m->recipients[i].row = first++;
}

static void now_kept(struct message *m)
{
	m->row = id_number(str_of(m->id));
	m->is_kept = true;
	number_recipients(m, 1);
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
		return true;
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

static bool settle_message(struct change *c)
{
	return settle_new(c) && settle_old(c) &&
	       store_end(c->q->store, c->number, &c->gone, &c->spooled);
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
	q->batch.kept += c->n_dsns;
	if (c->m) {
		note_due(q, c->m);
		c->next_in_batch = q->batch.settled;
		q->batch.settled = c;
	}
	return true;
}

static void now_settled(struct change *c)
{
	struct message *m = c->m;

	if (c->first_new)
		number_recipients(m, c->first_new);
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

bool queue_settle(struct queue *q, struct message *m,
                  struct message *const *dsns, size_t n_dsns)
{
	struct change c = { .q = q,
		            .m = m->row ? m : NULL,
		            .number = m->row,
		            .dsns = dsns,
		            .n_dsns = n_dsns };

	if (!c.m && !n_dsns)
		return true;
	if (!spool_keep_all(&c, false) ||
	    !worker_call(q->writer, settle_rows, &c)) {
		spool_undo(&c, false);
		return false;
	}
	if (c.m)
		now_settled(&c);
	dsns_kept(&c);
	return true;
}

/* ---- release ---- */

static bool release_claim(void *change)
{
	struct change *c = change;

	claim_end(c->q, c->number);
	return true;
}

void queue_release(struct queue *q, struct message *m)
{
	struct change c = { .q = q, .number = m->row };

	/* it writes nothing; should the batch it is in fail, it has run */
	if (m->row && !worker_call(q->writer, release_claim, &c))
		return;
}

/* ---- claim ---- */

struct search {
	struct queue *q;
	int64_t now_ms;
	size_t max;
	struct message **out;
	size_t n;
	int64_t next_ms;
};

/* Messages that are due and nobody's.  One that cannot be read does not keep
 * the others from going; it is what is reported when there are no others. */
static bool search_due(struct search *s)
{
	struct queue *q = s->q;
	int64_t number, due;
	bool failed, ok = true;

	while (store_due(q->store, s->now_ms, &number, &due, &failed)) {
		struct message *m;

		if (claim_find(q, number))
			continue;
		if (s->n == s->max) {
			s->next_ms = due;
			break;
		}
		if (!store_load(q->store, number, s->now_ms, q->spool, &m))
			ok = false;
		if (!m)
			continue;
		claim_add(q, number);
		s->out[s->n++] = m;
	}
	store_due_end(q->store);
	return !failed && (ok || s->n > 0);
}

static bool search(struct search *s)
{
	if (!search_due(s))
		return false;
	if (s->next_ms == INT64_MAX &&
	    !store_next(s->q->store, s->now_ms, &s->next_ms))
		return false;
	s->q->told_next_ms = s->next_ms;
	return true;
}

static bool claim_due(void *arg)
{
	struct search *s = arg;
	struct queue *q = s->q;
	bool look = !q->batch.begun, ok;

	q->has_news = false;
	if (look && !store_look(q->store))
		return false;
	ok = search(s);
	if (look)
		store_look_end(q->store);
	return ok;
}

static void drop_all(struct search *s)
{
	while (s->n > 0)
		message_drop(s->out[--s->n]);
}

bool queue_claim(struct queue *q, int64_t now_wall_ms, size_t max,
                 struct message **out, size_t *n, int64_t *next_ms)
{
	struct search s = { .q = q,
		            .now_ms = now_wall_ms,
		            .max = max,
		            .out = out,
		            .next_ms = INT64_MAX };
	bool ok = worker_call(q->writer, claim_due, &s);

	if (!ok)
		drop_all(&s);
	*n = s.n;
	*next_ms = s.next_ms;
	return ok;
}

/* ---- hurry ---- */

struct hurry {
	struct queue *q;
	struct str system;
};

static bool hurry_rows(void *arg)
{
	struct hurry *h = arg;
	int64_t now = wall_ms();

	if (!batch_begin(h->q) || !store_hurry(h->q->store, h->system, now))
		return false;
	if (now < h->q->batch.due_ms)
		h->q->batch.due_ms = now;
	return true;
}

bool queue_hurry(struct queue *q, struct str system)
{
	struct hurry h = { q, system };

	return worker_call(q->writer, hurry_rows, &h);
}

/* ---- questions ---- */

struct question {
	struct queue *q;
	bool yes;
};

static bool ask_changed(void *arg)
{
	struct question *question = arg;
	struct queue *q = question->q;
	int64_t version = store_version(q->store);

	question->yes = q->has_news || (version >= 0 && version != q->version);
	q->has_news = false;
	if (version >= 0)
		q->version = version;
	return true;
}

bool queue_changed(struct queue *q)
{
	struct question question = { q, false };

	return worker_call(q->writer, ask_changed, &question) && question.yes;
}

bool queue_is_full(struct queue *q)
{
	int64_t now = now_ms(), asked = atomic_load(&q->full_asked_ms);

	if ((asked && now < asked + 1000) ||
	    !atomic_compare_exchange_strong(&q->full_asked_ms, &asked, now))
		return atomic_load(&q->is_full);
	atomic_store(&q->is_full,
	             folder_free_bytes(q->spool) < LIMIT_QUEUE_FREE_BYTES ||
	                     folder_free_files(q->spool) <
	                             LIMIT_QUEUE_FREE_FILES);
	return atomic_load(&q->is_full);
}

void queue_counts(struct queue *q, uint64_t *commits, uint64_t *kept)
{
	*commits = atomic_load(&q->commits);
	*kept = atomic_load(&q->kept);
}
