/*
 * Whose turn it is.
 *
 * A step is: what is due by the clock happens; then one fiber runs until it
 * waits; with nobody ready the clock jumps.  A fiber's run takes a
 * microsecond, so that whoever only yields sees time pass.
 *
 * Who is killed is dropped between two steps, never inside one.
 */
#include <utlist.h>

#include "rt/log.h"
#include "rt/sim/world_inside.h"

enum { RUN_US = 1 };

/* ---- who was killed ---- */

void drop_dead(struct sim_process *p)
{
	fibers_drop(&p->thread);
	for (int i = 0; i < p->n_lanes; i++)
		fibers_drop(&p->lanes[i]);
}

void bury(void)
{
	struct sim_process *p;

	if (!sim_world.somebody_died)
		return;
	sim_world.somebody_died = false;
	LL_FOREACH (sim_world.processes, p)
		if (p->killed && p->n_lanes >= 0) {
			drop_dead(p);
			p->n_lanes = -1;
		}
}

/* ---- turns ---- */

static size_t choose(size_t n)
{
	return sim_world.seed && n > 1 ? draw(n) : 0;
}

static void run(struct fiber *f)
{
	fibers_run(f);
	log_flush();
	sim_world.now_us += RUN_US;
}

static int64_t next_us(void)
{
	int64_t alarm = fibers_alarm(), event = events_next();

	if (alarm <= INT64_MAX / MS && alarm * MS < event)
		return alarm * MS;
	return event;
}

bool sim_step(int64_t until_us)
{
	struct fiber *f;
	int64_t next;

	events_run(world_here()->now_us);
	fibers_ring(sim_world.now_us / MS);
	bury();
	f = fibers_next(choose);
	if (f) {
		run(f);
		fibers_use_home(&sim_world.outside->thread);
		return true;
	}
	fibers_use_home(&sim_world.outside->thread);
	next = next_us();
	if (next > until_us || next == INT64_MAX)
		return false;
	if (next > sim_world.now_us)
		sim_world.now_us = next;
	return true;
}

enum sim_end sim_run(int64_t until_ms)
{
	int64_t until_us =
		until_ms > INT64_MAX / MS ? INT64_MAX : until_ms * MS;

	check(!fiber_self());
	while (world_here()->now_us < until_us)
		if (!sim_step(until_us)) {
			if (next_us() == INT64_MAX)
				return SIM_IDLE;
			sim_world.now_us = until_us;
		}
	return SIM_TIME;
}
