/*
 * What filters did, and what has to come of it (filters.h).
 *
 * A filter that failed, was away or was never asked has no say: then it counts
 * what its administrator wants (when_down), and nothing it had wanted changed.
 */
#include "filters.h"
#include "judge_inside.h"

enum { LATER, ACCEPT, HOLD };
enum { GREETING_MS = 12000, QUICK_MS = 20000, SMALL_BYTES = 3000 };

bool filter_sees(int filter, const struct unit *u)
{
	const struct world_filter *f = &world.filters[filter];
	bool leaves = unit_is_local(u) || unit_is_of_user(u);

	return f->direction == 0 || (f->direction == 2) == leaves;
}

static bool is_said(enum filter_did did)
{
	return did == DID_PASS || did == DID_EDIT || did == DID_REFUSE ||
	       did == DID_LATER || did == DID_DISCARD;
}

/* Nothing in what a filter is told says which unit it is. */
static bool is_nameless(const struct unit *u)
{
	return !unit_has_sender(u) && !unit_has_header(u);
}

static bool any_did(const struct unit *u, enum filter_did did)
{
	for (int i = 0; i < world.n_filters; i++)
		if (filter_sees(i, u) && u->did[i] == did)
			return true;
	return false;
}

/* Of one that has a say in it, and has said nothing. */
static bool any_failed(const struct unit *u, int when_down)
{
	for (int i = 0; i < world.n_filters; i++)
		if (filter_sees(i, u) && !is_said(u->did[i]) &&
		    world.filters[i].when_down == when_down)
			return true;
	return false;
}

bool filters_put_off(const struct unit *u)
{
	return any_did(u, DID_LATER) || any_failed(u, LATER);
}

bool filters_refuse(const struct unit *u)
{
	return any_did(u, DID_REFUSE);
}

bool filters_discard(const struct unit *u)
{
	return any_did(u, DID_DISCARD);
}

int filters_code(const struct unit *u, int i)
{
	return u->rcpt_said[u->to[i]];
}

bool filters_hold(const struct unit *u)
{
	for (int i = 0; i < world.n_filters; i++)
		if (u->did[i] == DID_EDIT && filter_edits(i, u) & EDIT_HOLD)
			return true;
	return any_failed(u, HOLD);
}

/* One that says nothing to its greeting does not know whose mail it is. */
int64_t filters_took_ms(const struct unit *u)
{
	int64_t all = u->paused_ms;

	for (int i = 0; i < world.n_filters; i++)
		if (world.filters[i].silent_in || world.filters[i].lie_in)
			all += GREETING_MS +
			       2000 * (int64_t)world.filters[i].timeout_s;
	return all;
}

/* ---- its text ---- */

void unit_arrives(const struct unit *u, struct buf *to)
{
	unit_text(u, to);
	for (int i = 0; i < world.n_filters; i++)
		if (u->did[i] == DID_EDIT)
			filter_edit(i, u, to);
}

/* ---- what clients are told ---- */

static int first_said(const struct unit *u)
{
	for (int i = 0; i < world.n_filters; i++)
		if (u->replied[i])
			return u->replied[i];
	return 0;
}

void judge_filtered_end(const struct unit *u)
{
	int said = first_said(u);

	if (u->code == 250 && said && !filters_discard(u))
		books_wrong("unit %d: a filter says %d, and it is taken",
			    u->number, said);
	if (u->code == 250 && any_failed(u, LATER) && !filters_discard(u) &&
	    !is_nameless(u))
		books_wrong("unit %d: a filter has not seen it, and it is "
			    "taken",
			    u->number);
	if (u->code >= 500 && said && u->code != said)
		books_wrong(
			"unit %d: a filter says %d, and the client hears %d",
			u->number, said, u->code);
	judge_filtered_time(u);
}

void judge_filtered_taken(const struct unit *u, int person)
{
	const char *who = world.persons[person].local;

	if (filters_discard(u))
		books_wrong("unit %d: a filter discards it, and %s has it",
			    u->number, who);
	else if (first_said(u))
		books_wrong("unit %d: a filter says %d, and %s has it",
			    u->number, first_said(u), who);
	else if (any_failed(u, LATER) && !is_nameless(u))
		books_wrong("unit %d: a filter has not seen it, and %s has it",
			    u->number, who);
	else if (filters_hold(u) && !is_nameless(u) &&
		 world.released_ms < u->begun_ms)
		books_wrong("unit %d is held, and %s has it", u->number, who);
}

/* Who waits for his own mail's filters waits for nobody else's. */
void judge_filtered_time(const struct unit *u)
{
	int64_t took_ms = u->ended_ms - u->begun_ms - u->paused_ms;

	if (world.is_peaceful && world.n_filters && u->code &&
	    u->bytes <= SMALL_BYTES && !is_nameless(u) && took_ms > QUICK_MS)
		books_wrong("unit %d took %lld s beside what its filters took",
			    u->number, (long long)took_ms / 1000);
}
