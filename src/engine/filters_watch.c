/*
 * Filters that cannot be asked (filters_watch.h).
 *
 * Each round has a list of its own, in an arena of its own.  A fiber that asks
 * writes into the list, so nobody begins a round before all have ended.
 */
#include "engine/filters_watch.h"

#include <stdlib.h>

#include "base/limits.h"
#include "directory/directory.h"
#include "directory/lists.h"
#include "filter/filter.h"
#include "rt/ledger.h"
#include "rt/log.h"
#include "rt/worker.h"
#include "show/troubles.h"

enum { MET_MS = 300000 }; /* so long a mail that met it silent is spoken of */

struct watched {
	struct filters_watch *of;
	struct filter filter;
	struct fiber *asks; /* NULL: it has ended */
	bool is_silent;     /* to us; why: */
	struct failure why;
	uint64_t n_met; /* mails that met it down, by the last look */
	int64_t met_ms; /* the last one, about; 0: none, or it is over */
	struct str met; /* what that one met */
	bool is_said;
};

struct filters_watch {
	struct filters_watch_of of;
	struct arena *arena; /* the round's */
	struct watched *list;
	size_t n, asking;
	struct gate answered;
};

struct filters_watch *filters_watch_open(const struct filters_watch_of *of)
{
	struct filters_watch *w = must_alloc(sizeof(*w));

	*w = (struct filters_watch){ .of = *of, .arena = arena_open() };
	return w;
}

void filters_watch_close(struct filters_watch *w)
{
	if (!w)
		return;
	arena_close(w->arena);
	free(w);
}

static bool is_down(const struct watched *one)
{
	return one->is_silent || one->met_ms;
}

static struct str why(const struct watched *one)
{
	return one->is_silent ? str_of(one->why.sentence) : one->met;
}

/* ---- a round's list ---- */

struct round {
	struct filters_watch *w;
	struct arena *arena;
	struct watched *list;
	size_t n;
};

static void note(void *arg, const struct filter *f)
{
	struct round *r = arg;

	if (!f->enabled || r->n == FILTERS_MOST)
		return;
	r->list[r->n++] = (struct watched){
		.of = r->w,
		.filter = { .name = arena_str(r->arena, f->name),
			    .socket = arena_str(r->arena, f->socket),
			    .listeners = arena_str(r->arena, f->listeners),
			    .direction = f->direction,
			    .when_down = f->when_down,
			    .step_s = f->step_s },
	};
}

static bool read_now(void *arg)
{
	struct round *r = arg;
	struct directory *d =
		directory_open_wary(r->w->of.directory, r->w->of.damage);
	bool is_read = d && list_filters(d, S(""), note, r);

	directory_close(d);
	return is_read;
}

/* What was known of it, if it is still the same. */
static void remember(struct watched *one, const struct filters_watch *w,
		     struct arena *arena)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct watched *old = &w->list[i];

		if (!str_same(old->filter.name, one->filter.name))
			continue;
		one->n_met = old->n_met;
		one->is_said = old->is_said;
		if (!str_same(old->filter.socket, one->filter.socket))
			continue;
		one->met_ms = old->met_ms;
		one->met = arena_str(arena, old->met);
	}
}

static void look_at_mails(struct watched *one, const struct ledger_row *row,
			  struct arena *arena)
{
	if (row->n[FILTER_FIGURE_DOWN] != one->n_met) {
		one->n_met = row->n[FILTER_FIGURE_DOWN];
		one->met_ms = now_ms();
		one->met = arena_str(arena, row->note);
	}
	if (row->state != FILTER_STATE_SILENT ||
	    now_ms() >= one->met_ms + MET_MS)
		one->met_ms = 0;
}

