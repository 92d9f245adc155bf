/*
 * Asking the engine, and what it said (figures.h).
 */
#include "console/figures.h"

#include <pthread.h>
#include <stdlib.h>

#include "console/parking.h"
#include "control/control.h"
#include "rt/clock.h"
#include "show/troubles.h"

enum {
	ANSWER_MS = 5000, /* a busy machine is no trouble of ours */
	FRESH_MS = 1000,
	MINUTE = 13, /* remembered; one every 5 seconds */
	A_MINUTE_MS = 60000,
	ABOUT_A_MINUTE_MS = 55000, /* at least, */
	OVER_A_MINUTE_MS = 75000,  /* at most: after a beat that was late */
};

static struct {
	pthread_mutex_t lock;
	struct figures *latest;
	struct figures *nothing;        /* of an engine that has just started */
	struct figures *minute[MINUTE]; /* the oldest first */
	size_t n;
	struct request *waiting; /* for the next answer */
	struct buf said;         /* the last answer; the loop's own */
	uint64_t version;
	bool stopping;
	void (*wake)(void);
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- lending ---- */

static struct figures *figures_new(void)
{
	struct arena *arena = arena_open();
	struct figures *f = arena_new(arena, struct figures);

	f->arena = arena;
	f->holders = 1;
	f->heard_ms = now_ms();
	f->since_wall_ms = wall_ms();
	return f;
}

/* Under the lock. */
static void release(struct figures *f)
{
	if (!f || --f->holders > 0)
		return;
	json_decref(f->trouble);
	json_decref(f->certificates);
	json_decref(f->filters);
	arena_close(f->arena);
}

static struct figures *hold(struct figures *f)
{
	if (f)
		f->holders++;
	return f;
}

const struct figures *figures_borrow(void)
{
	const struct figures *f;

	pthread_mutex_lock(&all.lock);
	f = hold(all.latest);
	pthread_mutex_unlock(&all.lock);
	return f;
}

static bool same_engine(const struct figures *a, const struct figures *b)
{
	return a->is_up && b->is_up && a->started_wall_ms == b->started_wall_ms;
}

/* Under the lock. The youngest that is old enough; NULL: there is none. */
static struct figures *a_minute_ago(void)
{
	for (size_t i = all.n; i > 0; i--) {
		struct figures *f = all.minute[i - 1];
		int64_t age_ms = all.latest->heard_ms - f->heard_ms;

		if (age_ms >= ABOUT_A_MINUTE_MS)
			return age_ms <= OVER_A_MINUTE_MS &&
					       same_engine(f, all.latest)
				       ? f
				       : NULL;
	}
	return NULL;
}

const struct figures *figures_borrow_before(void)
{
	const struct figures *f;

	pthread_mutex_lock(&all.lock);
	if (all.latest->is_up &&
	    wall_ms() - all.latest->started_wall_ms < A_MINUTE_MS)
		f = hold(all.nothing);
	else
		f = hold(a_minute_ago());
	pthread_mutex_unlock(&all.lock);
	return f;
}

const struct figures *figures_share(const struct figures *f)
{
	pthread_mutex_lock(&all.lock);
	hold((struct figures *)(uintptr_t)f);
	pthread_mutex_unlock(&all.lock);
	return f;
}

void figures_return(const struct figures *f)
{
	pthread_mutex_lock(&all.lock);
	release((struct figures *)(uintptr_t)f);
	pthread_mutex_unlock(&all.lock);
}

const struct hop_figures *figures_hop(const struct figures *f,
				      enum next_hop_kind kind, struct str name)
{
	for (size_t i = 0; i < f->n_hops; i++)
		if (f->hops[i].next_hop.kind == kind &&
		    str_same(f->hops[i].next_hop.name, name))
			return &f->hops[i];
	return NULL;
}

void figures_remember(void)
{
	pthread_mutex_lock(&all.lock);
	if (all.n == MINUTE) {
		release(all.minute[0]);
		memmove(all.minute, all.minute + 1,
			(MINUTE - 1) * sizeof(all.minute[0]));
		all.n--;
	}
	all.minute[all.n++] = hold(all.latest);
	pthread_mutex_unlock(&all.lock);
}

/* ---- reading the answer ---- */

static struct str text(const struct figures *f, json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return arena_str(f->arena, str_of(value ? value : ""));
}

static uint64_t number(json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static struct next_hop read_next_hop(struct figures *f, json_t *o)
{
	struct next_hop h = { .name = text(f, o, "name") };

	if (!next_hop_kind_of(text(f, o, "next_hop"), &h.kind))
		h.kind = NEXT_HOP_UNDECIDED;
	return h;
}

static void read_hops(struct figures *f, json_t *list)
{
	json_t *o;
	size_t i;

	f->hops = arena_array(f->arena, struct hop_figures,
			      json_array_size(list) + 1);
	json_array_foreach(list, i, o) f->hops[f->n_hops++] =
		(struct hop_figures){
			read_next_hop(f, o),      text(f, o, "hosts"),
			text(f, o, "state"),      text(f, o, "since"),
			text(f, o, "problem"),    number(o, "delivered"),
			number(o, "deferred"),    number(o, "refused"),
			number(o, "connections"), number(o, "idle"),
		};
}

static void read_domains(struct figures *f, json_t *list)
{
	json_t *o;
	size_t i;

	f->domains = arena_array(f->arena, struct domain_figures,
				 json_array_size(list) + 1);
	json_array_foreach(list, i, o) f->domains[f->n_domains++] =
		(struct domain_figures){
			text(f, o, "name"),
			{ number(o, "handed_over"), number(o, "kept"),
			  number(o, "refused") },
		};
}

static void read_counters(struct figures *f, json_t *counters)
{
	for (int c = 0; c < COUNTER_COUNT; c++)
		f->counters[c] =
			number(counters, counter_name((enum counter)c));
	f->traffic[HANDED_OVER] = f->counters[COUNT_RECIPIENTS_HANDED_OVER];
	f->traffic[KEPT] = f->counters[COUNT_RECIPIENTS_KEPT];
	f->traffic[REFUSED] = f->counters[COUNT_RECIPIENTS_REFUSED] +
			      f->counters[COUNT_RECIPIENTS_REFUSED_LATE];
}

static void read_sessions(struct figures *f, json_t *list)
{
	json_t *o;
	size_t i;

	f->by_service = arena_array(f->arena, struct session_figures,
				    json_array_size(list) + 1);
	json_array_foreach(list, i, o)
	{
		f->by_service[f->n_services++] = (struct session_figures){
			text(f, o, "service"),
			json_is_true(json_object_get(o, "tls")),
			number(o, "sessions"),
		};
	}
}

static void read_histogram(struct histogram_value *to, json_t *o)
{
	json_t *buckets = json_object_get(o, "n");

	to->sum_ms = number(o, "sum_ms");
	for (size_t i = 0; i < array_size(to->n); i++)
		to->n[i] = (uint64_t)json_integer_value(
			json_array_get(buckets, i));
}

static struct figures *read_answer(const struct buf *answer)
{
	struct figures *f = figures_new();
	json_t *all_of_it =
		json_loadb(answer->p, answer->n, JSON_REJECT_DUPLICATES, NULL);

	f->started_wall_ms = (int64_t)number(all_of_it, "started_ms");
	f->certificate_ends_ms =
		(int64_t)number(all_of_it, "certificate_ends_ms");
	f->is_up = f->started_wall_ms > 0;
	f->sessions = number(all_of_it, "sessions");
	read_sessions(f, json_object_get(all_of_it, "sessions_by"));
	for (int h = 0; h < HISTOGRAM_COUNT; h++)
		read_histogram(&f->histograms[h],
			       json_object_get(
				       json_object_get(all_of_it, "histograms"),
				       histogram_name((enum histogram)h)));
	read_counters(f, json_object_get(all_of_it, "counters"));
	read_hops(f, json_object_get(all_of_it, "systems"));
	f->hops_left_out = number(all_of_it, "systems_left_out");
	read_domains(f, json_object_get(all_of_it, "domains"));
	f->certificate_ends = text(f, all_of_it, "certificate_ends");
	f->certificates =
		json_incref(json_object_get(all_of_it, "certificates"));
	f->trouble = json_incref(json_object_get(all_of_it, "trouble"));
	f->filters = json_incref(json_object_get(all_of_it, "filters"));
	json_decref(all_of_it);
	return f;
}

/* ---- trouble ---- */

json_t *figures_trouble(const struct figures *f, bool with_detail)
{
	json_t *list = f->trouble ? json_deep_copy(f->trouble) : json_array();
	json_t *one;
	size_t i;

	check(list);
	if (!f->is_up)
		json_array_append_new(list, trouble_json(TROUBLE_engine_down,
							 VALUES(), STR_NONE));
	json_array_foreach(list, i, one) if (!with_detail)
		json_object_del(one, "detail");
	return list;
}

/* ---- asking ---- */

/* F is the latest now; whoever waited for it goes on. */
static void publish(struct figures *f)
{
	struct request *r, *next;

	pthread_mutex_lock(&all.lock);
	if (all.latest->is_up == f->is_up)
		f->since_wall_ms = all.latest->since_wall_ms;
	release(all.latest);
	all.latest = f;
	for (r = all.waiting; r; r = next) {
		next = r->next_waiting;
		request_resume(r);
	}
	all.waiting = NULL;
	pthread_mutex_unlock(&all.lock);
}

void figures_ask(const char *data)
{
	struct buf answer scoped(buf) = BUF_EMPTY;
	struct arena *arena scoped(arena) = arena_open();
	const char *path = arena_printf(arena, "%s/%s", data, CONTROL_SOCKET);
	struct figures *f;

	if (control_ask(path, S("status"), after_ms(ANSWER_MS), &answer))
		f = read_answer(&answer);
	else
		f = figures_new();
	if (!f->is_up)
		buf_clear(&answer);
	if (!str_same(buf_str(&answer), buf_str(&all.said)))
		all.version++;
	buf_clear(&all.said);
	buf_add(&all.said, buf_str(&answer));
	f->version = all.version;
	publish(f);
}

bool figures_wait(struct request *r)
{
	bool has_to;

	pthread_mutex_lock(&all.lock);
	has_to = !all.stopping && !r->has_waited &&
		 (!all.latest->is_up ||
		  now_ms() - all.latest->heard_ms > FRESH_MS);
	if (has_to) {
		r->has_waited = true;
		r->next_waiting = all.waiting;
		all.waiting = r;
		request_park(r);
		all.wake();
	}
	pthread_mutex_unlock(&all.lock);
	return has_to;
}

/* ---- all of it ---- */

void figures_open(void (*wake)(void))
{
	all.stopping = false;
	all.wake = wake;
	all.latest = figures_new();
	all.latest->heard_ms -= 2 * FRESH_MS; /* nothing was heard yet */
	all.nothing = figures_new();
}

void figures_stop(void)
{
	struct request *r, *next;

	pthread_mutex_lock(&all.lock);
	all.stopping = true;
	for (r = all.waiting; r; r = next) {
		next = r->next_waiting;
		request_resume(r);
	}
	all.waiting = NULL;
	pthread_mutex_unlock(&all.lock);
}

void figures_close(void)
{
	while (all.n > 0)
		figures_return(all.minute[--all.n]);
	figures_return(all.latest);
	figures_return(all.nothing);
	all.latest = all.nothing = NULL;
	buf_free(&all.said);
}
