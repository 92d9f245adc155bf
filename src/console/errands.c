/* Fibers on behalf of parked requests (errands.h). */
#include "console/errands.h"

#include <stdlib.h>

#include "console/parking.h"
#include "rt/loop.h"

static struct {
	atomic_uint running; /* from parking to resuming */
	atomic_bool stopping;
} all;

struct errand {
	struct request *request;
	void (*run)(struct request *r);
};

/* From here on the request is another thread's. */
static void end(struct errand *e)
{
	e->request->errand_ended = true;
	request_resume(e->request);
	free(e);
	atomic_fetch_sub(&all.running, 1);
}

static void waits errand_main(void *arg)
{
	struct errand *e = arg;

	e->run(e->request);
	end(e);
}

/* On the loop.  Without a fiber it ends as one that has found nothing. */
static void start(void *errand)
{
	if (!fiber_start("errand", errand_main, errand))
		end(errand);
}

struct response errand_begin(struct request *r, void (*run)(struct request *r))
{
	struct errand *e;

	atomic_fetch_add(&all.running, 1);
	if (atomic_load(&all.stopping)) {
		atomic_fetch_sub(&all.running, 1);
		return problem(NULL, stopping);
	}
	e = must_alloc(sizeof(*e));
	*e = (struct errand){ r, run };
	request_park(r);
	loop_post(0, start, e);
	return (struct response){ .status = 0 };
}

struct alone {
	void (*run)(void *arg);
	void *arg;
};

static void waits alone_main(void *arg)
{
	struct alone *a = arg;

	a->run(a->arg);
	free(a);
	atomic_fetch_sub(&all.running, 1);
}

static void start_alone(void *alone)
{
	if (fiber_start("errand", alone_main, alone))
		return;
	free(alone);
	atomic_fetch_sub(&all.running, 1);
}

void errand_alone(void (*run)(void *arg), void *arg)
{
	struct alone *a;

	atomic_fetch_add(&all.running, 1);
	if (atomic_load(&all.stopping)) {
		atomic_fetch_sub(&all.running, 1);
		return;
	}
	a = must_alloc(sizeof(*a));
	*a = (struct alone){ run, arg };
	loop_post(0, start_alone, a);
}

void errands_open(void)
{
	atomic_store(&all.stopping, false);
}

void errands_stop(void)
{
	enum { LOOK_AGAIN_MS = 20 };

	atomic_store(&all.stopping, true);
	while (atomic_load(&all.running) > 0)
		fiber_sleep(after_ms(LOOK_AGAIN_MS));
}
