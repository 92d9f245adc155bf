/*
 * What this loop knows of next hops: does it answer, and how much may the queue
 * give it?  (Of single hosts: hosts.h.)
 *
 * A next hop that did not answer rests for HOP_REST_MS, and is then tried with
 * one message at a time until it answers: hops_rooms() tells the scheduler how
 * much each of them has room for.
 */
#include "deliver/hop_state.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "deliver/ledgers.h"
#include "rt/board.h"
#include "rt/log.h"

enum {
	HOP_REST_MS = 5000,
	HOPS_REMEMBERED = 1000,
	HOPS_RECALLED = 500,
	RETRIES_PER_HOP = 20,  /* attempts from the queue at one next hop that
	                          has not answered lately */
	RETRIES_ANSWERED = 60, /* ...and that has */
	LATELY_MS = 1000,
	KNOCK_MOST_MS = 60000, /* how long one that is down is left alone */
};

const unsigned hops_room_unknown = RETRIES_PER_HOP;

struct hop_state {
	UT_hash_handle hh;
	int64_t rest_until_ms;
	bool is_slow;
	/* A next hop's, not a single host's: */
	bool is_next, is_down;
	bool knocks_once;    /* mail waited for it when the engine started */
	unsigned retries;    /* attempts from the queue that run */
	int64_t answered_ms; /* one of these: when it last settled a mail */
	int64_t failed_ms;   /* it did not answer */
	int64_t knock_ms, knock_after_ms; /* tried though nothing is due */
	/* The queue was told that it may be tried, and that it knocks. */
	bool is_told, knock_is_told;
	struct reply why;
	char text[256];
	size_t key_bytes;
	char key[];
};

static struct hop_state *hop_find(struct deliver *d, struct str key)
{
	struct hop_state *h;

	HASH_FIND(hh, d->hops, key.p, key.n, h);
	return h;
}

static void hops_forget(struct deliver *d, int64_t rested_before_ms)
{
	struct hop_state *h, *next;

	HASH_ITER (hh, d->hops, h, next)
		if (!h->retries && h->rest_until_ms < rested_before_ms) {
			HASH_DEL(d->hops, h);
			free(h);
		}
}

static struct hop_state *hop_make(struct deliver *d, struct str key)
{
	struct hop_state *h = hop_find(d, key);

	if (h)
		return h;
	if (HASH_COUNT(d->hops) >= HOPS_REMEMBERED &&
	    HASH_COUNT(d->hops) >= d->hops_most) {
		hops_forget(d, now_ms());
		/* they may all be in use: not at every one that comes */
		d->hops_most = 2 * HASH_COUNT(d->hops);
	}
	h = must_alloc(sizeof *h + key.n);
	memset(h, 0, sizeof *h);
	h->key_bytes = key.n;
	memcpy(h->key, key.p, key.n);
	HASH_ADD_KEYPTR(hh, d->hops, h->key, h->key_bytes, h);
	return h;
}

const struct reply *hop_resting(struct deliver *d, struct str key,
				bool only_slow)
{
	struct hop_state *h = hop_find(d, key);

	if (!h || h->rest_until_ms <= now_ms() || (only_slow && !h->is_slow))
		return NULL;
	return &h->why;
}

void hop_rest(struct deliver *d, struct str key, const struct reply *why,
	      bool is_slow)
{
	struct hop_state *h = hop_make(d, key);

	h->rest_until_ms = after_ms(HOP_REST_MS);
	h->is_told = h->knock_is_told = false;
	h->is_slow = is_slow;
	h->why = *why;
	snprintf(h->text, sizeof h->text, "%.*s", STR(why->text));
	h->why.text = str_of(h->text);
}

const struct reply *hop_failure(struct deliver *d, struct str key,
				int64_t *failed_ms)
{
	const struct hop_state *h = hop_find(d, key);

	if (!h || !h->is_down)
		return NULL;
	*failed_ms = h->failed_ms;
	return &h->why;
}

/* The scheduler has passed over what is due for it: it looks again, and does
 * not wait for a message to end of which other next hops have a part. */
