/*
 * One engine and whoever it talks with, for cost.c: nothing is drawn, nothing
 * goes wrong, nobody is slow, and every run is equal to every other.
 *
 *	cost_world_open();
 *	sim_start(cost_client(), "client", run, NULL);
 *	...
 *	cost_world_close();
 *
 * own.test has its mailboxes at the engine (here@), the rest at "first"
 * (a0@, a1@...), which puts later@ off, and b0@, b1@... at "second".
 */
#ifndef TEST_SIM_COST_WORLD_H
#define TEST_SIM_COST_WORLD_H

#include "rt/sim/sim.h"

#define COST_ENGINE "192.0.2.1:25"

enum { COST_USERS = 25 }; /* at each of the two */

/* Returns when the engine listens. */
void cost_world_open(void);
/* From now on all mail passes a filter, which adds a field; it answers once, as
 * Rspamd does. */
void cost_world_filter(void);
/* Stops it: nothing may be left behind. */
void cost_world_close(void);
struct sim_host *cost_client(void);
/* Writes, syncs and names of the engine's disk, so far. */
uint64_t cost_disk_changes(void);

#endif
