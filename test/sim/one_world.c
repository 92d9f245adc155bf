/*
 * One world from its first to its last instant.
 *
 * Things go wrong until world.calm_ms; then all is well, and time goes on until
 * every promise is kept and the queues are empty, or until nothing would
 * explain that they are not.  Then the servers are stopped.
 */
#include "one_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_sim.h"
#include "entries.h"
#include "filters.h"
#include "memory.h"
#include "neighbour.h"
#include "subject.h"

enum {
	MEMORY_EACH = 5,
	SLICE_MS = 2000,
	MOST_SLICE_MS = 16000,
	LONGEST_MS = 1500000, /* after which nothing explains it */
	LOOK_MS = 300,
	STOP_MS = 200000,
};

static const int64_t up_for_weeks_ms = 2000000000; /* 23 days */

/* ---- time ---- */

static void go_on(int64_t ms)
{
	sim_run(after_ms(ms));
	splitmails_look_after();
}

static void mend_links(void)
{
	struct sim_host *all[SPLITMAILS + TAKERS + CLIENTS];
	int n = 0;

	for (int i = 0; i < world.n_takers; i++)
		all[n++] = world.takers[i].host;
	for (int i = 0; i < world.n_clients; i++)
		all[n++] = world.clients[i].host;
	sim_link_default()->reset_in = 0;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
			if (all[i] != all[k])
				sim_link(all[i], all[k])->reset_in = 0;
}

static void calm_down(void)
{
	world.is_calm = true;
	world.calm_ms = now_ms();
	if (world.reset_in)
		mend_links();
	tell("from now on all is well");
}

static bool queues_are_empty(void)
{
	bool empty = true;

	for (int i = 0; i < world.n_splitmails; i++)
		splitmail_inspect(&world.splitmails[i]);
	go_on(LOOK_MS);
	for (int i = 0; i < world.n_splitmails; i++) {
		const struct splitmail *s = &world.splitmails[i];

		empty &= s->is_inspected && !s->queued && !s->spooled;
	}
	return empty;
}

static void come_to_an_end(void)
{
	int64_t longest = LONGEST_MS, slice = SLICE_MS;

	if (world.has_gone)
		longest += world.expiry_s * 1000;
	while (now_ms() < world.calm_ms + longest) {
		go_on(slice);
		if (clients_are_done() && books_are_even() &&
		    queues_are_empty())
			return;
		if (slice < MOST_SLICE_MS)
			slice *= 2;
	}
	tell("nothing explains why it takes longer");
}

static void stop(void)
{
	int64_t end = after_ms(STOP_MS);

	splitmails_stop();
	while (!splitmails_have_ended() && now_ms() < end)
		go_on(SLICE_MS);
}

/* ---- told ---- */

/* "12.000345 s0: = ..." */
static void show_line(void *arg, const char *line)
{
	const char *told = strstr(line, ": = ");

	(void)arg;
	if (told)
		printf("%9.3f %-5.*s %s\n", strtod(line, NULL),
		       (int)(told - strchr(line, ' ') - 1),
		       strchr(line, ' ') + 1, told + 4);
}

static void judge_lines(void *arg, struct sim_host *h, struct str lines)
{
	struct str line;

	(void)arg;
	while (str_split(&lines, '\n', &line))
		books_logged(sim_host_name(h), line);
}

static void show_log(void *arg, struct sim_host *h, struct str lines)
{
	struct str line;

	judge_lines(arg, h, lines);
	while (str_split(&lines, '\n', &line))
		printf("          %-5s | %.*s\n", sim_host_name(h), STR(line));
}

/* ---- a world ---- */

static void draw_plan(const struct one_world *w)
{
	struct str bad;

	plan_draw(w->seed);
	if (entries_leave_out(w->without, &bad))
		return;
	fprintf(stderr, "there is no %.*s in world %llu\n", STR(bad),
		(unsigned long long)w->seed);
	exit(2);
}

/* Half of the machines were switched on just now, and the others weeks ago: what
 * forgets an instant takes it for 0, which is now for the former. */
static int64_t up_ms(uint64_t seed)
{
	return seed * 71 % 10067 % 2 ? 0 : up_for_weeks_ms;
}

void world_open(const struct one_world *w)
{
	sim_open(w->seed);
	sim_have_been_up(up_ms(w->seed));
	if (w->is_told)
		sim_hear(show_line, NULL);
	sim_hear_log(w->with_log ? show_log : judge_lines, NULL);
	draw_plan(w);
	books_open();
}

void world_close(void)
{
	sim_hear(NULL, NULL);
	sim_hear_log(NULL, NULL);
	sim_close();
	neighbours_forget();
	dns_sim_forget();
	books_close();
}

void world_tell_plan(const struct one_world *w)
{
	struct one_world told = *w;

	told.is_told = true;
	world_open(&told);
	plan_tell();
	world_close();
}

bool world_is_about(uint64_t seed, const char *subject)
{
	bool is;

	world_open(&(struct one_world){ .seed = seed });
	is = strcmp(subject_name(), subject) == 0;
	world_close();
	return is;
}

static void live(void)
{
	plan_tell();
	takers_start();
	filters_start();
	splitmails_start();
	clients_start();
	events_start();
	while (now_ms() < world.calm_ms || !events_are_over())
		go_on(SLICE_MS);
	calm_down();
	come_to_an_end();
	stop();
	books_balance();
}

bool one_world_begins_anew(uint64_t seed)
{
	return seed % MEMORY_EACH == 0;
}

/* It takes longer than most worlds, and what a killed server had is not given
 * back. */
static void look_for_lost_memory(struct outcome *o)
{
	if (o->is_bad || world.has_crashes || world.has_dead_filters ||
	    !one_world_begins_anew(world.seed) || !memory_is_lost())
		return;
	o->is_bad = true;
	snprintf(o->verdict, sizeof(o->verdict), "memory is lost");
}

void one_world(const struct one_world *w, struct outcome *o)
{
	world_open(w);
	live();
	o->trace = sim_trace();
	o->totals = books_totals();
	o->is_bad = books_verdict() != NULL;
	if (o->is_bad)
		snprintf(o->verdict, sizeof(o->verdict), "%s", books_verdict());
	world_close();
	look_for_lost_memory(o);
}