static void look_at_figures(struct round *r)
{
	struct arena *arena scoped(arena) = arena_open();
	size_t n;
	const struct ledger_row *rows =
		ledger_copy(r->w->of.figures, arena, &n);

	for (size_t i = 0; i < r->n; i++)
		for (size_t row = 0; row < n; row++)
			if (str_same(rows[row].name, r->list[i].filter.name))
				look_at_mails(&r->list[i], &rows[row],
					      r->arena);
}

/* A directory that cannot be read is another trouble. */
static bool waits begin(struct filters_watch *w)
{
	struct round r = { .w = w, .arena = arena_open() };

	r.list = arena_array(r.arena, struct watched, FILTERS_MOST);
	if (!offload(read_now, &r)) {
		arena_close(r.arena);
		return false;
	}
	for (size_t i = 0; i < r.n; i++)
		remember(&r.list[i], w, r.arena);
	look_at_figures(&r);
	arena_close(w->arena);
	w->arena = r.arena;
	w->list = r.list;
	w->n = r.n;
	return true;
}

/* ---- each is asked ---- */

static void waits ask_one(void *watched)
{
	struct watched *one = watched;
	int64_t step_ms = (int64_t)one->filter.step_s * 1000;
	int64_t wait_ms = step_ms < LIMIT_FILTER_CONNECT_MS
				  ? step_ms
				  : LIMIT_FILTER_CONNECT_MS;

	one->is_silent = !filter_answers(one->of->of.dns, one->filter.socket,
					 after_ms(wait_ms));
	if (one->is_silent)
		failure_save(&one->why);
	one->asks = NULL;
	one->of->asking--;
	gate_open(&one->of->answered);
}

static void waits ask_all(struct filters_watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		w->list[i].asks = fiber_start("knock", ask_one, &w->list[i]);
		if (w->list[i].asks)
			w->asking++;
	}
	while (w->asking > 0 &&
	       gate_wait(&w->answered, NEVER) != WAIT_CANCELLED)
		continue;
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].asks)
			fiber_cancel(w->list[i].asks);
}

/* ---- what is said ---- */

static enum trouble trouble_of(const struct filter *f)
{
	switch (f->when_down) {
	case FILTER_DOWN_ACCEPT:
		return TROUBLE_filter_passed_by;
	case FILTER_DOWN_HOLD:
		return TROUBLE_filter_holds;
	case FILTER_DOWN_LATER:
		break;
	}
	return f->direction != FILTER_OUT && f->listeners.n == 0
		       ? TROUBLE_filter_stops
		       : TROUBLE_filter_puts_off;
}

static void say(struct watched *one)
{
	struct arena *arena scoped(arena) = arena_open();

	if (is_down(one) && !one->is_said)
		log_error("milter", "The filter %.*s does not answer: %s",
			  STR(one->filter.name),
			  log_safe(arena, why(one), FAIL_SENTENCE_BYTES));
	else if (!is_down(one) && one->is_said)
		log_fact("milter", "The filter %.*s answers again.",
			 STR(one->filter.name));
	one->is_said = is_down(one);
}

void filters_watch_ask(struct filters_watch *w)
{
	if (w->asking > 0 || !begin(w))
		return;
	ask_all(w);
	if (w->asking > 0)
		return;
	for (size_t i = 0; i < w->n; i++)
		say(&w->list[i]);
}

static void add_each(const struct filters_watch *w, enum trouble t,
		     json_t *list)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_down(&w->list[i]) && trouble_of(&w->list[i].filter) == t)
			json_array_append_new(
				list,
				trouble_json(t,
					     VALUES(V("filter",
						      w->list[i].filter.name)),
					     why(&w->list[i])));
}

void filters_watch_troubles(const struct filters_watch *w, json_t *list)
{
	static const enum trouble worst_first[] = {
		TROUBLE_filter_stops,
		TROUBLE_filter_puts_off,
		TROUBLE_filter_holds,
		TROUBLE_filter_passed_by,
	};

	for (size_t i = 0; i < array_size(worst_first); i++)
		add_each(w, worst_first[i], list);
}
