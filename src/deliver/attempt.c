/*
 * One next hop, many recipients: a fiber.
 *
 * Recipients of a message that have the same next hop go in one transaction,
 * LIMIT_PER_TRANSACTION at a time, one transaction after the other; next hops
 * are served in parallel.
 */
#include "deliver/attempt.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/fate.h"
#include "deliver/hop_state.h"
#include "deliver/mailbox.h"
#include "deliver/peer.h"
#include "deliver/remote.h"
#include "deliver/retry.h"
#include "deliver/settle.h"
#include "rt/board.h"
#include "rt/fault.h"

/* ---- what came of it ---- */

static void tell(const struct attempt *a, struct share **shares, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		shares[i]->is_under_way = false;
		fate_tried(a->round, shares[i]);
		round_tell_followers(a->round, shares[i]);
	}
}

static void defer(struct share **shares, size_t n, struct reply why)
{
	for (size_t i = 0; i < n; i++) {
		shares[i]->state = RECIPIENT_LATER;
		shares[i]->reply = why;
	}
}

/* ---- the fiber ---- */

/* Why it is not dialled; NULL: it is, or another loop found it at work. */
static const struct reply *is_resting(const struct attempt *a)
{
	struct deliver *d = a->round->deliver;
	const struct reply *why = hop_resting(d, a->key, !a->round->is_retry);
	struct str note;

	if (!why || !d->settings->down ||
	    board_read(d->settings->down, a->key, a->round->arena, &note))
		return why;
	hop_answered(d, a->key);
	return NULL;
}

/* HAS_BEGUN: an earlier part of this attempt was tried. */
static void waits attempt_chunk(struct attempt *a, struct share **shares,
				size_t n, bool has_begun)
{
	struct arena *arena = a->round->arena;
	const struct reply *why =
		has_begun || !a->round->is_retry ? is_resting(a) : NULL;

	a->was_down = why;
	if (fiber_cancelled()) {
		defer(shares, n,
		      own_reply(arena, 451, "4.3.2", "the server is stopping"));
	} else if (why) {
		defer(shares, n,
		      own_reply(arena, why->code < 500 ? why->code : 451,
				why->status[0] == '4' ? why->status : "4.4.1",
				"%.*s", STR(why->text)));
	} else if (a->leg.kind == LEG_MAILBOX) {
		mailbox_deliver(a, shares, n);
	} else {
		remote_deliver(a, shares, n);
	}
	for (size_t i = 0; i < n; i++)
		shares[i]->is_unreached =
			a->was_down && shares[i]->state == RECIPIENT_LATER;
	tell(a, shares, n);
}

static void retry_ends(struct attempt *a)
{
	bool has_settled = false;

	for (size_t i = 0; i < a->n; i++)
		has_settled |= a->shares[i]->state != RECIPIENT_LATER;
	hop_retry_ends(a->round->deliver, a->key, has_settled);
}

/* Whatever it said: it did not fail since the attempt began. */
static void note_answer(struct attempt *a, int64_t began_ms)
{
	int64_t failed_ms;

	if (hop_failure(a->round->deliver, a->key, &failed_ms) &&
	    failed_ms < began_ms && !fiber_cancelled())
		hop_answered(a->round->deliver, a->key);
}

static bool has_taken(const struct attempt *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->shares[i]->state == RECIPIENT_DONE)
			return true;
	return false;
}

static size_t trail_entries(struct str trail)
{
	size_t n = trail.n > 0;

	for (size_t i = 0; i < trail.n; i++)
		n += trail.p[i] == ',';
	return n;
}

/* How many go into one mail: their trails together have to fit into what a
 * header may carry. */
static size_t chunk_size(const struct attempt *a, size_t from)
{
	size_t n = 0, entries = 0;

	while (from + n < a->n && n < LIMIT_PER_TRANSACTION) {
		entries += trail_entries(a->shares[from + n]->leg.trail);
		if (n && entries > LIMIT_TRAIL_JOINED)
			break;
		n++;
	}
	return n;
}

static void waits attempt_main(void *arg)
{
	struct attempt *a = arg;
	struct round *round = a->round;
	int64_t began_ms = now_ms();

	fault_here("attempt", a->shares[0]->leg.address);
	for (size_t i = 0, n; i < a->n; i += n) {
		n = chunk_size(a, i);
		attempt_chunk(a, a->shares + i, n, i > 0);
		note_answer(a, began_ms);
		if (i + n < a->n)
			round_has_news(round);
	}
	if (has_taken(a))
		hop_came_back(round->deliver, &a->next_hop, round->arena);
	if (round->is_retry)
		retry_ends(a);
	if (a->prev)
		a->prev->next = a->next;
	else
		round->attempts = a->next;
	if (a->next)
		a->next->prev = a->prev;
	round->deliver->attempts--;
	round_attempt_ended(round);
}

/* ---- grouping ---- */

