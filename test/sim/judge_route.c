/*
 * What was said of the way beforehand, and what happened (judge_inside.h).
 *
 * It is not held against anybody when an administrator changed something in
 * between.
 */
#include "judge_inside.h"

/* ---- who leads by whom ---- */

struct passing {
	int through, to;
	bool does;
};

static void look_for_passing(void *arg, const struct unit *u,
			     const struct way *w)
{
	struct passing *p = arg;

	(void)u;
	p->does |= end_of(w) == p->to && was_stepped(w, p->through);
}

/* ---- the answer to RCPT ---- */

/* Other systems are asked at RCPT, not by who only wants to know the way. */
static bool goes_elsewhere(const struct unit *u, const struct said *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->legs[i].hop != store_of(u->splitmail) &&
		    s->legs[i].hop != internet())
			return true;
	return false;
}

static bool is_good(int code)
{
	return code >= 200 && code < 300;
}

static bool is_later(int code)
{
	return code >= 400 && code < 500;
}

void judge_said_code(const struct unit *u, int i)
{
	const struct said *s = &u->said[i];
	const char *name = world.persons[u->to[i]].local;
	int code = u->codes[i];

	if (!s->at_ms || was_administered(s->at_ms, now_ms()))
		return;
	if (s->code >= 500 && is_good(code))
		books_wrong("unit %d: route() refuses %s (%d), and RCPT is "
			    "answered %d",
			    u->number, name, s->code, code);
	if (goes_elsewhere(u, s))
		return;
	if (is_good(s->code) && code >= 500)
		books_wrong("unit %d: route() takes %s, and RCPT is answered "
			    "%d",
			    u->number, name, code);
	if (!is_later(s->code) && is_later(code) &&
	    !was_disturbed(u->begun_ms - REMEMBERED_MS, now_ms()))
		books_wrong("unit %d: route() says %d of %s, who needs nobody "
			    "else, and RCPT is answered %d",
			    u->number, s->code, name, code);
}

/* ---- the way it went ---- */

/* Does a leg that was said of recipient I explain it? */
static bool explains(const struct unit *u, int i, const struct taken *t)
{
	const struct said *s = &u->said[i];

	for (int k = 0; k < s->n; k++) {
		struct passing p = { s->legs[k].person, t->person, false };

		if (s->legs[k].hop != t->hop)
			continue;
		ways_of(u, i, (struct asked){ look_for_passing, &p });
		if (p.does)
			return true;
	}
	return false;
}

/* Nothing was said of one, or what was said holds no more: who knows?  A disk
 * that fails cannot say. */
static bool is_unsure(const struct unit *u, int i, int64_t until_ms)
{
	const struct said *s = &u->said[i];

	return !s->at_ms || is_later(s->code) || s->n == SAID_LEGS ||
	       was_administered(s->at_ms, until_ms);
}

void judge_route(const struct taken *t)
{
	const struct unit *u = books.units[t->unit];

	if (u->known) /* nobody was told of its trail */
		return;
	for (int i = 0; i < u->n; i++)
		if (leads_to(u, i, t->person) &&
		    (is_unsure(u, i, t->at_ms) || explains(u, i, t)))
			return;
	books_wrong("unit %d for %s went from %s to %s, and route() did not "
		    "say so",
		    t->unit, world.persons[t->person].local,
		    world.splitmails[u->splitmail].name,
		    world.takers[t->hop].name);
}
