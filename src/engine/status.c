/* The engine's figures as JSON (status.h). */
#include "engine/status.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "deliver/deliver.h"
#include "deliver/destinations.h"
#include "directory/lists.h"
#include "queue/queue.h"
#include "queue/tools.h"
#include "rt/clock.h"
#include "rt/counter.h"
#include "rt/histogram.h"
#include "rt/ledger.h"
#include "show/troubles.h"
#include "show/values.h"

static json_t *counters_json(void)
{
	json_t *all = json_object();

	for (int c = 0; c < COUNTER_COUNT; c++)
		json_object_set_new(all, counter_name((enum counter)c),
				    json_integer((json_int_t)counter_value(
					    (enum counter)c)));
	return all;
}

static json_t *histograms_json(void)
{
	json_t *all = json_object();

	for (int h = 0; h < HISTOGRAM_COUNT; h++) {
		struct histogram_value v;
		json_t *n = json_array();

		histogram_read((enum histogram)h, &v);
		for (size_t i = 0; i < array_size(v.n); i++)
			json_array_append_new(n,
					      json_integer((json_int_t)v.n[i]));
		json_object_set_new(all, histogram_name((enum histogram)h),
				    json_pack("{s:o,s:I}", "n", n, "sum_ms",
					      (json_int_t)v.sum_ms));
	}
	return all;
}

static void add_sessions(json_t *list, enum smtp_kind kind, bool is_tls,
			 unsigned n)
{
	json_array_append_new(
		list,
		json_pack("{s:s,s:b,s:I}", "service", smtp_kind_word(kind),
			  "tls", is_tls, "sessions", (json_int_t)n));
}

static json_t *sessions_json(const struct smtp_sessions *s)
{
	json_t *list = json_array();

	for (int kind = 0; kind < SMTP_KINDS; kind++) {
		add_sessions(list, (enum smtp_kind)kind, false, s->clear[kind]);
		add_sessions(list, (enum smtp_kind)kind, true, s->tls[kind]);
	}
	return list;
}

/* ---- systems ---- */

/* What is known of a next hop beside the ledger. */
struct hop {
	UT_hash_handle hh;
	struct str name; /* its row's */
	struct str hosts;
	json_int_t in_use, idle;
};

struct hops {
	struct arena *arena;
	struct hop *by_name;
};

static struct hop *find(const struct hops *h, struct str name)
{
	struct hop *found;

	HASH_FIND(hh, h->by_name, name.p, name.n, found);
	return found;
}

static struct hop *find_or_add(struct hops *h, struct str name)
{
	struct hop *p = find(h, name);

	if (p)
		return p;
	p = arena_new(h->arena, struct hop);
	p->name = name;
	HASH_ADD_KEYPTR(hh, h->by_name, p->name.p, p->name.n, p);
	return p;
}

static void learn_connections(struct hops *h, const struct status *s)
{
	for (size_t i = 0; i < s->n_connections; i++) {
		struct hop *p = find_or_add(h, s->connections[i].name);

		p->in_use += s->connections[i].in_use;
		p->idle += s->connections[i].idle;
	}
}

static void learn_host(void *arg, const struct system *e)
{
	struct hops *h = arg;

	find_or_add(h, system_key(e, h->arena))->hosts =
		arena_str(h->arena, e->hosts);
}

/* The directory is asked once for all named systems; the name of a relay is its
 * hosts. */
static void learn_hosts(struct hops *h, const struct status *s)
{
	struct directory *d =
		s->directory ? directory_open(s->directory) : NULL;
	bool is_known = d && list_systems(d, STR_NONE, learn_host, h);

	(void)is_known; /* else the names have to do */
	directory_close(d);
}

static const char *state_word(int state)
{
	switch ((enum system_state)state) {
	case SYSTEM_UP:
		return "up";
	case SYSTEM_DOWN:
		return "down";
	case SYSTEM_UNTRIED:
		break;
	}
	return "unknown";
}

static json_t *system_json(const struct ledger_row *row, const struct hop *hop)
{
	static const struct hop nothing;
	struct next_hop next;

	if (!hop)
		hop = &nothing;
	check(next_hop_parse(row->name, &next));
	return json_pack(
		"{s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:I}", "kind",
		show_hop_kind(&next), "next_hop", next_hop_word(next.kind),
		"name", json_text(next.name), "hosts",
		json_text(str_empty(hop->hosts) ? next.name : hop->hosts),
		"state", state_word(row->state), "since",
		json_time_or_null(row->since_ms), "problem",
		json_text(row->note), "delivered",
		(json_int_t)row->n[SYSTEM_DELIVERED], "deferred",
		(json_int_t)row->n[SYSTEM_DEFERRED], "refused",
		(json_int_t)row->n[SYSTEM_REFUSED], "connections", hop->in_use,
		"idle", hop->idle);
}

