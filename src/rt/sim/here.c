/*
 * The world there is, and where in it we are: its chance, our process and our
 * host, and what the kernel would take back when a process ends.
 */
#include <string.h>
#include <utlist.h>

#include "rt/sim/world_inside.h"

struct world sim_world;

/* ---- chance: SplitMix64 ---- */

uint64_t dice_next(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* What is a little likelier for it does not matter here. */
uint64_t dice_below(struct dice *d, uint64_t n)
{
	check(n > 0);
	return dice_next(d) % n;
}

uint64_t draw(uint64_t n)
{
	return dice_below(&world_here()->dice, n);
}

uint64_t sim_draw(uint64_t n)
{
	return draw(n);
}

bool sim_chance(uint64_t n)
{
	return n > 0 && draw(n) == 0;
}

/* ---- where we are ---- */

bool world_is_there(void)
{
	return sim_world.is_open && sim_world.outside;
}

struct world *world_here(void)
{
	check(sim_world.is_open);
	return &sim_world;
}

int64_t story_us(void)
{
	return world_here()->now_us - world_here()->began_us;
}

struct place *place_here(void)
{
	struct place *here = fibers_home();

	return here ? here : &world_here()->outside->thread;
}

struct sim_process *process_here(void)
{
	return place_here()->process;
}

struct own *own(void)
{
	return &process_here()->own;
}

struct sim_host *host_here(void)
{
	return process_here()->host;
}

struct sim_host *host_of(struct sim_host *from, const struct inet *address)
{
	struct sim_host *h;

	if (inet_is_loopback(address) || inet_is_unspecified(address))
		return from;
	LL_FOREACH (sim_world.hosts, h)
		for (size_t i = 0; i < h->n_addresses; i++)
			if (inet_same_ip(&h->addresses[i], address))
				return h;
	return NULL;
}

/* ---- held things ---- */

bool descriptor_take(const char *what)
{
	struct sim_process *p = process_here();

	if (p->descriptors >= p->most_descriptors)
		return fail("%s: Too many open files", what);
	p->descriptors++;
	return true;
}

void descriptor_give(struct sim_process *p)
{
	p->descriptors--;
}

struct sim_process *hold(struct held *h, void (*lose)(struct held *))
{
	struct sim_process *p = process_here();

	h->lose = lose;
	DL_APPEND(p->held, h);
	return p;
}

/* Unless the process is gone, and has lost it. */
void hold_end(struct sim_process *p, struct held *h)
{
	if (!p->ended)
		DL_DELETE(p->held, h);
}
