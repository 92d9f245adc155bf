/* The engine's figures as JSON (status.h). */
#include "main/status.h"

#include <stdlib.h>

#include "deliver/deliver.h"
#include "rt/counter.h"
#include "rt/ledger.h"
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

/* ---- systems ---- */

struct listing {
	const struct status *status;
	json_t *list;
};

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

static void count_connections(const struct status *s, struct str row,
			      json_int_t *in_use, json_int_t *idle)
{
	*in_use = *idle = 0;
	for (size_t i = 0; i < s->n_connections; i++) {
		if (!str_same(s->connections[i].name, row))
			continue;
		*in_use += s->connections[i].in_use;
		*idle += s->connections[i].idle;
	}
}

static void add_system(void *arg, const struct ledger_row *row)
{
	struct listing *l = arg;
	struct str name = row->name, kind;
	json_int_t in_use, idle;

	str_split(&name, ' ', &kind);
	count_connections(l->status, row->name, &in_use, &idle);
	json_array_append_new(
		l->list,
		json_pack("{s:o,s:o,s:o,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:I}",
			  "kind", json_text(kind), "name", json_text(name), "hosts",
			  json_text(name), "state",
			  state_word(row->state), "since",
			  json_time_or_null(row->since_ms), "problem",
			  json_text(row->note), "delivered",
			  (json_int_t)row->n[SYSTEM_DELIVERED], "deferred",
			  (json_int_t)row->n[SYSTEM_DEFERRED], "refused",
			  (json_int_t)row->n[SYSTEM_REFUSED], "connections",
			  in_use, "idle", idle));
}

/* A relay is named by its hosts; for the others the directory is asked, now
 * that the ledger is not locked. */
static void set_hosts(const struct status *s, json_t *systems)
{
	struct arena *arena scoped(arena) = arena_open();
	struct system found;
	json_t *e;
	size_t i;

	json_array_foreach(systems, i, e) {
		struct str name = str_of(
			json_string_value(json_object_get(e, "name")));

		if (!str_empty(name) && s->directory &&
		    directory_system_named(s->directory, name, arena,
					   &found) == ANSWER_YES)
			json_object_set_new(e, "hosts", json_text(found.hosts));
	}
}

static void add_domain(void *arg, const struct ledger_row *row)
{
	struct listing *l = arg;

	json_array_append_new(
		l->list, json_pack("{s:o,s:I,s:I,s:I}", "name",
				   json_text(row->name), "handed_over",
				   (json_int_t)row->n[TRAFFIC_HANDED_OVER],
				   "kept", (json_int_t)row->n[TRAFFIC_KEPT],
				   "refused",
				   (json_int_t)row->n[TRAFFIC_REFUSED]));
}

static json_t *rows_json(const struct status *s, struct ledger *ledger,
			 void (*each)(void *arg, const struct ledger_row *row))
{
	struct listing l = { s, json_array() };

	ledger_list(ledger, each, &l);
	return l.list;
}

void status_write(struct buf *to, const struct status *s)
{
	json_t *systems = rows_json(s, s->systems, add_system);
	json_t *all = json_pack(
		"{s:s,s:o,s:I,s:I,s:o,s:o,s:o}", "hostname", s->hostname, "started",
		json_time_or_null(s->started_wall_ms), "started_ms",
		(json_int_t)s->started_wall_ms, "sessions",
		(json_int_t)s->sessions, "counters", counters_json(), "systems",
		systems, "domains",
		rows_json(s, s->traffic, add_domain));
	char *written;

	set_hosts(s, systems);
	written = json_dumps(all, JSON_COMPACT);
	check(written);
	buf_add(to, str_of(written));
	free(written);
	json_decref(all);
}
