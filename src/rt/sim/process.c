/*
 * What a process is to the kernel, as far as an engine asks: who it runs as is
 * all one here.
 */
#include <stdlib.h>

#include "rt/fault.h"
#include "rt/privileges.h"
#include "rt/process.h"
#include "rt/sim/world_inside.h"

bool privileges_drop(void)
{
	return true;
}

void privileges_raise_files(void)
{
}

/* ---- programs ---- */

static struct {
	bool (*run)(void *arg, const struct process_plan *plan,
		    struct buf *said, int *status);
	void *arg;
} programs;

void sim_programs(bool (*run)(void *arg, const struct process_plan *plan,
			      struct buf *said, int *status),
		  void *arg)
{
	programs.run = run;
	programs.arg = arg;
}

bool process_run(const struct process_plan *plan, size_t most,
		 int64_t deadline_ms, struct buf *said, int *status)
{
	(void)deadline_ms;
	if (!programs.run)
		return fail("%s: there are no programs here", plan->argv[0]);
	sim_tell("runs %s", plan->argv[0]);
	if (!programs.run(programs.arg, plan, said, status))
		return false;
	return said->n <= most || fail("%s says too much", plan->argv[0]);
}

/* ---- places where it may die ---- */

#ifdef SPLITMAIL_FAULTS

static struct {
	void (*comes_by)(void *arg, const char *place, struct str what);
	void *arg;
} watcher;

void sim_watch_places(void (*comes_by)(void *arg, const char *place,
				       struct str what),
		      void *arg)
{
	watcher.comes_by = comes_by;
	watcher.arg = arg;
}

bool fault_wanted(const char *name)
{
	return getenv(name) != NULL;
}

void fault_here(const char *place, struct str what)
{
	if (watcher.comes_by)
		watcher.comes_by(watcher.arg, place, what);
}

#endif
