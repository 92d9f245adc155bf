/* What clients are told (judge_inside.h). */
#include "filters.h"
#include "judge_inside.h"

/* ---- what the world explains ---- */

/* Systems of the gallery go on as they are, and who is gone stays away. */
static bool everybody_is_patient(void)
{
	for (int i = 0; i < world.n_takers; i++)
		if (world.takers[i].kind >= 0 || world.takers[i].is_gone)
			return false;
	return true;
}

/* Nothing is wrong, and nobody remembers that it was. */
static bool all_is_well(const struct unit *u)
{
	return world.is_peaceful ||
	       (world.is_calm && everybody_is_patient() &&
		u->begun_ms > world.calm_ms + REMEMBERED_MS);
}

/* Does whoever is asked say that nobody has it?  One of the gallery may not; and
 * whoever is trusted does not wait for who cannot be asked. */
static bool is_denied(const struct unit *u, const struct splitmail *s,
		      const struct person *p)
{
	const struct splitmail *first = &world.splitmails[0];

	if (p->kind != PERSON_NOBODY || instead_of(p) >= 0)
		return false;
	if (s->role == ROLE_MASTER && !s->asks_peer)
		return true;
	if (unit_has_rights(u))
		return false;
	return !first->asks_peer || world.takers[peer_taker(0)].kind < 0;
}

/* What comes from <> while S asks about the same address may be S's own
 * question on its way back. */
static bool looks_like_a_question(const struct unit *u, const struct person *p)
{
	return !unit_has_sender(u) && p->home != u->splitmail;
}

/* Where nobody is master, two questions about an address that nobody has may go
 * round and meet: each is told that it is being asked about. */
static bool questions_may_meet(const struct unit *u, int i)
{
	return world.has_ring &&
	       world.persons[u->to[i]].kind == PERSON_NOBODY &&
	       u->codes[i] >= 400;
}

/* What else than a disk or a stop explains that a mail is not kept? */
static bool is_always_kept(const struct unit *u)
{
	bool stops = false;

	for (int i = 0; i < world.n_events; i++)
		stops |= world.events[i].kind == EVENT_RESTART;
	return all_is_well(u) ||
	       (world.is_plain && !world.has_disk_trouble && !stops);
}

/* ---- the answer to RCPT ---- */

/* A filter has the last word. */
static bool is_answered_by_a_filter(const struct unit *u, int i)
{
	int said = filters_code(u, i), code = u->codes[i];

	if (!said)
		return code >= 400 && code < 500 && filters_put_off(u);
	if (code == 250 && !filters_discard(u))
		books_wrong("unit %d: a filter says %d of %s, and he is taken",
			    u->number, said, world.persons[u->to[i]].local);
	return code == said;
}

void judge_rcpt(const struct unit *u, int i)
{
	const struct person *p = &world.persons[u->to[i]];
	const struct splitmail *s = &world.splitmails[u->splitmail];
	int code = u->codes[i];

	if (is_answered_by_a_filter(u, i))
		return;
	if (p->kind == PERSON_OUTSIDER && !unit_may_leave(u) && code < 500 &&
	    (code < 400 || is_always_kept(u)))
		books_wrong("unit %d: %s answers a stranger %d to an address "
			    "of the Internet",
			    u->number, s->name, code);
	if (code == 250 && is_denied(u, s, p) &&
	    !may_leave_for_good(u, u->to[i]))
		books_wrong("unit %d: %s takes mail for %s, an address that "
			    "nobody has",
			    u->number, s->name, p->local);
	if (code >= 500 && (p->kind != PERSON_OUTSIDER || unit_may_leave(u)) &&
	    !may_be_refused(u, i) && !looks_like_a_question(u, p))
		books_wrong("unit %d: %s refuses %s for good: %d", u->number,
			    s->name, p->local, code);
	if (code >= 400 && code < 500 && all_is_well(u) &&
	    !questions_may_meet(u, i))
		books_wrong("unit %d: %s refuses %s for now, and all is "
			    "well: %d",
			    u->number, s->name, p->local, code);
	judge_said_code(u, i);
}

/* ---- the answer to the dot ---- */

static bool is_named(const struct unit *u, int i)
{
	return u->codes[i] == 250 && !u->is_struck[i];
}

static bool is_too_large(const struct unit *u)
{
	for (int i = 0; i < u->n; i++)
		if (is_named(u, i) && u->bytes > SECOND_BYTES &&
		    str_same(str_of(world.persons[u->to[i]].domain), S(SECOND)))
			return true;
	return u->bytes > world.message_bytes;
}

/* Whoever hands in mail for nobody else hears that he is over quota. */
static bool is_for_one_over_quota(const struct unit *u)
{
	int one = -1, n = 0;

	for (int i = 0; i < u->n; i++)
		if (is_named(u, i) && (one < 0 || u->to[i] != u->to[one])) {
			one = i;
			n++;
		}
	for (int i = 0; i < world.n_persons && n == 1; i++)
		if (world.persons[i].is_over_quota && leads_to(u, one, i))
			return true;
	return false;
}

/* Only if none of those that RCPT took may get it. */
static bool all_may_be_refused(const struct unit *u)
{
	for (int i = 0; i < u->n; i++)
		if (is_named(u, i) && !may_be_refused(u, i))
			return false;
	return true;
}

void judge_end(const struct unit *u)
{
	bool was_through = true;

	judge_filtered_end(u);
	for (int i = 0; i < u->n; i++)
		was_through &= u->codes[i] >= 500 || questions_may_meet(u, i);
	if (u->code == 0 && !was_through && all_is_well(u) &&
	    !filters_put_off(u) && !filters_refuse(u))
		books_wrong("unit %d is not answered, and all is well",
			    u->number);
	if (u->code >= 400 && u->code < 500 && is_always_kept(u) &&
	    !is_for_one_over_quota(u) && !filters_put_off(u))
		books_wrong("unit %d is refused for now, and could be kept",
			    u->number);
	if (is_too_large(u) && u->code == 250)
		books_wrong("unit %d is too large, and taken", u->number);
	if (u->code >= 500 && !is_too_large(u) && !filters_refuse(u) &&
	    !all_may_be_refused(u))
		books_wrong("unit %d is refused for good: %d", u->number,
			    u->code);
}