static int latest_first(const void *a, const void *b)
{
	uint64_t one = ((const struct ledger_row *)a)->used;
	uint64_t two = ((const struct ledger_row *)b)->used;

	return (one < two) - (one > two);
}

/* As many as there is room for. */
static json_t *systems_json(const struct status *s, struct hops *hops,
			    size_t *left_out)
{
	json_t *list = json_array();
	size_t n, bytes = 0;
	struct ledger_row *rows = ledger_copy(s->systems, hops->arena, &n);

	qsort(rows, n, sizeof(*rows), latest_first);
	for (size_t i = 0; i < n; i++) {
		json_t *one = system_json(&rows[i], find(hops, rows[i].name));

		bytes += json_dumpb(one, NULL, 0, JSON_COMPACT) + 1;
		if (bytes > LIMIT_CONTROL_SYSTEMS_BYTES) {
			json_decref(one);
			break;
		}
		json_array_append_new(list, one);
	}
	*left_out = n - json_array_size(list);
	return list;
}

/* ---- trouble ---- */

static void add_down(json_t *list, const struct ledger_row *row)
{
	struct date_text since = date_iso(row->since_ms);
	struct next_hop next;

	check(next_hop_parse(row->name, &next));
	json_array_append_new(
		list,
		next.kind == NEXT_HOP_MAILBOXES
			? trouble_json(TROUBLE_mailboxes_down,
				       VALUES(V("since", since.c)), row->note)
			: trouble_json(TROUBLE_system_down,
				       VALUES(V("system", next.name),
					      V("since", since.c)),
				       row->note));
}

/* Of a domain of the Internet nobody here can mend anything. */
static json_t *troubles_json(const struct status *s, struct arena *arena)
{
	json_t *list = s->troubles ? json_deep_copy(s->troubles) : json_array();
	size_t n, added = 0;
	struct ledger_row *rows = ledger_copy(s->systems, arena, &n);
	struct next_hop next;

	check(list);
	qsort(rows, n, sizeof(*rows), latest_first);
	for (size_t i = 0; i < n && added < LIMIT_CONTROL_TROUBLES; i++) {
		if (rows[i].state != SYSTEM_DOWN ||
		    !next_hop_parse(rows[i].name, &next) ||
		    next.kind == NEXT_HOP_INTERNET)
			continue;
		add_down(list, &rows[i]);
		added++;
	}
	return list;
}

/* ---- domains ---- */

static json_t *domain_json(const struct ledger_row *row)
{
	return json_pack("{s:o,s:I,s:I,s:I}", "name", json_text(row->name),
			 "handed_over", (json_int_t)row->n[TRAFFIC_HANDED_OVER],
			 "kept", (json_int_t)row->n[TRAFFIC_KEPT], "refused",
			 (json_int_t)row->n[TRAFFIC_REFUSED]);
}

static json_t *domains_json(const struct status *s, struct arena *arena)
{
	json_t *list = json_array();
	size_t n;
	struct ledger_row *rows = ledger_copy(s->traffic, arena, &n);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, domain_json(&rows[i]));
	return list;
}

/* ---- filters ---- */

static json_t *filters_json(const struct status *s, struct arena *arena)
{
	static const char *const figures[] = {
		[FILTER_FIGURE_PASSED] = "passed",
		[FILTER_FIGURE_REFUSED] = "refused",
		[FILTER_FIGURE_LATER] = "later",
		[FILTER_FIGURE_DISCARDED] = "discarded",
		[FILTER_FIGURE_HELD] = "held",
		[FILTER_FIGURE_DOWN] = "down",
		[FILTER_FIGURE_MS] = "ms",
	};
	json_t *list = json_array(), *one;
	size_t n;
	struct ledger_row *rows = ledger_copy(s->filters, arena, &n);

	for (size_t i = 0; i < n; i++) {
		one = json_pack("{s:o}", "name", json_text(rows[i].name));
		for (size_t f = 0; f < array_size(figures); f++)
			json_object_set_new(
				one, figures[f],
				json_integer((json_int_t)rows[i].n[f]));
		json_array_append_new(list, one);
	}
	return list;
}

/* ---- destinations ---- */

