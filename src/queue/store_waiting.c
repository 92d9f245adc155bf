/*
 * The statements that follow the directory.
 */
#include "queue/queue.h"
#include "queue/store_inside.h"

static struct waiting read_waiting(struct query *q, struct arena *a)
{
	struct waiting w = {
		.message = query_int(q, 0),
		.as = query_text(q, 1, a),
		.bytes = (uint64_t)query_int(q, 2),
	};

	w.r.row = query_int(q, 3);
	w.r.address = query_text(q, 4, a);
	w.r.trail = query_text(q, 5, a);
	w.r.part = (enum recipient_part)query_int(q, 6);
	w.r.next_hop.kind = (enum next_hop_kind)query_int(q, 7);
	w.r.next_hop.name = query_text(q, 8, a);
	w.r.is_ours = query_int(q, 9);
	return w;
}

bool store_waiting(struct store *s, struct str domain, int64_t message,
		   int64_t row, struct arena *arena, struct waiting *out,
		   size_t most, size_t *n)
{
	enum statement which = str_empty(domain) ? WAITING : WAITING_OF_DOMAIN;
	struct query *q = &s->st[which];
	bool ok, there;

	query_set_int(q, 1, message);
	query_set_int(q, 2, row);
	query_set_int(q, 3, (int64_t)most);
	if (!str_empty(domain))
		query_set_str(q, 4, domain);
	*n = 0;
	while ((ok = store_step(s, which, &there)) && there && *n < most)
		out[(*n)++] = read_waiting(q, arena);
	query_reset(q);
	return ok;
}

bool store_redirect(struct store *s, const struct waiting *w, int64_t now_ms)
{
	struct query *q = &s->st[REDIRECT];

	query_set_int(q, 1, w->message);
	query_set_int(q, 2, w->r.row);
	query_set_int(q, 3, now_ms);
	query_set_int(q, 4, w->r.next_hop.kind);
	query_set_str(q, 5, next_hop_system(&w->r.next_hop));
	return store_run(s, REDIRECT);
}

bool store_followed(struct store *s, int64_t *change)
{
	bool row, ok = store_step(s, FOLLOWED, &row);

	*change = row ? query_int(&s->st[FOLLOWED], 0) : -1;
	query_reset(&s->st[FOLLOWED]);
	return ok;
}

bool store_set_followed(struct store *s, int64_t change)
{
	query_set_int(&s->st[SET_FOLLOWED], 1, change);
	return store_run(s, SET_FOLLOWED);
}
