/*
 * An engine on a host of a world, as main/ would start it, without a line of
 * main/; and a client's side of a conversation with it.
 *
 *	static void fill(struct changes *c) { ...domain_create(c, ... }
 *
 *	engines_prepare(1);		once, before any world
 *	sim_open(seed);
 *	mx = (struct engine_of){
 *		.host = sim_host("mx", "192.0.2.1"),
 *		.settings = engine_settings_of("mx.own.test"),
 *		.fill = fill,
 *	};
 *	mx.settings.deliver.retry_min_s = 60;
 *	engine_of_start(&mx);
 *	sim_run(after_ms(1000));
 *	engine_of_change(&mx, move_bob, NULL);
 *	engine_of_stop(&mx);
 *
 * It listens on port 25 of all its host's addresses.  A struct engine_of
 * outlives its world.
 */
#ifndef TEST_SIM_ENGINE_OF_H
#define TEST_SIM_ENGINE_OF_H

#include "directory/changes.h"
#include "engine/engine.h"
#include "rt/sim/sim.h"
#include "rt/stream.h"

enum { ENGINES = 4 }; /* of one world */

/* An empty directory for each of N, and a certificate for all: to make them
 * takes longer than most worlds. */
void engines_prepare(int n);
/* Lays those of engine NUMBER on the disk of the host on which we are.  False:
 * the disk; cause(). */
bool engine_install(int number) must_check;

/* What most have in common: two lanes, a minute between attempts. */
struct engine_settings engine_settings_of(const char *hostname);

struct engine_of {
	struct sim_host *host;
	struct engine_settings settings;
	int number;                      /* below ENGINES */
	void (*fill)(struct changes *c); /* its directory, before it starts
	                                    for the first time */
	struct sim_process *process;
	struct engine *engine;
};

/* Again, too, when its process has ended. */
void engine_of_start(struct engine_of *of);
/* In order, as by SIGTERM; returns when it has ended.  Not from a fiber. */
void engine_of_stop(struct engine_of *of);
/* DO_IT(ARG) in a process of its own on the engine's host; returns when it has
 * ended.  Not from a fiber. */
void engine_of_do(const struct engine_of *of, void (*do_it)(void *arg),
		  void *arg);
/* The same for an administrator. */
void engine_of_change(const struct engine_of *of,
		      void (*change)(struct changes *c, void *arg), void *arg);

/* ---- a client ---- */

/* TEXT is one command or several, or "" for what comes by itself.  The code of
 * the reply; 0: there is none. */
int waits client_asks(struct stream *s, const char *text);
/* Greeted, and EHLO said. */
struct stream *waits client_greets(const char *at);

#endif
