/*
 * Rings of points (history.h): one for all domains, one for each domain that
 * ever had something to say, while there is room.  Who has no ring had nothing
 * to say, unless somebody found no room: then that is not known.
 *
 * All rings have the same places; which of them is the latest, and how many
 * hold something, is said once.
 */
#include "console/history.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "directory/lists.h"
#include "queue/tools.h"

enum {
	POINTS = 3600 / HISTORY_STEP_S,
	WAITING = TRAFFIC,
	LINES,
	STEP_MS = HISTORY_STEP_S * 1000,
	LATE = 60 / HISTORY_STEP_S, /* so many steps at once are one word */
};

#define UNKNOWN UINT32_MAX

struct ring {
	UT_hash_handle hh;
	int64_t domain; /* 0: all */
	bool is_ours;   /* while names are compared */
	uint32_t at[LINES][POINTS];
};

/* A name of a domain of ours. */
struct name {
	UT_hash_handle hh;
	int64_t domain;
	size_t n;
	char c[];
};

static struct {
	pthread_mutex_t lock;
	struct ring *rings;
	int64_t step, wall_ms;    /* of the latest point */
	int64_t covered;          /* steps that the latest word is about */
	size_t n;                 /* points that were noted, up to POINTS */
	bool had_no_room[POINTS]; /* somebody who had something to say */
	/* Its writer's own: */
	struct name *names;
	bool names_are_new; /* since rings were compared with them */
	uint64_t directory_version;
	const struct figures *last; /* the last of an engine that was up */
	int64_t began_wall_ms;      /* at the first point */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t step_now(void)
{
	return now_us() / 1000 / STEP_MS;
}

int64_t history_due_ms(void)
{
	return all.n == 0 ? 0 : (all.step + 1) * STEP_MS;
}

/* ---- names ---- */

static void forget_names(void)
{
	struct name *n, *next;

	HASH_ITER (hh, all.names, n, next) {
		HASH_DEL(all.names, n);
		free(n);
	}
}

static void add_name(void *unused, struct str text, int64_t domain)
{
	struct name *n = must_alloc(sizeof(*n) + text.n);

	(void)unused;
	*n = (struct name){ .domain = domain, .n = text.n };
	memcpy(n->c, text.p, text.n);
	HASH_ADD_KEYPTR(hh, all.names, n->c, n->n, n);
}

static bool read_names(struct directory *d)
{
	uint64_t version = directory_version(d);

	if (version != 0 && version == all.directory_version)
		return true;
	forget_names();
	all.directory_version = 0;
	if (!list_domain_names(d, add_name, NULL))
		return false;
	all.directory_version = version;
	all.names_are_new = true;
	return true;
}

/* 0: none of ours. */
static int64_t domain_of(struct str text)
{
	struct name *n;

	HASH_FIND(hh, all.names, text.p, text.n, n);
	return n ? n->domain : 0;
}

/* ---- rings ---- */

static struct ring *find(int64_t domain)
{
	struct ring *r;

	HASH_FIND(hh, all.rings, &domain, sizeof(domain), r);
	return r;
}

static void clear_point(struct ring *r, size_t i, uint32_t value)
{
	for (int line = 0; line < LINES; line++)
		r->at[line][i] = value;
}

/* What a domain without a ring had to say. */
static uint32_t without_ring(size_t at)
{
	return all.had_no_room[at] ? UNKNOWN : 0;
}

static void no_room(void)
{
	for (int64_t i = 0; i < all.covered; i++)
		all.had_no_room[(all.step - i) % POINTS] = true;
}

/* NULL: too many have one. */
static struct ring *find_or_add(int64_t domain)
{
	struct ring *r = find(domain);