static void note_room(struct deliver *d)
{
	d->has_room = true;
	gate_open(&d->turn);
}

void hop_answered(struct deliver *d, struct str key)
{
	struct hop_state *h = hop_find(d, key);

	if (!h)
		return;
	h->rest_until_ms = h->knock_after_ms = 0;
	if (h->is_down && h->is_next)
		note_room(d);
	h->is_down = false;
}

void hops_close(struct deliver *d)
{
	hops_forget(d, INT64_MAX);
}

/* ---- who comes back ---- */

/* A fiber of its own: a long queue is hurried page by page. */
struct comeback {
	struct deliver *deliver;
	struct arena *arena;
	struct next_hop hop;
};

static void waits comeback_main(void *arg)
{
	struct comeback *c = arg;
	struct deliver *d = c->deliver;

	if (!queue_hurry(d->queue, &c->hop))
		log_warn("qmgr", "what waits for %.*s is not hurried: %s",
			 STR(next_hop_text(&c->hop, c->arena)), cause());
	arena_close(c->arena);
	d->busy--;
	gate_open(&d->quiet);
}

static void hurry(struct deliver *d, const struct next_hop *hop)
{
	struct arena *arena = arena_open();
	struct comeback *c = arena_new(arena, struct comeback);

	*c = (struct comeback){ d, arena, *hop };
	c->hop.name = arena_str(arena, hop->name);
	if (fiber_start("comeback", comeback_main, c))
		d->busy++;
	else
		arena_close(arena);
}

void hop_came_back(struct deliver *d, const struct next_hop *hop,
		   struct arena *arena)
{
	struct str key = next_hop_text(hop, arena), note;
	struct board *down = d->settings->down;

	hop_answered(d, key);
	if (!down || !board_read(down, key, arena, &note))
		return;
	board_erase(down, key);
	hurry(d, hop);
}

static void recall(struct deliver *d, const struct next_hop *hop,
		   struct arena *arena)
{
	struct str key = next_hop_text(hop, arena);
	struct hop_state *h = hop_make(d, key);

	if (h->is_next) /* it was attempted in the first moment */
		return;
	h->is_next = h->knocks_once = true;
	if (d->settings->down)
		board_write(d->settings->down, key, S(""));
}

