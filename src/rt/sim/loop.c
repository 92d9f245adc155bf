/*
 * Loops, all run by one thread: a lane is a place where fibers are at home.
 *
 * loops_run() in a process of a world parks its caller, the main thread, until
 * the lanes have ended; outside of any fiber it turns the world until then.
 */
#include "rt/loop.h"

#include <stdlib.h>
#include <utlist.h>

#include "rt/sim/world_inside.h"

enum { POST_US = 30 }; /* until a post arrives, at most */

static struct place *lane_here(void)
{
	struct place *here = place_here();

	check(here->index >= 0);
	return here;
}

int loop_index(void)
{
	return lane_here()->index;
}

int loop_count(void)
{
	return process_here()->n_lanes;
}

/* ---- what keeps the lanes running ---- */

static void keep(struct place *where)
{
	if (where->index >= 0)
		where->process->kept++;
}

static void release(struct place *where)
{
	struct sim_process *p = where->process;

	if (where->index >= 0 && --p->kept == 0 && p->runner && !p->ended)
		fiber_wake(p->runner);
}

void loops_keep(void)
{
	keep(place_here());
}

void loops_release(void)
{
	release(place_here());
}

/* ---- posted calls ---- */

struct post {
	struct post *next;
	void (*call)(void *);
	void *arg;
};

/* The first that waits: in order, whatever the moments say.  The lane's first
 * fiber has run by then. */
static void arrive(void *lane)
{
	struct place *l = lane;
	struct post *p = l->posts;

	if (!l->begun) {
		event_of_place(l, now_us() + 1, arrive, l);
		return;
	}
	LL_DELETE(l->posts, p);
	p->call(p->arg);
	free(p);
	loops_release();
}

void loop_post(int index, void (*call)(void *), void *arg)
{
	struct sim_process *p = process_here();
	struct post *post = must_alloc(sizeof(*post));
	struct place *to;

	check(index >= 0 && index < p->n_lanes);
	to = &p->lanes[index];
	*post = (struct post){ .call = call, .arg = arg };
	LL_APPEND(to->posts, post);
	keep(to);
	event_of_place(to, now_us() + (int64_t)draw(POST_US), arrive, to);
}

/* ---- signals ---- */

static int signal_place(struct sim_process *p, int number)
{
	int i;

	for (i = 0; i < p->n_signals; i++)
		if (p->signals[i] == number)
			return i;
	check(i < SIM_SIGNALS);
	p->signals[p->n_signals++] = number;
	p->arrived[i] = false;
	return i;
}

void sim_signal(struct sim_process *p, int number)
{
	sim_tell("signal %d to %s[%d]", number, p->name, p->number);
	for (int i = 0; i < p->n_signals && !p->ended; i++)
		if (p->signals[i] == number) {
			p->arrived[i] = true;
			if (p->signal_waiter)
				fiber_wake(p->signal_waiter);
		}
}

static bool signal_take(struct sim_process *p, const int *wanted, int n,
			int *got)
{
	for (int i = 0; i < n; i++) {
		int place = signal_place(p, wanted[i]);

		if (!p->arrived[place])
			continue;
		p->arrived[place] = false;
		*got = wanted[i];
		return true;
	}
	return false;
}

void signal_watch(const int *wanted, int n)
{
	for (int i = 0; i < n; i++)
		signal_place(process_here(), wanted[i]);
}

enum wait_result signal_wait(const int *wanted, int n, int *got,
			     int64_t deadline_ms)
{
	struct sim_process *p = process_here();
	enum wait_result r = WAIT_DONE;

	check(loop_index() == 0 && !p->signal_waiter);
	while (!signal_take(p, wanted, n, got) && r == WAIT_DONE) {
		p->signal_waiter = fiber_self();
		r = fiber_park("signal", deadline_ms);
		p->signal_waiter = NULL;
	}
	return r;
}

/* ---- from the first fibers to the last ---- */

struct first_fiber {
	void (*main)(void *);
	void *arg;
};

static void run_first(void *arg)
{
	struct first_fiber f = *(struct first_fiber *)arg;

	free(arg);
	place_here()->begun = true;
	f.main(f.arg);
}

static void start_first(void (*main)(void *), void *arg)
{
	struct first_fiber *f = must_alloc(sizeof(*f));

	*f = (struct first_fiber){ main, arg };
	check(fiber_start("main", run_first, f));
}

static void lanes_start(struct sim_process *p, int n, void (*main)(void *),
			void *arg)
{
	void *home = fibers_home();

	check(!p->lanes && n > 0);
	p->lanes = must_alloc((size_t)n * sizeof(*p->lanes));
	p->n_lanes = n;
	for (int i = 0; i < n; i++)
		p->lanes[i] = (struct place){ .process = p, .index = i };
	for (int i = 0; i < n; i++) {
		fibers_use_home(&p->lanes[i]);
		start_first(main, arg);
	}
	fibers_use_home(home);
}

static void lanes_end(struct sim_process *p)
{
	free(p->lanes);
	p->lanes = NULL;
	p->n_lanes = 0;
	p->n_signals = 0;
}

void loops_run(int n, void (*main)(void *), void *arg)
{
	struct sim_process *p = process_here();
	bool goes_on = true;

	lanes_start(p, n, main, arg);
	p->runner = fiber_self();
	while (p->kept > 0 && p->runner)
		fiber_block("the loops");
	while (p->kept > 0 && goes_on)
		goes_on = sim_step(INT64_MAX);
	check(goes_on); /* else somebody waits for what never comes */
	lanes_end(p);
}
