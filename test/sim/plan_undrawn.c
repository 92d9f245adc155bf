/*
 * What came into the worlds later, by the seed and not by a draw: a world without
 * it is the one it was.
 */
#include "base/limits.h"
#include "draw.h"
#include "world.h"

/* ---- two servers of the Internet ---- */

/* One takes nothing, and the other may be away just then. */
static void add_unwilling_host(void)
{
	world.takers[internet()].has_unwilling_host =
		!world.is_peaceful && world.seed * 41 % 10007 % 8 == 0;
}

/* ---- crowds ---- */

static bool stays(int person)
{
	for (int i = 0; i < world.n_events; i++)
		if ((world.events[i].kind == EVENT_MOVE ||
		     world.events[i].kind == EVENT_BOTH) &&
		    world.events[i].of == person)
			return false;
	return true;
}

/* Some groups are as long as what is looked at in one go, or almost: one real
 * member stands at its border. */
static void add_crowd(struct person *g, int fewer)
{
	for (int i = 0; i < g->n_members; i++) {
		const struct person *p = &world.persons[g->members[i]];

		if (p->kind != PERSON_USER || p->home != g->home ||
		    p->also >= 0 || !stays(g->members[i]))
			continue;
		g->crowd = LIMIT_ROUTE_STEP - 1 - fewer;
		g->crowd_of = g->members[i];
		return;
	}
}

static void add_crowds(void)
{
	for (int i = 0; i < world.n_persons; i++) {
		uint64_t dice = world.seed * 31 + (uint64_t)i;

		if (world.persons[i].kind == PERSON_GROUP &&
		    !world.persons[i].is_postmaster && dice % 8 == 0)
			add_crowd(&world.persons[i], (int)(dice / 8 % CROWD));
	}
}

/* ---- quotas ---- */

static void fill_quotas(void)
{
	for (int i = 0; i < world.n_persons; i++) {
		struct person *p = &world.persons[i];

		p->is_over_quota =
			!world.is_peaceful && p->kind == PERSON_USER &&
			is_at_splitmail(p->home) && !p->is_full &&
			(world.seed * 59 + (uint64_t)i) % 10037 % 12 == 0;
	}
}

/* ---- senders who are warned ---- */

/* In one world of three they are told that their mail waits long before it is given
 * up. */
static void set_warning(void)
{
	uint64_t dice = world.seed * 73 % 10069;

	world.warning_s =
		dice % 3 ? world.expiry_s : 20 + (int64_t)(dice / 3 % 100);
}

/* ---- clients who say BDAT ---- */

static void draw_chunks(void)
{
	for (int i = 0; i < world.n_clients; i++) {
		uint64_t dice = (world.seed * 53 + (uint64_t)i) % 10039;

		if (dice % 6 == 0)
			world.clients[i].chunks = 1 + (int)(dice / 6 % 4);
	}
}

/* ---- stores that answer for some ---- */

static void draw_stores(void)
{
	for (int i = 0; i < world.n_splitmails && !world.is_plain; i++) {
		struct manners *m = &world.takers[store_of(i)].manners;
		uint64_t dice = (world.seed * 79 + (uint64_t)i) % 10079;

		m->says_at_dot = dice % 3 == 0;
		if (dice / 3 % 4 == 0)
			m->part_in = 2 + dice / 12 % 5;
		world.has_silence |= m->part_in > 0;
	}
}

/* ---- all of it ---- */

void plan_add_undrawn(void)
{
	add_unwilling_host();
	add_crowds();
	fill_quotas();
	set_warning();
	draw_chunks();
	draw_stores();
}
