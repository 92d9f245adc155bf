/*
 * Messages and recipients as rows: added, changed, read.
 */
#include "queue/store_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mutants.h"
#include "rt/fault.h"
#include "rt/folder.h"

enum {
	FLAG_8BIT = 1,
	FLAG_UTF8 = 2,
	FLAG_CRLF = 4,
	FLAG_UNVOUCHED = 8, /* an older engine reads over it */
	VERDICT_BOUNCE = 1, /* 2, has killed us: written by HOLD alone */
};

/* ---- adding ---- */

static bool add_body(struct store *s, int64_t number, struct str bytes)
{
	struct query *q = &s->st[ADD_BODY];

	query_set_int(q, 1, number);
	query_set_bytes(q, 2, bytes);
	return store_run(s, ADD_BODY);
}

static int flags_of(const struct message *m)
{
	return (m->is_8bit ? FLAG_8BIT : 0) | (m->is_utf8 ? FLAG_UTF8 : 0) |
	       (m->body.ends_with_crlf ? FLAG_CRLF : 0) |
	       (m->is_unvouched ? FLAG_UNVOUCHED : 0);
}

static bool add_message(struct store *s, struct message *m, int64_t number,
			const char *spool_name)
{
	struct query *q = &s->st[ADD_MESSAGE];
	struct inet_text client = inet_text(&m->client);

	query_set_int(q, 1, number);
	query_set_str(q, 2, m->sender);
	query_set_str(q, 3, m->envid);
	query_set_int(q, 4, m->ret);
	query_set_int(q, 5, flags_of(m));
	query_set_str(q, 6, m->as);
	query_set_str(q, 7, str_of(client.c));
	query_set_str(q, 8, m->helo);
	query_set_int(q, 9, m->arrived_wall_ms);
	query_set_str(q, 10, m->trace);
	query_set_int(q, 11, (int64_t)m->body.bytes);
	if (spool_name)
		query_set_str(q, 12, str_of(spool_name));
	else
		query_set_null(q, 12);
	query_set_int(q, 13, m->entered_ms);
	return store_run(s, ADD_MESSAGE);
}

struct str store_domain(struct message *m, const struct recipient *r)
{
	const struct address *a = recipient_parsed(r, m->arena);

	return a ? a->domain : S("");
}

static bool add_recipient(struct store *s, struct message *m, int64_t number,
			  const struct recipient *r, int64_t row)
{
	struct query *q = &s->st[ADD_RECIPIENT];

	query_set_int(q, 1, number);
	query_set_int(q, 2, row);
	query_set_str(q, 3, r->address);
	query_set_str(q, 4, store_domain(m, r));
	query_set_str(q, 5, r->orcpt);
	query_set_int(q, 6, (int)r->notify);
	query_set_str(q, 7, r->trail);
	query_set_int(q, 8, r->part);
	query_set_int(q, 9, r->is_member);
	query_set_int(q, 10, r->held);
	query_set_int(q, 11, r->bounce_wanted ? VERDICT_BOUNCE : 0);
	query_set_int(q, 12, r->attempts);
	query_set_int(q, 13, r->next_attempt_ms);
	query_set_int(q, 14, r->reply.code);
	query_set_str(q, 15, str_of(r->reply.status));
	query_set_str(q, 16, r->reply.text);
	query_set_str(q, 17, r->remote);
	query_set_str(q, 18, next_hop_system(&r->next_hop));
	query_set_int(q, 19, r->delay_told);
	query_set_int(q, 20, r->next_hop.kind);
	query_set_int(q, 21, r->is_ours);
	query_set_str(q, 22, r->sender);
	return store_run(s, ADD_RECIPIENT);
}

bool store_add_recipients(struct store *s, struct message *m, int64_t number,
			  int64_t first)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct recipient *r = &m->recipients[i];

		if (!recipient_is_new(r))
			continue;
		if (!add_recipient(s, m, number, r, first++))
			return false;
	}
	return true;
}

bool store_add(struct store *s, struct message *m, const char *spool_name)
{
	int64_t number = id_number(str_of(m->id));

	if (!number)
		return fail("keep: %s is no queue id", m->id);
	return add_message(s, m, number, spool_name) &&
	       (spool_name || add_body(s, number, body_in_memory(&m->body))) &&
	       store_add_recipients(s, m, number, 1);
}

