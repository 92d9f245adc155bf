/*
 * What came into the worlds later, by the seed and not by a draw: a world without
 * it is the one it was.
 */
#include "base/limits.h"
#include "draw.h"
#include "subject.h"

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

		struct client *c = &world.clients[i];

		if (dice % 6 == 0)
			c->chunks = 1 + (int)(dice / 6 % 4);
		if (c->chunks > 1 && dice / 24 % 2)
			c->empty_chunk =
				dice / 48 % 2 ? c->chunks
					      : 1 + (int)(dice / 96 %
							  (uint64_t)c->chunks);
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

/* ---- ways to the Internet ---- */

/* By a smart host; or as its last server, which knows nothing of that, while the
 * first one sends somebody away. */
static void draw_ways_out(void)
{
	for (int i = 0; i < world.n_splitmails; i++) {
		uint64_t dice = (world.seed * 97 + 5 * (uint64_t)i) % 10099;

		world.splitmails[i].has_smart_host = dice % 8 == 0;
		world.splitmails[i].is_backup =
			dice % 8 == 1 && world.n_peers > 0;
		if (world.splitmails[i].is_backup && !world.is_plain)
			world.takers[internet()].manners.away_in = 3;
	}
}

/* ---- systems that are trusted ---- */

/* Most of them may send to anybody; whoever sends from there. */
static void trust_systems(void)
{
	for (int i = 0; i < world.n_peers; i++) {
		struct taker *t = &world.takers[peer_taker(i)];
		uint64_t dice = (world.seed * 101 + (uint64_t)i) % 10103;

		t->is_trusted = t->kind < 0 && dice % 4 == 0;
		t->may_relay = t->is_trusted && dice / 4 % 3 > 0;
	}
}

/* ---- systems that are sent so many mails a minute ---- */

/* Nothing goes wrong but what administrators do, and nobody is slow. */
static void calm_down(void)
{
	for (int i = 0; i < world.n_events; i++)
		if (world.events[i].kind < EVENT_MOVE)
			world.events[i].kind = EVENT_KINDS;
	for (int i = 0; i < world.n_takers; i++)
		if (world.takers[i].kind < 0)
			world.takers[i].manners = (struct manners){ 0 };
	world.cut_in = world.reset_in = sim_link_default()->reset_in = 0;
	world.has_crashes = world.has_lost_connections = false;
	world.has_disk_trouble = world.has_silence = world.may_expire = false;
}

/* All of them are sent before the world's patience is over. */
static unsigned least_rate(void)
{
	unsigned n = 0;

	for (int i = 0; i < world.n_clients; i++)
		n += (unsigned)world.clients[i].n;
	return 1 + n / 12;
}

/* They greet nobody, or one in two, until all is well; then a mail is tried again
 * long before the minute is over. */
static void set_rates(void)
{
	uint64_t dice = world.seed * 83 % 10091;

	if (world.is_peaceful || world.subject != ABOUT_NOTHING || dice % 5)
		return;
	calm_down();
	for (int i = 0; i < world.n_peers; i++) {
		struct manners *m = &world.takers[peer_taker(i)].manners;

		if (world.takers[peer_taker(i)].kind >= 0)
			continue;
		m->mails_per_minute = least_rate() + (unsigned)(dice / 5 % 2);
		m->away_in = 1 + dice / 10 % 2;
	}
	world.retry_min_s = 3 + (int64_t)(dice / 20 % 3);
	world.retry_max_s = world.retry_min_s + (int64_t)(dice / 60 % 3);
	world.handover_ms = 3000;
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
	set_rates();
	draw_ways_out();
	trust_systems();
}
