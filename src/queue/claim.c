/*
 * Who gets what is due.
 *
 * Mail is claimed lane by lane (lanes.h): in each its own order, between them
 * fair shares, and nothing of a lane whose next hop has no room.  What is known
 * of the lanes follows from the rows: it is read at the start and whenever
 * another process has changed rows, and kept up with every call in between.
 */
#include "queue/inside.h"

#include <stdlib.h>

#include "base/mutants.h"
#include "rt/worker.h"

enum {
	LATE_PAGE = 500,        /* messages looked at for one claim */
	LATE_AGAIN_MS = 5000,   /* from the end of the queue to its front */
	CHANGED_PAGE = 500,     /* rows changed in one transaction */
	TRIAL_LOOK_MS = 1000,   /* how often suspects are looked at */
	UNREAD_AGAIN_MS = 5000, /* what could not be read */
};

/* ---- claims ---- */

struct claim *claim_find(struct queue *q, int64_t number)
{
	struct claim *c;

	HASH_FIND(hh, q->claims, &number, sizeof(number), c);
	return c;
}

struct claim *claim_add(struct queue *q, int64_t number)
{
	struct claim *c = must_alloc(sizeof(*c));

	*c = (struct claim){ .number = number,
			     .next_in_batch = q->batch.claimed };
	q->batch.claimed = c;
	HASH_ADD(hh, q->claims, number, sizeof(c->number), c);
	underway_begin(q->underway, number);
	return c;
}

void claim_remove(struct queue *q, struct claim *c, bool was_tried)
{
	underway_end(q->underway, c->number, was_tried);
	HASH_DEL(q->claims, c);
	free(c);
}

/* The one that was added last. */
static void claim_take_back(struct queue *q, struct claim *c)
{
	check(q->batch.claimed == c);
	q->batch.claimed = c->next_in_batch;
	claim_remove(q, c, false);
}

uint64_t claim_attempts(const struct message *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += m->recipients[i].attempts;
	return sum;
}

/* Has it come back from an attempt?  Not when it was only put off. */
static bool was_tried(const struct claim *c, const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!recipient_is_open(&m->recipients[i]))
			return true;
	return claim_attempts(m) > c->attempts;
}

void lanes_note_row(void *queue, struct next_hop hop, int64_t due_ms)
{
	struct queue *q = queue;

	lane_note(&q->lanes, hop, due_ms);
}

void claim_end(struct queue *q, int64_t number, const struct message *m)
{
	struct claim *c = claim_find(q, number);

	if (!c)
		return;
	claim_remove(q, c, m && was_tried(c, m));
	q->has_news = true;
	if (!store_dues(q->store, number, lanes_note_row, q))
		q->lanes_are_old = true;
}

void claims_free(struct queue *q)
{
	struct claim *c, *next;

	HASH_ITER (hh, q->claims, c, next)
		claim_remove(q, c, false);
}

/* ---- the lanes ---- */

/* No hand of ours writes a time further away than the longest wait; it is due
 * now, whoever wrote it. */
static bool mend_times(struct queue *q, const struct claim_wish *w)
{
	bool wrong;

	if (!store_has_wrong_times(q->store, w->now_ms, w->most_ms, &wrong))
		return false;
	return !wrong || (batch_begin(q) &&
			  store_mend_times(q->store, w->now_ms, w->most_ms));
}

static bool read_lanes(struct queue *q)
{
	struct lane *lane;

	lanes_clear(&q->lanes);
	if (!store_lanes(q->store, lanes_note_row, q))
		return false;
	lanes_are_read(&q->lanes);
	for (lane = q->lanes.all; lane; lane = lane->hh.next)
		lane->is_ordered = lane->due_ms == 0;
	return true;
}

bool lanes_heard(struct queue *q)
{
	int64_t version = store_version(q->store);

	if (version < 0 || version == q->version)
		return false;
	q->version = version;
	q->lanes_are_old = true;
	return true;
}

static bool know_lanes(struct queue *q, const struct claim_wish *w)
{
	if (!lanes_heard(q) && !q->lanes_are_old && !lanes_are_stale(&q->lanes))
		return true;
	if (!mend_times(q, w) || !read_lanes(q))
		return false;
	q->lanes_are_old = false;
	return true;
}

static void set_rooms(struct queue *q, const struct claim_wish *w)
{
	struct lane *lane;

	for (lane = q->lanes.all; lane; lane = lane->hh.next) {
		lane->room = w->room;
		lane->knocks = lane->is_down = false;
	}
	for (size_t i = 0; i < w->n_hops; i++) {
		const struct hop_room *h = &w->hops[i];

		lane = lane_make(&q->lanes, h->hop);
		lane->room = h->room;
		if (lane->is_ordered && h->if_ordered > h->room)
			lane->room = h->if_ordered;
		lane->knocks = h->knocks;
		lane->is_down = h->is_down;
	}
}