void hops_recall(struct deliver *d)
{
	struct arena *arena scoped(arena) = arena_open();
	struct next_hop *hops =
		arena_array(arena, struct next_hop, HOPS_RECALLED);
	size_t n;

	if (!queue_next_hops(d->queue, arena, hops, HOPS_RECALLED, &n)) {
		log_warn("qmgr", "who was down is not known: %s", cause());
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (hops[i].kind != NEXT_HOP_UNDECIDED)
			recall(d, &hops[i], arena);
}

bool hop_is_noted_down(struct deliver *d, const struct next_hop *hop,
		       struct arena *arena)
{
	struct board *down = d->settings->down;
	struct str note;

	return !down ||
	       board_read(down, next_hop_text(hop, arena), arena, &note);
}

/* The next time a little later, whether or not anything is due. */
static void note_down(struct hop_state *h)
{
	h->is_next = h->is_down = true;
	h->failed_ms = now_ms();
	h->knock_after_ms =
		h->knock_after_ms ? h->knock_after_ms * 2 : HOP_REST_MS;
	if (h->knock_after_ms > KNOCK_MOST_MS)
		h->knock_after_ms = KNOCK_MOST_MS;
	h->knock_ms = after_ms(h->knock_after_ms);
}

void hop_is_down(struct attempt *a, const struct reply *why, bool is_slow)
{
	struct deliver *d = a->round->deliver;
	struct hop_state *h;

	a->was_down = true;
	hop_rest(d, a->key, why, is_slow);
	h = hop_find(d, a->key);
	/* of many that failed at once, one counts */
	if (!h->is_down || now_ms() >= h->knock_ms)
		note_down(h);
	h->failed_ms = now_ms();
	ledgers_say_down(d, &a->leg, why, a->round->arena);
	if (d->settings->down)
		board_write(d->settings->down, a->key, S(""));
}

/* ---- how much the queue may give it ---- */

static unsigned room_left(const struct hop_state *h, unsigned most)
{
	return h->retries < most ? most - h->retries : 0;
}

static bool is_tried_now(const struct hop_state *h)
{
	return h->is_down && !h->retries && h->rest_until_ms <= now_ms();
}

static unsigned room_of(const struct hop_state *h)
{
	if (h->is_down)
		return is_tried_now(h);
	if (now_ms() - h->answered_ms <= LATELY_MS)
		return room_left(h, RETRIES_ANSWERED);
	return room_left(h, RETRIES_PER_HOP);
}

/* Another loop has found it at work. */
static bool is_up_elsewhere(struct deliver *d, const struct hop_state *h,
			    struct arena *arena)
{
	struct str key = { h->key, h->key_bytes }, note;

	return d->settings->down &&
	       !board_read(d->settings->down, key, arena, &note);
}

size_t hops_rooms(struct deliver *d, struct arena *arena,
		  const struct hop_room **out)
{
	struct hop_room *list =
		arena_array(arena, struct hop_room, HASH_COUNT(d->hops) + 1);
	struct hop_state *h;
	size_t n = 0;

	for (h = d->hops; h; h = h->hh.next) {
		struct str key = { h->key, h->key_bytes };
		struct hop_room *r = &list[n];

		if (!h->is_next || !next_hop_parse(key, &r->hop))
			continue;
		if (h->is_down && is_up_elsewhere(d, h, arena))
			hop_answered(d, key);
		r->room = room_of(h);
		r->if_ordered = room_left(h, RETRIES_PER_HOP);
		h->is_told = is_tried_now(h);
		h->knock_is_told = h->is_told && now_ms() >= h->knock_ms;
		r->knocks = h->knock_is_told || h->knocks_once;
		h->knocks_once = false;
		r->is_down = h->is_down;
		n++;
	}
	d->has_room = false;
	*out = list;
	return n;
}

static bool has_news(const struct hop_state *h)
{
	if (!h->is_next || !is_tried_now(h))
		return false;
	return !h->is_told || (!h->knock_is_told && now_ms() >= h->knock_ms);
}

bool hops_have_news(struct deliver *d)
{
	struct hop_state *h;

	if (d->has_room)
		return true;
	for (h = d->hops; h; h = h->hh.next)
		if (has_news(h))
			return true;
	return false;
}

int64_t hops_next_ms(const struct deliver *d)
{
	int64_t next = NEVER;
	const struct hop_state *h;

	for (h = d->hops; h; h = h->hh.next) {
		int64_t then = h->rest_until_ms;

		if (!h->is_next || !h->is_down || h->retries ||
		    h->knock_is_told)
			continue;
		if (h->is_told && h->knock_ms > then)
			then = h->knock_ms;
		if (then < next)
			next = then;
	}
	return next;
}

bool hops_are_well(const struct deliver *d)
{
	const struct hop_state *h;

	for (h = d->hops; h; h = h->hh.next)
		if (h->is_down || h->rest_until_ms > now_ms())
			return false;
	return true;
}

unsigned hop_room(struct deliver *d, struct str key, bool is_ordered)
{
	const struct hop_state *h = hop_find(d, key);

	if (!h || !h->is_next)
		return UINT_MAX;
	return is_ordered ? room_left(h, RETRIES_PER_HOP) : room_of(h);
}

void hop_retry_begins(struct deliver *d, struct str key)
{
	struct hop_state *h = hop_make(d, key);

	h->is_next = true;
	h->retries++;
}

void hop_retry_ends(struct deliver *d, struct str key, bool has_settled)
{
	struct hop_state *h = hop_make(d, key);
	bool was_full = !room_of(h);

	h->retries--;
	if (has_settled)
		h->answered_ms = now_ms();
	if (was_full && room_of(h))
		note_room(d);
}
