/* A world's life: hosts, processes, their power, and its beginning and end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "rt/sim/world_inside.h"

enum { BACKLOG = 1024, DESCRIPTORS = 1 << 20 };

/* A Sunday morning. */
static const int64_t first_wall_ms = 1793523600000;

/* ---- hosts ---- */

static void add_addresses(struct sim_host *h, const char *addresses)
{
	struct str rest = str_of(addresses), one;

	while (!str_empty(rest)) {
		str_split(&rest, ' ', &one);
		check(h->n_addresses < SIM_ADDRESSES);
		check(inet_parse_ip(one, 0, &h->addresses[h->n_addresses++]));
	}
}

struct sim_host *sim_host(const char *name, const char *addresses)
{
	struct world *w = world_here();
	struct sim_host *h = must_alloc(sizeof(*h));

	*h = (struct sim_host){
		.name = strdup(name),
		.wall_less_now_ms = first_wall_ms - w->began_us / MS,
		.booted_us = w->now_us - w->began_us,
		.boots = 1,
		.backlog = BACKLOG,
		.last_port = 32768,
	};
	add_addresses(h, addresses);
	disk_open(h);
	LL_APPEND(w->hosts, h);
	return h;
}

struct sim_host *sim_host_named(const char *name)
{
	struct sim_host *h;

	LL_FOREACH (world_here()->hosts, h)
		if (strcmp(h->name, name) == 0)
			return h;
	return NULL;
}

const char *sim_host_name(const struct sim_host *h)
{
	return h->name;
}

static void host_close(struct sim_host *h)
{
	host_listeners_close(h);
	disk_close(h);
	shared_close(h);
	free((char *)h->name);
	free(h);
}

/* ---- processes ---- */

static struct sim_process *process_new(struct sim_host *h, const char *name)
{
	struct sim_process *p = must_alloc(sizeof(*p));

	*p = (struct sim_process){
		.host = h,
		.name = strdup(name),
		.number = ++sim_world.processes_made,
		.most_descriptors = DESCRIPTORS,
		.dice = { dice_next(&sim_world.dice) },
		.own = OWN_AT_FIRST,
	};
	p->thread = (struct place){ .process = p, .index = -1 };
	LL_PREPEND(sim_world.processes, p);
	return p;
}

/* What the kernel takes back. */
static void process_end(struct sim_process *p)
{
	if (p->ended)
		return;
	p->ended = true;
	while (p->held) {
		struct held *h = p->held;

		DL_DELETE(p->held, h);
		h->lose(h);
	}
	sim_tell("%s[%d] %s", p->name, p->number,
		 p->killed ? "was killed" : "ended");
}

static void run_program(void *process)
{
	struct sim_process *p = process;

	p->program(p->arg);
	process_end(p);
}

struct sim_process *sim_start(struct sim_host *h, const char *name,
			      void (*program)(void *), void *arg)
{
	struct sim_process *p;
	void *home = fibers_home();

	check(!h->is_off);
	p = process_new(h, name);
	p->program = program;
	p->arg = arg;
	fibers_use_home(&p->thread);
	sim_tell("%s[%d] starts", p->name, p->number);
	check(fiber_start(p->name, run_program, p));
	fibers_use_home(home);
	return p;
}

bool sim_has_ended(const struct sim_process *p)
{
	return p->ended;
}

/* A fiber that killed its own process waits for that. */
static void stay_dead(void)
{
	if (!fiber_self())
		bury();
	else
		while (process_here()->killed)
			fiber_block("the end");
}

static void process_kill(struct sim_process *p)
{
	void *home = fibers_home();

	if (p->ended)
		return;
	fibers_use_home(&p->thread);
	p->killed = true;
	sim_world.somebody_died = true;
	process_end(p);
	fibers_use_home(home);
}

void sim_kill(struct sim_process *p)
{
	check(p != sim_world.outside);
	process_kill(p);
	stay_dead();
}

struct sim_process *sim_process(void)
{
	return process_here();
}

struct sim_host *sim_process_host(struct sim_process *p)
{
	return p->host;
}

void sim_limit_descriptors(struct sim_process *p, size_t n)
{
	p->most_descriptors = n;
}

size_t sim_descriptors(const struct sim_process *p)
{
	return p->descriptors;
}

static void process_close(struct sim_process *p)
{
	if (p != sim_world.outside)
		process_end(p);
	errands_close(p);
	free(p->lanes);
	free((char *)p->name);
	free(p);
}

/* ---- power ---- */

/* The connections are gone before their processes could say goodbye. */
static void power_off(struct sim_host *h)
{
	struct sim_process *p;

	sim_tell("the power of %s is cut", h->name);
	h->is_off = true;
	LL_FOREACH (sim_world.processes, p)
		if (p->host == h && p != sim_world.outside)
			process_kill(p);
	host_listeners_close(h);
	disk_cut(h);
	shared_close(h);
}

void sim_power_cut(struct sim_host *h)
{
	check(!h->is_off && h != sim_world.localhost);
	power_off(h);
	stay_dead();
}

static void power_cut_here(void)
{
	sim_power_cut(host_here());
}

void sim_power_on(struct sim_host *h)
{
	check(h->is_off);
	h->is_off = false;
	h->booted_us = sim_world.now_us;
	h->boots++;
	sim_tell("%s is on again", h->name);
}

bool sim_is_on(const struct sim_host *h)
{
	return !h->is_off;
}

/* ---- begin and end ---- */

static void make_outside(void)
{
	sim_world.localhost = sim_host("localhost", "");
	sim_world.outside = process_new(sim_world.localhost, "outside");
	fibers_use_home(&sim_world.outside->thread);
}

void sim_open(uint64_t seed)
{
	check(!sim_world.is_open);
	sim_world = (struct world){ .is_open = true,
				    .seed = seed,
				    .cut_power = power_cut_here };
	sim_world.dice.state = seed;
	fibers_open();
	trace_open(seed);
	libraries_open(&sim_world);
	tls_open();
	net_open(&sim_world);
	make_outside();
	vfs_open();
}

void sim_have_been_up(int64_t ms)
{
	check(sim_world.now_us == 0);
	sim_world.now_us = sim_world.began_us = ms * MS;
	sim_world.localhost->wall_less_now_ms -= ms;
}

/* Who never came to an end is dropped. */
static void end_all(void)
{
	struct sim_process *p;

	LL_FOREACH (sim_world.processes, p)
		if (p != sim_world.outside)
			process_kill(p);
	bury();
	LL_FOREACH (sim_world.processes, p)
		drop_dead(p);
	while (sim_step(sim_world.now_us))
		;
}

void sim_close(void)
{
	struct sim_process *p, *next_process;
	struct sim_host *h, *next_host;

	check(sim_world.is_open && !fiber_self());
	end_all();
	events_close();
	process_end(sim_world.outside);
	LL_FOREACH_SAFE(sim_world.processes, p, next_process)
	process_close(p);
	net_close(&sim_world);
	LL_FOREACH_SAFE(sim_world.hosts, h, next_host)
	host_close(h);
	fibers_close();
	sim_world = (struct world){ .is_open = false };
}