/* ---- searching ---- */

struct search {
	struct queue *q;
	const struct claim_wish *wish;
	struct message **out;
	size_t n;
	int64_t next_ms;
	const struct lane *lane; /* the one that is searched */
	bool failed_one;         /* a message could not be read */
	bool has_suspects;       /* in this lane, that wait for their trial */
};

static bool is_full(const struct search *s)
{
	return s->n == s->wish->max;
}

/* Recipients of a message that go elsewhere go along, if there is room. */
static bool has_room(void *search, const struct recipient *r)
{
	struct search *s = search;
	const struct lane *lane = lane_make(&s->q->lanes, r->next_hop);

	return lane == s->lane || lane->room > 0;
}

static void take_room(struct search *s, const struct message *m)
{
	const struct lane *before = NULL;

	/* a message is one for its next hop, however many its recipients */
	for (size_t i = 0; i < m->n; i++) {
		struct lane *lane =
			lane_make(&s->q->lanes, m->recipients[i].next_hop);

		if (lane != before && lane->room > 0)
			lane->room--;
		before = lane;
	}
}

/* Nobody's, and no suspect that has to wait for another's trial. */
static bool is_free(struct search *s, int64_t number)
{
	if (claim_find(s->q, number) && !MUTANT(claimed_is_claimed_again))
		return false;
	if (underway_may_begin(s->q->underway, number))
		return true;
	s->has_suspects = true;
	return false;
}

/* One that cannot be read does not keep the others from going.  It is claimed
 * before: reading may be what kills us. */
static bool take(struct search *s, int64_t number, int64_t due_ms,
		 bool (*wants)(void *, const struct recipient *))
{
	struct queue *q = s->q;
	struct claim *c = claim_add(q, number);
	struct message *m;

	if (!store_load(q->store, number, due_ms, &q->spool, wants, s, &m))
		s->failed_one = true;
	if (!m || !m->n) {
		if (m)
			message_drop(m);
		if (!m || !MUTANT(claimed_for_nobody_for_good))
			claim_take_back(q, c);
		return false;
	}
	c->attempts = claim_attempts(m);
	take_room(s, m);
	s->out[s->n++] = m;
	return true;
}

/* Up to MOST of LANE; afterwards it knows when its next is due. */
static bool search_lane(struct search *s, struct lane *lane, size_t most)
{
	int64_t number, due, now = s->wish->now_ms;
	int64_t again = now + TRIAL_LOOK_MS;
	bool failed;

	s->lane = lane;
	s->has_suspects = false;
	while (store_due(s->q->store, lane->hop, &number, &due, &failed)) {
		if (!is_free(s, number))
			continue;
		if (!most || !lane->room || is_full(s) ||
		    (due > now && !lane->knocks)) {
			lane->due_ms =
				s->has_suspects && again < due ? again : due;
			store_due_end(s->q->store);
			return true;
		}
		lane->knocks = false;
		most -= take(s, number, due > now ? due : now, has_room);
	}
	store_due_end(s->q->store);
	lane->due_ms = s->has_suspects ? again : INT64_MAX;
	return !failed;
}

static bool is_wanted(const struct lane *l, int64_t now)
{
	return l->room > 0 &&
	       (l->due_ms <= now || (l->knocks && l->due_ms < INT64_MAX));
}

static int by_due(const void *a, const void *b)
{
	const struct lane *x = *(struct lane *const *)a;
	const struct lane *y = *(struct lane *const *)b;

	return (x->due_ms > y->due_ms) - (x->due_ms < y->due_ms);
}

static struct lane **wanted(struct search *s, size_t *n)
{
	size_t all = HASH_COUNT(s->q->lanes.all);
	struct lane **list = must_alloc((all + 1) * sizeof(struct lane *)), *l;

	*n = 0;
	for (l = s->q->lanes.all; l; l = l->hh.next)
		if (is_wanted(l, s->wish->now_ms))
			list[(*n)++] = l;
	qsort(list, *n, sizeof(struct lane *), by_due);
	return list;
}

/* First a fair share for each, then what is left for who has more. */
static bool search_lanes(struct search *s)
{
	size_t n;
	struct lane **list = wanted(s, &n);
	size_t share = n ? s->wish->max / n : 0;
	bool ok = true;

	for (size_t i = 0; ok && i < n && !is_full(s); i++)
		ok = search_lane(s, list[i], share ? share : 1);
	for (size_t i = 0; ok && i < n && !is_full(s); i++)
		if (is_wanted(list[i], s->wish->now_ms))
			ok = search_lane(s, list[i], s->wish->max);
	for (size_t i = 0; i < n; i++)
		list[i]->is_ordered = false;
	free(list);
	return ok;
}