/* ---- changing ---- */

bool store_has(struct store *s, int64_t number, bool *yes, int64_t *last)
{
	struct query *q = &s->st[HAS];
	bool ok;

	query_set_int(q, 1, number);
	ok = store_step(s, HAS, yes);
	*last = ok && *yes ? query_int(q, 0) : 0;
	query_reset(q);
	return ok;
}

bool store_has_any(struct store *s, bool *yes)
{
	bool ok = store_step(s, ANY, yes);

	query_reset(&s->st[ANY]);
	return ok;
}

bool store_update(struct store *s, int64_t number, const struct recipient *r)
{
	struct query *q = &s->st[UPDATE];

	query_set_int(q, 1, number);
	query_set_int(q, 2, r->row);
	query_set_int(q, 3, r->attempts);
	query_set_int(q, 4, r->next_attempt_ms);
	query_set_int(q, 5, r->reply.code);
	query_set_str(q, 6, str_of(r->reply.status));
	query_set_str(q, 7, r->reply.text);
	query_set_str(q, 8, r->remote);
	query_set_str(q, 9, next_hop_system(&r->next_hop));
	query_set_int(q, 10, r->delay_told);
	query_set_str(q, 11, r->trail);
	query_set_int(q, 12, r->part);
	query_set_int(q, 13, r->next_hop.kind);
	query_set_int(q, 14, r->is_ours);
	query_set_int(q, 15, r->row_attempt_ms);
	query_set_str(q, 16, r->sender);
	return store_run(s, UPDATE);
}

bool store_remove(struct store *s, int64_t number, int64_t row)
{
	if (MUTANT(ended_stays_queued))
		return true;
	query_set_int(&s->st[REMOVE], 1, number);
	query_set_int(&s->st[REMOVE], 2, row);
	return store_run(s, REMOVE);
}

bool store_hold(struct store *s, int64_t number, struct str why)
{
	query_set_int(&s->st[HOLD], 1, number);
	query_set_str(&s->st[HOLD], 2, why);
	return store_run(s, HOLD);
}

bool store_end(struct store *s, int64_t number, bool *gone, bool *spooled)
{
	struct query *q = &s->st[LEFT];
	bool ok, row, left;

	query_set_int(q, 1, number);
	ok = store_step(s, LEFT, &row);
	*spooled = ok && row && !query_is_null(q, 0);
	left = ok && row && query_int(q, 1);
	*gone = ok && !left;
	query_reset(q);
	if (!ok || !row || left)
		return ok;
	query_set_int(&s->st[END_MESSAGE], 1, number);
	query_set_int(&s->st[END_BODY], 1, number);
	return store_run(s, END_MESSAGE) &&
	       (*spooled || store_run(s, END_BODY));
}

/* ---- reading ---- */

void store_read_recipient(struct query *q, struct message *m)
{
	struct recipient *r = message_add(m, S(""));
	struct str status = query_text(q, 12, m->arena);

	r->row = query_int(q, 0);
	r->address = query_text(q, 1, m->arena);
	r->orcpt = query_text(q, 2, m->arena);
	r->notify = (unsigned)query_int(q, 3);
	r->trail = query_text(q, 4, m->arena);
	r->part = (enum recipient_part)query_int(q, 5);
	r->is_member = query_int(q, 6);
	r->bounce_wanted = query_int(q, 7) == VERDICT_BOUNCE;
	r->held = query_int(q, 8);
	r->attempts = (unsigned)query_int(q, 9);
	r->next_attempt_ms = query_int(q, 10);
	r->reply.code = (int)query_int(q, 11);
	status = str_part(status, 0, sizeof(r->reply.status) - 1);
	memcpy(r->reply.status, status.p, status.n);
	r->reply.text = query_text(q, 13, m->arena);
	r->remote = query_text(q, 14, m->arena);
	r->next_hop.kind = (enum next_hop_kind)query_int(q, 15);
	r->next_hop.name = query_text(q, 16, m->arena);
	r->delay_told = query_int(q, 17);
	r->is_ours = query_int(q, 18);
	r->sender = query_text(q, 19, m->arena);
	r->row_attempt_ms = r->next_attempt_ms;
	r->row_part = r->part;
	r->state = RECIPIENT_WAITING;
}

