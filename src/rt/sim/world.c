/*
 * A world's life: hosts, processes, and whose turn it is.
 *
 * A step is: what is due by the clock happens; then one fiber runs until it
 * waits; with nobody ready the clock jumps.  A fiber's run takes a
 * microsecond, so that whoever only yields sees time pass.
 *
 * Who is killed is dropped between two steps, never inside one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "rt/log.h"
#include "rt/sim/world_inside.h"

enum { RUN_US = 1, BACKLOG = 1024, DESCRIPTORS = 1 << 20 };

/* A Sunday morning. */
static const int64_t first_wall_ms = 1793523600000;

static struct world world;

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
		.wall_less_now_ms = first_wall_ms,
		.booted_us = w->now_us,
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

struct sim_host *host_of(struct sim_host *from, const struct inet *address)
{
	struct sim_host *h;

	if (inet_is_loopback(address) || inet_is_unspecified(address))
		return from;
	LL_FOREACH (world.hosts, h)
		for (size_t i = 0; i < h->n_addresses; i++)
			if (inet_same_ip(&h->addresses[i], address))
				return h;
	return NULL;
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
		.number = ++world.processes_made,
		.most_descriptors = DESCRIPTORS,
		.dice = { dice_next(&world.dice) },
		.own = OWN_AT_FIRST,
	};
	p->thread = (struct place){ .process = p, .index = -1 };
	LL_PREPEND(world.processes, p);
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

static void drop_dead(struct sim_process *p)
{
	fibers_drop(&p->thread);
	for (int i = 0; i < p->n_lanes; i++)
		fibers_drop(&p->lanes[i]);
}

/* Between two steps; a fiber that killed its own process waits for that. */
static void bury(void)
{
	struct sim_process *p;

	if (!world.somebody_died)
		return;
	world.somebody_died = false;
	LL_FOREACH (world.processes, p)
		if (p->killed && p->n_lanes >= 0) {
			drop_dead(p);
			p->n_lanes = -1;
		}
}

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
	world.somebody_died = true;
	process_end(p);
	fibers_use_home(home);
}

void sim_kill(struct sim_process *p)
{
	check(p != world.outside);
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
	if (p != world.outside)
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
	LL_FOREACH (world.processes, p)
		if (p->host == h && p != world.outside)
			process_kill(p);
	host_listeners_close(h);
	disk_cut(h);
	shared_close(h);
}

void sim_power_cut(struct sim_host *h)
{
	check(!h->is_off && h != world.localhost);
	power_off(h);
	stay_dead();
}

void power_cut_here(void)
{
	sim_power_cut(host_here());
}

void sim_power_on(struct sim_host *h)
{
	check(h->is_off);
	h->is_off = false;
	h->booted_us = world.now_us;
	h->boots++;
	sim_tell("%s is on again", h->name);
}

bool sim_is_on(const struct sim_host *h)
{
	return !h->is_off;
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

/* ---- where we are ---- */

static void make_outside(void)
{
	world.localhost = sim_host("localhost", "");
	world.outside = process_new(world.localhost, "outside");
	fibers_use_home(&world.outside->thread);
}

void sim_open(uint64_t seed)
{
	if (world.by_itself)
		sim_close();
	check(!world.is_open);
	world = (struct world){ .is_open = true, .seed = seed };
	world.dice.state = seed;
	fibers_open();
	trace_open(seed);
	libraries_open(&world);
	tls_open();
	net_open(&world);
	make_outside();
	vfs_open();
}

static void open_by_itself(void)
{
	const char *text = getenv("SPLITMAIL_SEED");

	sim_open(text ? strtoull(text, NULL, 10) : 0);
	world.by_itself = true;
}

bool world_is_there(void)
{
	return world.is_open && world.outside;
}

struct world *world_here(void)
{
	if (!world.is_open)
		open_by_itself();
	return &world;
}

/* Who never came to an end is dropped. */
static void end_all(void)
{
	struct sim_process *p;

	LL_FOREACH (world.processes, p)
		if (p != world.outside)
			process_kill(p);
	bury();
	LL_FOREACH (world.processes, p)
		drop_dead(p);
	while (sim_step(world.now_us))
		;
}

void sim_close(void)
{
	struct sim_process *p, *next_process;
	struct sim_host *h, *next_host;

	check(world.is_open && !fiber_self());
	end_all();
	events_close();
	process_end(world.outside);
	LL_FOREACH_SAFE(world.processes, p, next_process)
	process_close(p);
	net_close(&world);
	LL_FOREACH_SAFE(world.hosts, h, next_host)
	host_close(h);
	fibers_close();
	world = (struct world){ .is_open = false };
}

struct place *place_here(void)
{
	struct place *here;

	world_here();
	here = fibers_home();
	return here ? here : &world.outside->thread;
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

/* ---- turns ---- */

static size_t choose(size_t n)
{
	return world.seed && n > 1 ? draw(n) : 0;
}

static void run(struct fiber *f)
{
	fibers_run(f);
	log_flush();
	world.now_us += RUN_US;
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

	world_here();
	events_run(world.now_us);
	fibers_ring(world.now_us / MS);
	bury();
	f = fibers_next(choose);
	if (f) {
		run(f);
		fibers_use_home(&world.outside->thread);
		return true;
	}
	fibers_use_home(&world.outside->thread);
	next = next_us();
	if (next > until_us || next == INT64_MAX)
		return false;
	if (next > world.now_us)
		world.now_us = next;
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
			world.now_us = until_us;
		}
	return SIM_TIME;
}