static struct attempt *attempt_for(struct round *round, struct attempt **all,
				   const struct share *s)
{
	struct next_hop next = leg_next_hop(&s->leg);
	struct str key = next_hop_text(&next, round->arena);
	struct str group = arena_strf(
		round->arena, "%.*s\n%.*s", STR(key),
		STR(MUTANT(senders_share_an_attempt) ? STR_NONE
						     : s->leg.sender));
	struct attempt *a;

	HASH_FIND(hh, *all, group.p, group.n, a);
	if (a)
		return a;
	a = arena_new(round->arena, struct attempt);
	a->round = round;
	a->next_hop = next;
	a->key = key;
	a->leg = s->leg;
	HASH_ADD_KEYPTR(hh, *all, group.p, group.n, a);
	return a;
}

static void add_share(struct attempt *a, struct share *s)
{
	bool is_full = (a->n & (a->n - 1)) == 0; /* 0, 1, 2, 4, 8... */

	if (is_full) {
		struct share **more = arena_array(
			a->round->arena, struct share *, a->n ? a->n * 2 : 1);

		if (a->n)
			memcpy(more, a->shares, a->n * sizeof more[0]);
		a->shares = more;
	}
	a->shares[a->n++] = s;
}

/* ---- what is not tried now ---- */

/* An administrator wants it tried, whatever is known of the next hop. */
static bool is_ordered(const struct attempt *a)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t index = a->shares[i]->index;

		if (a->round->message->recipients[index].row_attempt_ms == 0)
			return true;
	}
	return false;
}

/*
 * The scheduler claims what there is room for.  What route() sends elsewhere
 * than it waited for meets the rule here: it waits for that one's room.
 */
static bool has_no_room(const struct attempt *a)
{
	return a->round->is_retry &&
	       hop_room(a->round->deliver, a->key, is_ordered(a)) == 0;
}

/*
 * Has it waited for so long that it has to be told of or given up, though it
 * is not its turn?  Given up is what was waiting when its next hop was last
 * tried in vain: nothing expires because nobody tried.
 */
static bool is_late(const struct attempt *a, int64_t failed_ms)
{
	struct deliver *d = a->round->deliver;
	const struct deliver_settings *set = d->settings;
	int64_t waited = message_waited_ms(d, a->round->message);
	int64_t since_failed = now_ms() - failed_ms;

	if (waited >= set->expiry_s * 1000)
		return since_failed <= waited - set->expiry_s * 1000;
	return set->delay_warning_s && waited >= set->delay_warning_s * 1000 &&
	       !a->round->message->recipients[a->shares[0]->index].delay_told;
}

static void put_off(struct attempt *a)
{
	for (size_t i = 0; i < a->n; i++) {
		a->shares[i]->state = RECIPIENT_LATER;
		a->shares[i]->is_put_off = true;
		round_tell_followers(a->round, a->shares[i]);
	}
}

static void defer_as_down(struct attempt *a, struct share **shares, size_t n,
			  const struct reply *why)
{
	defer(shares, n,
	      own_reply(a->round->arena, why->code < 500 ? why->code : 451,
			why->status[0] == '4' ? why->status : "4.4.1", "%.*s",
			STR(why->text)));
	tell(a, shares, n);
}

static void wait_for_room(struct attempt *a)
{
	int64_t failed_ms;
	const struct reply *why =
		hop_failure(a->round->deliver, a->key, &failed_ms);

	if (why && is_late(a, failed_ms))
		defer_as_down(a, a->shares, a->n, why);
	else
		put_off(a);
}

/* ---- all of a round's ---- */

static void link_in(struct attempt *a)
{
	struct round *round = a->round;

	a->prev = NULL;
	a->next = round->attempts;
	if (a->next)
		a->next->prev = a;
	round->attempts = a;
	for (size_t i = 0; i < a->n; i++)
		a->shares[i]->is_under_way = true;
	round->running++;
	round->deliver->attempts++;
}

static void attempt_start(struct attempt *a)
{
	struct round *round = a->round;

	a->is_ordered = round->is_retry && is_ordered(a);
	a->fiber = fiber_start("attempt", attempt_main, a);
	if (!a->fiber) {
		defer(a->shares, a->n,
		      own_reply(round->arena, 451, "4.3.2", "%s", cause()));
		tell(a, a->shares, a->n);
		return;
	}
	link_in(a);
	if (round->is_retry)
		hop_retry_begins(round->deliver, a->key);
}

void attempts_start(struct round *round)
{
	struct attempt *all = NULL, *a, *next;

	for (size_t i = 0; i < round->n; i++)
		if (round->shares[i]->state == RECIPIENT_WAITING &&
		    !round->shares[i]->follows)
			add_share(attempt_for(round, &all, round->shares[i]),
				  round->shares[i]);
	HASH_ITER (hh, all, a, next) {
		HASH_DEL(all, a);
		if (has_no_room(a))
			wait_for_room(a);
		else
			attempt_start(a);
	}
}