void store_read_message(struct query *q, struct message *m, struct spool *spool)
{
	struct arena *a = m->arena;
	int flags = (int)query_int(q, 3);

	m->sender = query_text(q, 0, a);
	m->envid = query_text(q, 1, a);
	m->ret = (enum ret)query_int(q, 2);
	m->is_8bit = flags & FLAG_8BIT;
	m->is_utf8 = flags & FLAG_UTF8;
	m->is_unvouched = flags & FLAG_UNVOUCHED;
	m->as = query_text(q, 4, a);
	if (!inet_parse(query_text(q, 5, a), 0, &m->client))
		m->client = (struct inet){ .port = 0 };
	m->helo = query_text(q, 6, a);
	m->arrived_wall_ms = query_int(q, 7);
	if (!MUTANT(trace_is_lost_in_the_queue))
		m->trace = query_text(q, 8, a);
	if (!query_is_null(q, 10))
		m->body.path = arena_printf(a, "%s/%.*s", spool->folder,
					    STR(query_peek(q, 10)));
	m->entered_ms = query_int(q, 11);
	m->body.bytes = (uint64_t)query_int(q, 9);
	m->body.ends_with_crlf = flags & FLAG_CRLF;
}

static bool load_row(struct store *s, struct message *m)
{
	struct query *q = &s->st[LOAD_BODY];
	uint64_t want = m->body.bytes;
	bool ok, row;

	query_set_int(q, 1, m->row);
	ok = store_step(s, LOAD_BODY, &row);
	if (row) {
		buf_add(&m->body.memory, query_peek_bytes(q, 0));
		body_note(&m->body);
	}
	query_reset(q);
	if (ok && !row)
		m->damage = "queue.db has no body for it";
	else if (ok && m->body.bytes != want)
		m->damage = "its body in queue.db has another length";
	return ok;
}

static void look_at_file(struct message *m, struct spool *spool)
{
	char name[ID_LETTERS + sizeof(".eml")];
	uint64_t bytes;

	snprintf(name, sizeof(name), "%.*s.eml", ID_LETTERS, m->id);
	if (!str_ends(str_of(m->body.path), str_of(name)))
		m->damage = "queue.db names another file than its own";
	else if (!folder_readable(spool->folder, name, &bytes))
		m->damage = arena_printf(m->arena, "%s", cause());
	else if (bytes != m->body.bytes)
		m->damage = arena_printf(m->arena, "%s has another length",
					 m->body.path);
}

/* A body that is not whole is the message's own trouble, and goes nowhere, not
 * in part either. */
static bool load_body(struct store *s, struct message *m, struct spool *spool)
{
	bool ok = true;

	if (m->body.path)
		look_at_file(m, spool);
	else
		ok = load_row(s, m);
	if (m->damage)
		body_free(&m->body);
	return ok;
}

/* Read at the end of M's, and taken back when nobody wants it. */
static bool load_recipients(struct store *s, struct message *m, int64_t due_ms,
			    bool (*wants)(void *, const struct recipient *),
			    void *arg)
{
	struct query *q = &s->st[LOAD_RECIPIENTS];
	bool ok, row;

	query_set_int(q, 1, m->row);
	query_set_int(q, 2, due_ms);
	while ((ok = store_step(s, LOAD_RECIPIENTS, &row)) && row) {
		store_read_recipient(q, m);
		if (wants && !wants(arg, &m->recipients[m->n - 1]))
			m->n--;
	}
	query_reset(q);
	return ok;
}

bool store_load(struct store *s, int64_t number, int64_t due_ms,
		struct spool *spool,
		bool (*wants)(void *, const struct recipient *), void *arg,
		struct message **out)
{
	struct query *q = &s->st[LOAD_MESSAGE];
	struct message *m = message_again(spool, number);
	bool ok, row;

	*out = NULL;
	query_set_int(q, 1, number);
	ok = store_step(s, LOAD_MESSAGE, &row);
	if (row)
		store_read_message(q, m, spool);
	query_reset(q);
	fault_here("load", m->sender);
	m->row = number;
	m->is_kept = true;
	if (ok && row)
		ok = load_recipients(s, m, due_ms, wants, arg) &&
		     (!m->n || load_body(s, m, spool));
	if (ok && row)
		*out = m;
	else
		message_drop(m);
	return ok;
}