	if (r)
		return r;
	if (HASH_COUNT(all.rings) >= LIMIT_CONSOLE_HISTORIES) {
		no_room();
		return NULL;
	}
	r = must_alloc(sizeof(*r));
	memset(r, 0, sizeof(*r));
	r->domain = domain;
	for (size_t i = 0; i < POINTS; i++)
		clear_point(r, i, without_ring(i));
	HASH_ADD(hh, all.rings, domain, sizeof(r->domain), r);
	return r;
}

/* A domain that is gone makes room for another. */
static void drop_rings_of_nobody(void)
{
	struct ring *r, *next;

	if (!all.names_are_new)
		return;
	all.names_are_new = false;
	for (const struct name *n = all.names; n; n = n->hh.next) {
		r = find(n->domain);
		if (r)
			r->is_ours = true;
	}
	HASH_ITER (hh, all.rings, r, next) {
		if (!r->is_ours && r->domain != 0) {
			HASH_DEL(all.rings, r);
			free(r);
			continue;
		}
		r->is_ours = false;
	}
}

static void add_at(struct ring *r, int line, int64_t step, uint64_t n)
{
	uint32_t *at = &r->at[line][step % POINTS];

	if (*at != UNKNOWN)
		*at = *at + n < UNKNOWN ? (uint32_t)(*at + n) : UNKNOWN - 1;
}

/* What waits now has waited since the last word. */
static void add_waiting(int64_t domain, uint64_t n)
{
	struct ring *r = n > 0 ? find_or_add(domain) : NULL;

	for (int64_t i = 0; r && i < all.covered; i++)
		add_at(r, WAITING, all.step - i, n);
}

/* What went through since the last word is spread over the steps. */
static void add_traffic(int64_t domain, int line, uint64_t n)
{
	struct ring *r = n > 0 ? find_or_add(domain) : NULL;
	uint64_t steps = (uint64_t)all.covered;

	for (uint64_t i = 0; r && i < steps; i++)
		add_at(r, line, all.step - (int64_t)i,
		       n / steps + (i < n % steps));
}

/* What all rings say of the latest N points. */
static void fill_points(int64_t n, uint32_t waiting, uint32_t traffic)
{
	struct ring *r, *next;

	HASH_ITER (hh, all.rings, r, next)
		for (int64_t i = 0; i < n; i++) {
			size_t at = (size_t)((all.step - i) % POINTS);

			clear_point(r, at, traffic);
			r->at[WAITING][at] = waiting;
		}
}

/* N more points, the latest of them STEP; nothing is known of any yet. */
static void add_points(int64_t step, int64_t n)
{
	all.step = step;
	all.wall_ms = wall_ms();
	for (int64_t i = 0; i < n; i++)
		all.had_no_room[(step - i) % POINTS] = false;
	find_or_add(0);
	fill_points(n, UNKNOWN, UNKNOWN);
	all.n = all.n + (size_t)n < POINTS ? all.n + (size_t)n : POINTS;
}

/* A word is about to be said, of all points since the one before: a beat may be
 * late.  After a long silence it is of the latest only, and what went through
 * until then is not known. */
static void begin_word(bool knows_waiting, bool knows_traffic)
{
	int64_t step = step_now(), gap = all.n ? step - all.step : 1;
	bool was_silent = gap > LATE;

	add_points(step, gap < POINTS ? gap : POINTS);
	all.covered = was_silent ? 1 : gap;
	fill_points(all.covered, knows_waiting ? 0 : UNKNOWN,
		    knows_traffic && !was_silent ? 0 : UNKNOWN);
}

/* ---- noting ---- */

/* What waits, by domain: asked before the rings are locked. */
struct waiting {
	struct waiting *next;
	int64_t domain; /* 0: none of ours */
	uint64_t recipients;
};

struct waiting_list {
	struct arena *arena;
	struct waiting *first;
};

static void take_waiting(void *arg, struct str name, uint64_t recipients)
{
	struct waiting_list *l = arg;
	struct waiting *w = arena_new(l->arena, struct waiting);

	*w = (struct waiting){ l->first, domain_of(name), recipients };
	l->first = w;
}

static void note_waiting(const struct waiting_list *l)
{
	for (const struct waiting *w = l->first; w; w = w->next) {
		add_waiting(0, w->recipients);
		if (w->domain)
			add_waiting(w->domain, w->recipients);
	}
}

/* What an engine counted before it was started again is not in LAST. */
static uint64_t growth(uint64_t now, uint64_t before, bool is_same)
{
	return !is_same ? now : now > before ? now - before : 0;
}

/* An engine says its domains in the same order each time. */
static void note_domain(const struct figures *now, const struct figures *last,
			size_t i, bool is_same)
{
	static const struct domain_figures nothing;
	const struct domain_figures *d = &now->domains[i];
	const struct domain_figures *before =
		i < last->n_domains && is_same ? &last->domains[i] : &nothing;
	int64_t domain = domain_of(d->name);

	for (int line = 0; domain && line < TRAFFIC; line++)
		add_traffic(domain, line,
			    growth(d->n[line], before->n[line], is_same));
}

static void note_traffic(const struct figures *now)
{
	const struct figures *last = all.last ? all.last : now;
	bool is_same =
		all.last && now->started_wall_ms == last->started_wall_ms;

	for (int line = 0; line < TRAFFIC; line++)
		add_traffic(0, line,
			    growth(now->traffic[line], last->traffic[line],
				   is_same));
	for (size_t i = 0; i < now->n_domains; i++)
		note_domain(now, last, i, is_same);
}

/* Of an engine that ran before we did, the first word says nothing. */
static bool knows_growth(const struct figures *now)
{
	if (!all.began_wall_ms)
		all.began_wall_ms = wall_ms();
	return now->is_up &&
	       (all.last || now->started_wall_ms > all.began_wall_ms - STEP_MS);
}

bool history_note(struct directory *d, struct tools *queue,
		  const struct figures *now)
{
	struct arena *arena scoped(arena) = arena_open();
	struct waiting_list waiting = { arena, NULL };
	bool is_known = knows_growth(now);
	bool ok = read_names(d) && tools_domains(queue, take_waiting, &waiting);

	pthread_mutex_lock(&all.lock);
	drop_rings_of_nobody();
	begin_word(ok, ok && is_known);
	note_waiting(&waiting);
	if (ok && is_known)
		note_traffic(now);
	pthread_mutex_unlock(&all.lock);
	if (now->is_up) {
		figures_return(all.last);
		all.last = figures_share(now);
	}
	return ok;
}

/* ---- showing ---- */

/* What is not known of all is not known of a domain without a ring, either. */
static json_t *line_json(const struct ring *r, const struct ring *of_all,
			 int line)
{
	json_t *list = json_array();

	for (size_t i = 0; of_all && i < all.n; i++) {
		int64_t step = all.step - (int64_t)(all.n - 1 - i);
		size_t at = (size_t)(step % POINTS);
		uint32_t n = r ? r->at[line][at] : without_ring(at);

		if (of_all->at[line][at] == UNKNOWN)
			n = UNKNOWN;
		json_array_append_new(
			list, n == UNKNOWN ? json_null() : json_integer(n));
	}
	return list;
}

json_t *history_json(int64_t domain)
{
	const struct ring *r, *of_all;
	json_t *o;

	pthread_mutex_lock(&all.lock);
	r = find(domain);
	of_all = find(0);
	o = json_pack("{s:i,s:o,s:o,s:o,s:o,s:o}", "step_seconds",
		      HISTORY_STEP_S, "end",
		      all.n ? json_time(all.wall_ms) : json_null(), "waiting",
		      line_json(r, of_all, WAITING), "handed_over",
		      line_json(r, of_all, HANDED_OVER), "kept",
		      line_json(r, of_all, KEPT), "refused",
		      line_json(r, of_all, REFUSED));
	pthread_mutex_unlock(&all.lock);
	return o;
}

void history_close(void)
{
	struct ring *r, *next;

	HASH_ITER (hh, all.rings, r, next) {
		HASH_DEL(all.rings, r);
		free(r);
	}
	forget_names();
	figures_return(all.last);
	all.last = NULL;
	all.n = 0;
	all.began_wall_ms = 0;
	all.directory_version = 0;
	memset(all.had_no_room, 0, sizeof(all.had_no_room));
}
