/*
 * How much waits, and whether it has changed (tools.h).
 */
#include "queue/tools_inside.h"

#include <stdio.h>

/* ---- count ---- */

static struct queue_load read_load(const struct tools *t, struct query *q)
{
	struct queue_load l = {
		.next_hop = { (enum next_hop_kind)query_int(q, 10),
			      query_peek(q, 0) },
		.recipients = (uint64_t)query_int(q, 1),
		.held = (uint64_t)query_int(q, 2),
		.is_held = query_int(q, 4) != 0,
		.next_attempt_ms = tools_as_wall(t, query_int(q, 5)),
		.reply = { .code = (int)query_int(q, 6),
			   .text = query_peek(q, 8) },
		.remote = query_peek(q, 9),
		.arrived_ms = query_int(q, 11),
	};

	snprintf(l.reply.status, sizeof(l.reply.status), "%.*s",
		 STR(query_peek(q, 7)));
	return l;
}

static bool count_loads(struct tools *t, const struct match *m,
			void (*each)(void *, const struct queue_load *),
			void *arg, struct queue_total *total)
{
	struct query *q = tools_bind(t, LOADS, m, 0, 0);
	bool ok, row;

	while ((ok = tools_next_row(t, LOADS, &row)) && row) {
		struct queue_load l = read_load(t, q);

		total->recipients += l.recipients;
		total->held += l.held;
		each(arg, &l);
	}
	query_reset(q);
	return ok;
}

static bool count_messages(struct tools *t, const struct match *m,
			   struct queue_total *total)
{
	struct query *q = tools_bind(t, TOTAL, m, 0, 0);
	bool row, ok = tools_next_row(t, TOTAL, &row);

	if (ok && row) {
		total->messages = (uint64_t)query_int(q, 0);
		total->bytes = (uint64_t)query_int(q, 1);
		total->oldest_ms = query_int(q, 2);
	}
	query_reset(q);
	return ok;
}

bool tools_count(struct tools *t, struct str domain,
		 void (*each)(void *, const struct queue_load *), void *arg,
		 struct queue_total *total)
{
	struct queue_filter f = { .domain = domain };
	struct arena *a = arena_open();
	struct match match;
	bool none, ok = tools_match(&f, a, &match, &none);

	*total = (struct queue_total){ 0 };
	if (ok && t->sql) {
		ok = tools_look(t);
		if (ok) {
			ok = count_loads(t, &match, each, arg, total) &&
			     count_messages(t, &match, total);
			tools_undo(t);
		}
	}
	arena_close(a);
	return ok;
}

/* ---- noticing ---- */

uint64_t tools_version(struct tools *t)
{
	uint64_t version = 0;
	bool row;

	if (!t->sql)
		return 0;
	if (tools_next_row(t, VERSION, &row) && row)
		version = (uint64_t)query_int(&t->st[VERSION], 0);
	query_reset(&t->st[VERSION]);
	return version;
}

bool tools_domains(struct tools *t,
		   void (*each)(void *arg, struct str domain,
				uint64_t recipients),
		   void *arg)
{
	bool ok = true, row = false;
	struct query *q;

	if (!t->sql)
		return true;
	q = &t->st[DOMAINS];
	while ((ok = tools_next_row(t, DOMAINS, &row)) && row)
		each(arg, query_peek(q, 0), (uint64_t)query_int(q, 1));
	query_reset(q);
	return ok;
}

bool tools_bodies(struct tools *t, void (*each)(void *arg, struct str name),
		  void *arg)
{
	bool ok = true, row = false;
	struct query *q;

	if (!t->sql)
		return true;
	q = &t->st[BODIES];
	while ((ok = tools_next_row(t, BODIES, &row)) && row)
		each(arg, query_peek(q, 0));
	query_reset(q);
	return ok;
}

bool tools_deadly(struct tools *t, size_t most,
		  void (*each)(void *arg, const char *id), void *arg)
{
	bool ok = true, row = false;
	char id[ID_LETTERS + 1];
	struct query *q;

	if (!t->sql)
		return true;
	q = &t->st[DEADLY];
	query_set_int(q, 1, (int64_t)most);
	while ((ok = tools_next_row(t, DEADLY, &row)) && row) {
		id_write(query_int(q, 0), id);
		each(arg, id);
	}
	query_reset(q);
	return ok;
}

bool tools_mark(struct tools *t, struct str domain, struct arena *arena,
		const char **mark)
{
	struct match match = { .domain = domain };
	struct query *q;
	bool ok, row;

	*mark = "";
	if (!t->sql)
		return true;
	q = tools_bind(t, MARK, &match, 0, 0);
	ok = tools_next_row(t, MARK, &row);
	for (int i = 0; ok && row && i < query_columns(q); i++)
		*mark = arena_printf(arena, "%s%s%lld", *mark, i ? "." : "",
				     (long long)query_int(q, i));
	query_reset(q);
	return ok;
}