/* How many wait for each domain: asked once, for those that rest. */
struct loads {
	struct arena *arena;
	struct load {
		UT_hash_handle hh;
		struct str domain;
		uint64_t n;
	} * all;
};

static void add_load(void *loads, struct str domain, uint64_t n)
{
	struct loads *l = loads;
	struct load *one = arena_new(l->arena, struct load);

	one->domain = arena_str(l->arena, domain);
	one->n = n;
	HASH_ADD_KEYPTR(hh, l->all, one->domain.p, one->domain.n, one);
}

static uint64_t waiting_for(const struct loads *l,
			    const struct destination_note *d)
{
	struct load *one;
	uint64_t n = 0;

	for (size_t i = 0; i < d->n_domains; i++) {
		HASH_FIND(hh, l->all, d->domains[i].p, d->domains[i].n, one);
		n += one ? one->n : 0;
	}
	return n;
}

static json_t *destination_json(const struct loads *l,
				const struct destination_note *d,
				struct arena *arena)
{
	return json_pack(
		"{s:o,s:I,s:I,s:I,s:o,s:o}", "name", json_text(d->name),
		"waiting", (json_int_t)waiting_for(l, d), "mails",
		(json_int_t)d->in_use, "at_once", (json_int_t)d->at_once,
		"until", json_time_or_null(d->until_ms), "last_reply",
		json_text(reply_line(&d->reply, arena)));
}

static json_t *destinations_json(const struct status *s, struct arena *arena)
{
	struct loads loads = { .arena = arena };
	json_t *list = json_array();
	size_t n = 0;
	struct destination_note *notes =
		s->destinations ? destinations_list(s->destinations, arena, &n)
				: NULL;
	struct tools *t = NULL;
	bool is_known;

	for (size_t i = 0; i < n; i++)
		if (notes[i].rests && !t && s->data)
			t = tools_open(s->data);
	is_known = t && tools_domains(t, add_load, &loads);
	(void)is_known; /* else 0 */
	for (size_t i = 0;
	     i < n && json_array_size(list) < LIMIT_CONTROL_TROUBLES; i++)
		if (notes[i].rests)
			json_array_append_new(
				list,
				destination_json(&loads, &notes[i], arena));
	HASH_CLEAR(hh, loads.all);
	tools_close(t);
	return list;
}

/* ---- the queue ---- */

static void add_id(void *list, const char *id)
{
	json_array_append_new(list, json_string(id));
}

/* What cannot be asked is left out: the queue has its own words for it. */
static json_t *deadly_json(const struct status *s)
{
	json_t *list = json_array();
	struct tools *t = s->data ? tools_open(s->data) : NULL;
	bool is_whole =
		t && tools_deadly(t, LIMIT_CONTROL_DEADLY, add_id, list);

	(void)is_whole;
	tools_close(t);
	return list;
}

/* ---- all of it ---- */

void status_write(struct buf *to, const struct status *s)
{
	struct arena *arena scoped(arena) = arena_open();
	struct hops hops = { .arena = arena };
	json_t *systems, *all;
	size_t left_out;
	char *written;

	learn_connections(&hops, s);
	learn_hosts(&hops, s);
	systems = systems_json(s, &hops, &left_out);
	HASH_CLEAR(hh, hops.by_name);
	all = json_pack(
		"{s:s,s:o,s:I,s:I,s:o,s:s?,s:o,s:o,s:o,s:I,s:o,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:I}",
		"hostname", s->hostname, "started",
		json_time_or_null(s->started_wall_ms), "started_ms",
		(json_int_t)s->started_wall_ms, "sessions",
		(json_int_t)smtp_sessions_total(&s->sessions), "sessions_by",
		sessions_json(&s->sessions), "confined", s->confined,
		"counters", counters_json(), "histograms", histograms_json(),
		"systems", systems, "systems_left_out", (json_int_t)left_out,
		"certificate_ends", json_time_or_null(s->certificate_ends_ms),
		"certificate_ends_ms", (json_int_t)s->certificate_ends_ms,
		"certificates",
		s->certificates ? json_incref(s->certificates) : json_array(),
		"trouble", troubles_json(s, arena), "held_deadly",
		deadly_json(s), "domains", domains_json(s, arena), "filters",
		filters_json(s, arena), "destinations",
		destinations_json(s, arena), "orphans",
		(json_int_t)(s->queue ? queue_orphans(s->queue) : 0));
	written = json_dumps(all, JSON_COMPACT);
	check(written);
	buf_add(to, str_of(written));
	free(written);
	json_decref(all);
}
