/*
 * The statements that ask what is due, and hurry it.
 */
#include "queue/store_inside.h"

#include "base/mutants.h"

enum { JUST_NOW_MS = 60000 };

static struct next_hop hop_of(struct query *q)
{
	return (struct next_hop){ (enum next_hop_kind)query_int(q, 0),
				  query_peek(q, 1) };
}

static void bind_hop(struct query *q, struct next_hop hop)
{
	query_set_int(q, 1, (int)hop.kind);
	query_set_str(q, 2, hop.name);
}

bool store_dues(struct store *s, int64_t number,
		void (*each)(void *, struct next_hop hop, int64_t due_ms),
		void *arg)
{
	struct query *q = &s->st[DUES];
	bool ok, row;

	query_set_int(q, 1, number);
	while ((ok = store_step(s, DUES, &row)) && row) {
		each(arg, hop_of(q), query_int(q, 2));
		if (MUTANT(first_row_speaks_for_all))
			break;
	}
	query_reset(q);
	return ok;
}

/* The lane behind *HOP, of its kind or of the next ones; in ARENA. */
static bool next_lane(struct store *s, struct next_hop *hop, int64_t *due_ms,
		      bool *there, struct arena *arena)
{
	enum statement which = NEXT_LANE;
	bool ok;

	bind_hop(&s->st[which], *hop);
	ok = store_step(s, which, there);
	if (ok && !*there) {
		query_reset(&s->st[which]);
		which = NEXT_KIND;
		query_set_int(&s->st[which], 1, (int)hop->kind);
		ok = store_step(s, which, there);
	}
	if (ok && *there) {
		*hop = hop_of(&s->st[which]);
		hop->name = arena_str(arena, hop->name);
		*due_ms = query_int(&s->st[which], 2);
	}
	query_reset(&s->st[which]);
	return ok;
}

/* From one lane to the next, whatever their length. */
bool store_lanes(struct store *s,
		 void (*each)(void *, struct next_hop hop, int64_t due_ms),
		 void *arg)
{
	struct arena *a scoped(arena) = arena_open();
	struct next_hop hop = { (enum next_hop_kind) - 1, S("") };
	int64_t due_ms = 0;
	bool ok, there;

	while ((ok = next_lane(s, &hop, &due_ms, &there, a)) && there)
		each(arg, hop, due_ms);
	return ok;
}

bool store_due(struct store *s, struct next_hop hop, int64_t *number,
	       int64_t *due, bool *failed)
{
	struct query *q = &s->st[DUE];
	bool row;

	if (!query_is_stepping(q))
		bind_hop(q, hop);
	*failed = !store_step(s, DUE, &row);
	if (!row)
		return false;
	*number = query_int(q, 0);
	*due = query_int(q, 1);
	return true;
}

void store_due_end(struct store *s)
{
	query_reset(&s->st[DUE]);
}

bool store_entered(struct store *s, struct entry after, int64_t until_ms,
		   struct entry *out, bool *failed)
{
	struct query *q = &s->st[ENTERED];
	bool row;

	if (!query_is_stepping(q)) {
		query_set_int(q, 1, after.ms);
		query_set_int(q, 2, until_ms);
		query_set_int(q, 3, after.number);
	}
	*failed = !store_step(s, ENTERED, &row);
	if (!row)
		return false;
	*out = (struct entry){ .ms = query_int(q, 1),
			       .number = query_int(q, 0) };
	return true;
}

void store_entered_end(struct store *s)
{
	query_reset(&s->st[ENTERED]);
}

bool store_hurry(struct store *s, struct next_hop hop, int64_t now_ms, int most,
		 int *changed)
{
	struct query *q = &s->st[HURRY];

	bind_hop(q, hop);
	query_set_int(q, 3, now_ms);
	query_set_int(q, 4, most);
	*changed = 0;
	if (!store_run(s, HURRY))
		return false;
	*changed = sql_changes(s->sql);
	return true;
}

/* ---- times ---- */

static bool first_number(struct store *s, enum statement which, int64_t *n)
{
	bool row, ok = store_step(s, which, &row);

	*n = row ? query_int(&s->st[which], 0) : 0;
	query_reset(&s->st[which]);
	return ok;
}

struct latest {
	struct store *s;
	int64_t ms;
	bool ok;
};

static void look_at_lane(void *latest, struct next_hop hop, int64_t due_ms)
{
	struct latest *l = latest;
	int64_t ms;

	bind_hop(&l->s->st[LATEST], hop);
	l->ok = l->ok && first_number(l->s, LATEST, &ms);
	if (l->ok && ms > l->ms)
		l->ms = ms;
}

bool store_has_wrong_times(struct store *s, int64_t now_ms, int64_t most_ms,
			   bool *yes)
{
	struct latest l = { s, 0, true };
	int64_t is_wrong;

	*yes = false;
	/* what came while NOW was on its way here is right */
	query_set_int(&s->st[WRONG_ENTERED], 1, now_ms + JUST_NOW_MS);
	if (!store_lanes(s, look_at_lane, &l) || !l.ok ||
	    !first_number(s, WRONG_ENTERED, &is_wrong))
		return false;
	*yes = l.ms - most_ms > now_ms || is_wrong;
	return true;
}

bool store_mend_times(struct store *s, int64_t now_ms, int64_t most_ms)
{
	query_set_int(&s->st[MEND_ATTEMPTS], 1, now_ms);
	query_set_int(&s->st[MEND_ATTEMPTS], 2, now_ms + most_ms);
	query_set_int(&s->st[MEND_ENTERED], 1, now_ms);
	return store_run(s, MEND_ATTEMPTS) && store_run(s, MEND_ENTERED);
}