/* ---- what has waited long for who is down ---- */

static bool is_late(void *search, const struct recipient *r)
{
	struct search *s = search;

	return lane_make(&s->q->lanes, r->next_hop)->is_down &&
	       (s->lane ? !r->delay_told : true);
}

static bool is_any_down(const struct claim_wish *w)
{
	for (size_t i = 0; i < w->n_hops; i++)
		if (w->hops[i].is_down)
			return true;
	return false;
}

/* Mail has to be told of, or given up, in time, though it is not its turn. */
static bool search_late(struct search *s)
{
	const struct claim_wish *w = s->wish;
	static const struct lane untold; /* is_late(): only those */
	int64_t first = w->warning_ms && w->warning_ms < w->expiry_ms
				? w->warning_ms
				: w->expiry_ms;
	struct entry e;
	bool failed = false;
	size_t looked = 0;

	if (!is_any_down(w) || w->now_ms < s->q->late_from_ms)
		return true;
	while (looked < LATE_PAGE && !is_full(s) &&
	       store_entered(s->q->store, s->q->late_after, w->now_ms - first,
			     &e, &failed)) {
		looked++;
		s->q->late_after = e;
		s->lane = e.ms <= w->now_ms - w->expiry_ms ? NULL : &untold;
		if (is_free(s, e.number))
			take(s, e.number, INT64_MAX, is_late);
	}
	store_entered_end(s->q->store);
	if (looked < LATE_PAGE && !is_full(s)) {
		s->q->late_after = (struct entry){ 0 };
		s->q->late_from_ms = w->now_ms + LATE_AGAIN_MS;
	}
	return !failed;
}

/* ---- the call ---- */

static int64_t next_due(const struct search *s)
{
	int64_t next = INT64_MAX;
	const struct lane *l;

	for (l = s->q->lanes.all; l; l = l->hh.next)
		if (l->room > 0 && l->due_ms < next)
			next = l->due_ms;
	return next;
}

/* A search that failed halfway has claimed nothing. */
static void put_back(struct search *s)
{
	while (s->n > 0) {
		struct message *m = s->out[--s->n];

		claim_take_back(s->q, claim_find(s->q, m->row));
		message_drop(m);
	}
}

/* A lane was taken for empty behind what could not be read: the rows are asked
 * again, and soon. */
static void look_again(struct search *s)
{
	int64_t again = s->wish->now_ms + UNREAD_AGAIN_MS;

	s->q->lanes_are_old |= !MUTANT(unread_lane_is_empty);
	if (s->next_ms > again)
		s->next_ms = again;
}

static bool search_all(void *arg)
{
	struct search *s = arg;
	struct queue *q = s->q;
	bool look, ok;

	q->has_news = false;
	if (!know_lanes(q, s->wish))
		return false;
	set_rooms(q, s->wish);
	look = !q->batch.begun;
	if (look && !store_look(q->store))
		return false;
	ok = search_lanes(s) && search_late(s);
	if (look)
		store_look_end(q->store);
	s->next_ms = next_due(s);
	if (!ok)
		put_back(s);
	if (!ok || s->failed_one)
		look_again(s);
	q->told_next_ms = s->next_ms;
	return ok;
}

static bool claim_due(void *arg)
{
	struct search *s = arg;
	bool ok = search_all(s);

	s->q->is_unread = !ok || s->failed_one;
	return ok && (!s->failed_one || s->n > 0);
}

bool queue_claim(struct queue *q, const struct claim_wish *wish,
		 struct message **out, size_t *n, int64_t *next_ms)
{
	struct search s = {
		.q = q, .wish = wish, .out = out, .next_ms = INT64_MAX
	};
	bool ok = worker_call(q->writer, claim_due, &s);

	if (!ok)
		while (s.n > 0)
			message_drop(out[--s.n]);
	*n = s.n;
	*next_ms = s.next_ms;
	return ok;
}

bool queue_is_unread(const struct queue *q)
{
	return q->is_unread;
}

/* ---- hurry ---- */

struct hurry {
	struct queue *q;
	const struct next_hop *hop;
	int changed;
};

static bool hurry_rows(void *arg)
{
	struct hurry *h = arg;
	struct queue *q = h->q;
	int64_t now = queue_now(q);

	if (!batch_begin(q) ||
	    !store_hurry(q->store, *h->hop, now, CHANGED_PAGE, &h->changed))
		return false;
	if (h->changed) {
		lane_note(&q->lanes, *h->hop, now);
		q->has_news = true;
	}
	return true;
}

bool queue_hurry(struct queue *q, const struct next_hop *hop)
{
	struct hurry h = { q, hop, 0 };
	bool ok;

	do {
		ok = worker_call(q->writer, hurry_rows, &h);
	} while (ok && h.changed == CHANGED_PAGE);
	return ok;
}
