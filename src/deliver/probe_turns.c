/*
 * Whose turn it is to be asked.  Each crowd has a line for each urgency; who is
 * first in the most urgent of them is the next one, and nobody else is woken
 * for it.
 *
 * Invariants: a crowd exists while there is a probe in it.  What a step costs
 * does not depend on how many are open.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "deliver/probes_inside.h"
#include "route/allowance.h"

enum { ELSEWHERE_MS = 50 };

/* ---- crowds ---- */

struct crowd *crowd_of(struct probes *all, struct str system)
{
	struct crowd *c;

	HASH_FIND(hh, all->crowds, system.p, system.n, c);
	return c;
}

static struct crowd *crowd_new(struct probes *all, struct str system)
{
	struct crowd *c = must_alloc(sizeof(*c) + system.n);

	memset(c, 0, sizeof(*c));
	c->key_bytes = system.n;
	memcpy(c->key, system.p, system.n);
	HASH_ADD_KEYPTR(hh, all->crowds, c->key, c->key_bytes, c);
	return c;
}

static void crowd_count(struct open_probe *p, int change)
{
	p->all->n += (unsigned)change;
	p->all->n_of[p->urgency] += (unsigned)change;
	p->crowd->n += (unsigned)change;
	p->crowd->n_of[p->urgency] += (unsigned)change;
}

void crowd_join(struct open_probe *p)
{
	struct crowd *c = crowd_of(p->all, p->system);

	p->crowd = c ? c : crowd_new(p->all, p->system);
	crowd_count(p, 1);
}

void crowd_leave(struct open_probe *p)
{
	struct crowd *c = p->crowd;

	crowd_count(p, -1);
	if (c->n > 0)
		return;
	HASH_DELETE(hh, p->all->crowds, c);
	free(c);
}

/* ---- turns ---- */

static void line_up(struct open_probe *p)
{
	struct line_up *line = &p->crowd->lines[p->urgency];

	p->is_lined_up = true;
	p->ahead = line->last;
	p->behind = NULL;
	if (line->last)
		line->last->behind = p;
	else
		line->first = p;
	line->last = p;
}

static void step_out(struct open_probe *p)
{
	struct line_up *line = &p->crowd->lines[p->urgency];

	if (p->ahead)
		p->ahead->behind = p->behind;
	else
		line->first = p->behind;
	if (p->behind)
		p->behind->ahead = p->ahead;
	else
		line->last = p->ahead;
	p->is_lined_up = false;
}

static struct open_probe *next_of(const struct crowd *c)
{
	for (size_t u = 0; u < URGENCIES; u++)
		if (c->lines[u].first)
			return c->lines[u].first;
	return NULL;
}

static void call_next(const struct crowd *c)
{
	struct open_probe *next = next_of(c);

	if (next)
		gate_open(&next->turn);
}

static bool is_my_turn(struct open_probe *p)
{
	struct allowance *a = p->all->deliver->router->allowance;

	if (next_of(p->crowd) != p || p->crowd->running >= LIMIT_PROBES_AT_ONCE)
		return false;
	p->has_taken =
		p->urgency != URGENCY_NOW && a && allowance_take(a, p->system);
	return p->has_taken || p->urgency == URGENCY_NOW || !a;
}

/* Guesses are counted over all loops; loops share no gate, so the next one of
 * them looks again. */
static int64_t look_again_ms(const struct open_probe *p, int64_t deadline_ms)
{
	int64_t look_ms = after_ms(ELSEWHERE_MS);

	return p->urgency == URGENCY_NOW || next_of(p->crowd) != p ||
			       look_ms > deadline_ms
		       ? deadline_ms
		       : look_ms;
}

bool waits turn_take(struct open_probe *p, int64_t deadline_ms)
{
	bool is_mine = false;

	line_up(p);
	while (!fiber_cancelled() && !(is_mine = is_my_turn(p)) &&
	       now_ms() < deadline_ms)
		gate_wait(&p->turn, look_again_ms(p, deadline_ms));
	step_out(p);
	p->is_running = is_mine;
	p->crowd->running += is_mine;
	call_next(p->crowd);
	return is_mine;
}

void turn_end(struct open_probe *p)
{
	p->crowd->running -= p->is_running;
	p->is_running = false;
	if (p->has_taken)
		allowance_give_back(p->all->deliver->router->allowance,
				    p->system);
	p->has_taken = false;
	call_next(p->crowd);
}

void turn_hurry(struct open_probe *p, enum urgency u)
{
	bool is_lined_up = p->is_lined_up;

	if (p->is_running || p->urgency <= u)
		return;
	if (is_lined_up)
		step_out(p);
	crowd_count(p, -1);
	p->urgency = u;
	crowd_count(p, 1);
	if (is_lined_up)
		line_up(p);
	call_next(p->crowd);
}
