/*
 * Blocking work: fibers of a process's threads, which may be slow while the
 * lanes go on.
 *
 * A call comes to its turn at a moment of the seed's choice.  What it says in
 * cause() it says in the fiber that runs it; caller and callee change slots
 * before and after.
 */
#include "rt/worker.h"

#include <stdlib.h>
#include <utlist.h>

#include "rt/sim/world_inside.h"

enum {
	AT_ONCE = 4,    /* as libuv has threads */
	BEGIN_US = 100, /* until a thread takes what waits, at most */
};

static int64_t soon(void)
{
	return now_us() + 1 + (int64_t)draw(BEGIN_US);
}

/* CALL(ARG) for the fiber OF, whose cause is what is said in it. */
static bool call_for(struct fiber *of, bool (*call)(void *), void *arg)
{
	struct failure *here = fiber_failure(fiber_self());
	bool ok;

	*here = *fiber_failure(of);
	ok = call(arg);
	*fiber_failure(of) = *here;
	return ok;
}

/* ---- offload ---- */

struct errand {
	struct errand *next;
	bool (*call)(void *);
	void (*forgotten)(void *);
	void *arg;
	struct fiber *fiber; /* NULL: nobody waits */
	struct place *from;
	bool ok;
};

/* Threads stay when they have nothing to do, as they do on Linux. */
struct errands {
	struct errand *waiting;
	struct fiber *resting[AT_ONCE];
	int n_resting, n;
};

static struct errands *pool_here(void)
{
	struct sim_process *p = process_here();

	if (!p->pool) {
		p->pool = must_alloc(sizeof(*p->pool));
		*p->pool = (struct errands){ .n = 0 };
	}
	return p->pool;
}

void errands_close(struct sim_process *p)
{
	free(p->pool);
}

static void errand_run(struct errand *e)
{
	if (e->fiber) {
		e->ok = call_for(e->fiber, e->call, e->arg);
		fiber_wake(e->fiber);
		return;
	}
	e->forgotten(e->arg);
	fibers_use_home(e->from);
	loops_release();
	fibers_use_home(&e->from->process->thread);
	free(e);
}

static void run_errands(void *arg)
{
	struct errands *p = arg;

	for (;;) {
		struct errand *e = p->waiting;

		if (e) {
			LL_DELETE(p->waiting, e);
			errand_run(e);
		} else {
			p->resting[p->n_resting++] = fiber_self();
			fiber_park_deaf("an errand");
		}
	}
}

static void begin_errands(void *arg)
{
	struct errands *p = arg;

	if (p->n_resting > 0) {
		fiber_wake(p->resting[--p->n_resting]);
	} else if (p->n < AT_ONCE) {
		p->n++;
		check(fiber_start("offload", run_errands, p));
	}
}

static void send(struct errand *e)
{
	struct errands *p = pool_here();

	LL_APPEND(p->waiting, e);
	event_of_place(&process_here()->thread, soon(), begin_errands, p);
}

bool offload(bool (*call)(void *), void *arg)
{
	struct errand e = { .call = call, .arg = arg, .fiber = fiber_self() };

	check(e.fiber);
	send(&e);
	fiber_park_deaf("offload");
	return e.ok;
}

void offload_forgotten(void (*call)(void *), void *arg)
{
	struct errand *e = must_alloc(sizeof(*e));

	check(fiber_self());
	*e = (struct errand){ .forgotten = call,
			      .arg = arg,
			      .from = place_here() };
	loops_keep();
	send(e);
}

/* ---- workers ---- */

struct job {
	struct job *next;
	bool (*call)(void *);
	void *arg;
	struct fiber *fiber;
	bool ok;
};

struct worker {
	struct worker_hooks hooks;
	void *self;
	const char *name;
	struct sim_process *process;
	struct job *inbox;
	struct event *idle;
	struct fiber *fiber; /* NULL: nobody has called yet */
	bool busy;           /* it is at work, or will be */
	bool stirred;        /* there was a call since idle() ran */
	bool is_idle;        /* it is time for idle() */
	bool closing;
	uint64_t batches, calls;
};

static void batch_fail(struct job *batch)
{
	struct job *j;

	LL_FOREACH (batch, j) {
		j->ok = false;
		*fiber_failure(j->fiber) = *fiber_failure(fiber_self());
	}
}

static void batch_run(struct worker *w, struct job *batch)
{
	struct job *j, *next;

	if (!w->hooks.begin(w->self)) {
		batch_fail(batch);
	} else {
		LL_FOREACH (batch, j) {
			j->ok = call_for(j->fiber, j->call, j->arg);
			w->calls++;
		}
		w->batches++;
		if (!w->hooks.end(w->self))
			batch_fail(batch);
	}
	LL_FOREACH_SAFE(batch, j, next)
	fiber_wake(j->fiber);
}

static void on_idle(void *worker)
{
	struct worker *w = worker;

	w->idle = NULL;
	if (w->busy || !w->fiber) /* NULL: it has ended, and is about to go */
		return;
	w->busy = w->is_idle = true;
	fiber_wake(w->fiber);
}

static void rest(struct worker *w)
{
	event_forget(w->idle);
	w->idle = w->hooks.idle && w->stirred
			  ? event_of_place(&w->process->thread,
					   now_us() + w->hooks.idle_ms * MS,
					   on_idle, w)
			  : NULL;
	w->busy = false;
	fiber_park_deaf("a call");
}

static void worker_main(void *worker)
{
	struct worker *w = worker;

	while (w->inbox || !w->closing) {
		struct job *batch = w->inbox;

		w->inbox = NULL;
		if (batch) {
			batch_run(w, batch);
			w->stirred = true;
		} else if (w->is_idle) {
			w->is_idle = w->stirred = false;
			w->hooks.idle(w->self);
		} else {
			rest(w);
		}
	}
	event_forget(w->idle);
	w->idle = NULL;
	w->fiber = NULL;
}

static void begin_work(void *worker)
{
	struct worker *w = worker;

	if (w->fiber)
		fiber_wake(w->fiber);
	else
		w->fiber = fiber_start(w->name, worker_main, w);
	check(w->fiber);
}

struct worker *worker_open(const char *name, const struct worker_hooks *hooks,
			   void *self)
{
	struct worker *w = must_alloc(sizeof(*w));

	*w = (struct worker){ .hooks = *hooks,
			      .self = self,
			      .name = name,
			      .process = process_here() };
	return w;
}

bool worker_call(struct worker *w, bool (*call)(void *), void *arg)
{
	struct job j = { .call = call, .arg = arg, .fiber = fiber_self() };

	check(j.fiber && w->process == process_here());
	LL_APPEND(w->inbox, &j);
	if (!w->busy) {
		w->busy = true;
		event_of_place(&w->process->thread, soon(), begin_work, w);
	}
	fiber_park_deaf("worker");
	return j.ok;
}

void worker_close(struct worker *w)
{
	if (!w)
		return;
	w->closing = true;
	if (w->fiber)
		fiber_wake(w->fiber);
	while (w->fiber && fiber_self())
		sim_block_us(1);
	while (w->fiber)
		check(sim_step(INT64_MAX));
	check(!w->inbox);
	event_forget(w->idle);
	free(w);
}

void worker_counts(const struct worker *w, uint64_t *batches, uint64_t *calls)
{
	*batches = w->batches;
	*calls = w->calls;
}
