/*
 * Answers on the control socket (questions.h).
 */
#include "engine/questions.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/next_hop.h"
#include "deliver/hosts.h"
#include "engine/health.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/worker.h"
#include "show/values.h"

/* One round through all lanes: each adds what it alone knows. */
struct round {
	const struct questions *questions;
	struct arena *arena;
	unsigned pending;
	struct smtp_sessions sessions;
	struct hop_connections *connections;
	size_t n, room;
	struct gate done;
};

/* What one lane adds, in memory of its own until it is back on loop 0. */
struct part {
	struct round *round;
	int lane;
	struct arena *arena;
	struct smtp_sessions sessions;
	struct hop_connections connections[LIMIT_CONTROL_HOPS];
	size_t n;
};

static void add_connections(void *arg, struct str name, unsigned in_use,
			    unsigned idle)
{
	struct part *p = arg;

	if (p->n < array_size(p->connections))
		p->connections[p->n++] =
			(struct hop_connections){ arena_str(p->arena, name),
						  in_use, idle };
}

static void part_is_back(void *arg)
{
	struct part *p = arg;
	struct round *r = p->round;

	for (int kind = 0; kind < SMTP_KINDS; kind++) {
		r->sessions.clear[kind] += p->sessions.clear[kind];
		r->sessions.tls[kind] += p->sessions.tls[kind];
	}
	for (size_t i = 0; i < p->n && r->n < r->room; i++) {
		r->connections[r->n] = p->connections[i];
		r->connections[r->n++].name =
			arena_str(r->arena, p->connections[i].name);
	}
	arena_close(p->arena);
	if (--r->pending == 0)
		gate_open(&r->done);
}

/* On the lane's loop. */
static void fill_part(void *arg)
{
	struct part *p = arg;
	const struct questions *q = p->round->questions;

	q->look_at_lane(q->arg, p->lane, &p->sessions, add_connections, p);
	loop_post(0, part_is_back, p);
}

/* Not cancelled half-way: the lanes write into it. */
static void waits go_round(struct round *r)
{
	int n_lanes = r->questions->n_lanes;

	r->room = (size_t)n_lanes * LIMIT_CONTROL_HOPS;
	r->connections = arena_array(r->arena, struct hop_connections, r->room);
	for (int i = 0; i < n_lanes; i++) {
		struct arena *arena = arena_open();
		struct part *p = arena_new(arena, struct part);

		p->round = r;
		p->lane = i;
		p->arena = arena;
		r->pending++;
		loop_post(i, fill_part, p);
	}
	while (r->pending > 0)
		gate_wait(&r->done, NEVER);
}

struct writing {
	struct health *health;
	struct status status;
	struct buf *out;
};

/* On a thread that may wait for the disk. */
static bool write_status(void *arg)
{
	struct writing *w = arg;
	json_t *troubles = health_list(w->health);

	w->status.troubles = troubles;
	w->status.certificate_ends_ms = health_certificate_ends_ms(w->health);
	w->status.certificates = health_certificates(w->health);
	status_write(w->out, &w->status);
	json_decref(w->status.certificates);
	json_decref(troubles);
	return true;
}

/* ---- what was learnt of hosts ---- */

static json_t *value_json(const struct host_note *n)
{
	switch (n->fact) {
	case HOST_CONNECTIONS:
	case HOST_MAILS:
	case HOST_RECIPIENTS:
	case HOST_BANS:
		return json_integer(n->value);
	case HOST_SORT:
		return json_string(host_sort_name((enum host_sort)n->value));
	case HOST_NO_TLS:
	case HOST_NO_CHUNKING:
	case HOST_NO_PARAMETERS:
	case HOST_SILENT:
	case HOST_NO_XCLIENT:
	case HOST_XCLIENT:
	case HOST_TLS:
	case HOST_CHUNKING:
		break;
	}
	return json_null();
}

static json_t *note_json(const struct host_note *n)
{
	return json_pack("{s:o,s:o,s:s,s:o,s:o,s:o}", "host",
			 json_text(n->host), "name", json_text(n->name), "what",
			 host_fact_name(n->fact), "value", value_json(n),
			 "since", json_time(n->since_ms), "until",
			 json_time(n->until_ms));
}

static bool is_of(const struct host_note *n, struct str system)
{
	struct next_hop hop;

	return next_hop_parse(n->row, &hop) &&
	       str_same(next_hop_system(&hop), system);
}

static void write_learnt(struct buf *out, struct hosts *hosts,
			 struct str system, struct arena *arena)
{
	json_t *list = json_array(), *all;
	size_t n;
	struct host_note *notes = hosts_list(hosts, arena, &n);
	char *written;

	for (size_t i = 0; i < n; i++)
		if (is_of(&notes[i], system))
			json_array_append_new(list, note_json(&notes[i]));
	all = json_pack("{s:o}", "learnt", list);
	written = json_dumps(all, JSON_COMPACT);
	check(written);
	buf_add(out, str_of(written));
	free(written);
	json_decref(all);
}

bool waits questions_answer(void *questions, struct str question,
			    struct buf *out)
{
	const struct questions *q = questions;
	struct arena *arena scoped(arena) = arena_open();
	struct round r = { .questions = q, .arena = arena };
	struct writing w = { q->health, q->status, out };

	if (str_starts(question, S("learnt "))) {
		write_learnt(out, q->hosts, str_from(question, 7), arena);
		return true;
	}
	if (str_starts(question, S("wake "))) {
		buf_printf(out, "{\"woken\":%s}",
			   q->wake(q->arg, str_from(question, 5)) ? "true"
								  : "false");
		return true;
	}
	if (str_same(question, S("look"))) {
		q->look_now(q->arg);
		buf_add(out, S("{}"));
		return true;
	}
	if (str_same(question, S("pulse"))) {
		go_round(&r);
		buf_printf(out, "{\"sessions\":%u}",
			   smtp_sessions_total(&r.sessions));
		return true;
	}
	if (!str_same(question, S("status")))
		return false;
	health_ask(q->health);
	go_round(&r);
	w.status.sessions = r.sessions;
	w.status.connections = r.connections;
	w.status.n_connections = r.n;
	if (!offload(write_status, &w))
		log_error("engine", "status: %s", cause());
	return true;
}
