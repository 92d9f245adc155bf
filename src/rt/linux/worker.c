/*
 * Blocking work on other threads.
 *
 * A job lies on the stack of the fiber that waits for it.  The fiber is deaf
 * (neither deadline nor cancellation ends its wait), so the memory stays good
 * until the other thread is done; for the same reason fail() on the other
 * thread may write straight into the fiber's slot.
 */
#include "rt/worker.h"
#include "rt/log.h"
#include "rt/privileges.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rt/fiber_inside.h"
#include "rt/linux/loop_inside.h"

/* ---- offload: libuv's pool ---- */

struct errand {
	uv_work_t work;
	bool (*call)(void *);
	void *arg;
	struct fiber *fiber;
	bool ok;
};

static void errand_run(uv_work_t *work)
{
	struct errand *e = work->data;

	fail_use_slot(fiber_failure(e->fiber));
	e->ok = e->call(e->arg);
	fail_use_slot(NULL);
}

static void errand_done(uv_work_t *work, int status)
{
	struct errand *e = work->data;

	check(status == 0);
	fiber_wake(e->fiber);
}

bool offload(bool (*call)(void *), void *arg)
{
	struct errand e = { .call = call, .arg = arg, .fiber = fiber_self() };

	check(e.fiber);
	e.work.data = &e;
	check(uv_queue_work(loop_uv(), &e.work, errand_run, errand_done) == 0);
	fiber_park_deaf("offload");
	return e.ok;
}

struct forgotten {
	uv_work_t work;
	void (*call)(void *);
	void *arg;
};

static void forgotten_run(uv_work_t *work)
{
	struct forgotten *f = work->data;

	f->call(f->arg);
}

static void forgotten_done(uv_work_t *work, int status)
{
	free(work->data);
}

void offload_forgotten(void (*call)(void *), void *arg)
{
	struct forgotten *f = must_alloc(sizeof(*f));

	check(fiber_self());
	*f = (struct forgotten){ .call = call, .arg = arg };
	f->work.data = f;
	check(uv_queue_work(loop_uv(), &f->work, forgotten_run,
			    forgotten_done) == 0);
}

/* ---- workers ---- */

struct job {
	struct job *next;
	bool (*call)(void *);
	void *arg;
	struct fiber *fiber;
	int loop;
	bool ok;
};

struct worker {
	const char *name;
	struct worker_hooks hooks;
	void *self;
	pthread_t thread;
	pthread_mutex_t lock; /* of the four below */
	pthread_cond_t news;
	struct job *inbox, **inbox_end;
	bool closing;
	bool stirred; /* there was a call since idle() ran */
	_Atomic uint64_t batches, calls;
};

/* Posted to a loop: the jobs of one batch whose fibers live there. */
static void wake_callers(void *first)
{
	struct job *j = first;

	while (j) {
		struct job *next = j->next; /* gone once the fiber runs */

		fiber_wake(j->fiber);
		j = next;
	}
}

/* One message per loop, however many of its fibers waited. */
static void batch_settle(struct job *batch)
{
	while (batch) {
		struct job *rest = NULL, **rest_end = &rest;
		struct job *same = NULL, **same_end = &same;
		int loop = batch->loop;

		for (struct job *j = batch; j; j = j->next) {
			struct job ***end =
				j->loop == loop ? &same_end : &rest_end;
			**end = j;
			*end = &j->next;
		}
		*same_end = NULL;
		*rest_end = NULL;
		loop_post(loop, wake_callers, same);
		batch = rest;
	}
}

/* begin() or end() failed: so did every call, and all are told why. */
static void batch_fail(struct job *batch)
{
	struct failure why;

	failure_save(&why);
	for (struct job *j = batch; j; j = j->next) {
		j->ok = false;
		*fiber_failure(j->fiber) = why;
	}
}

static uint64_t batch_calls(struct job *batch)
{
	uint64_t n = 0;

	for (struct job *j = batch; j; j = j->next, n++) {
		fail_use_slot(fiber_failure(j->fiber));
		j->ok = j->call(j->arg);
	}
	fail_use_slot(NULL);
	return n;
}

static void batch_run(struct worker *w, struct job *batch)
{
	if (!w->hooks.begin(w->self)) {
		batch_fail(batch);
	} else {
		atomic_fetch_add(&w->calls, batch_calls(batch));
		atomic_fetch_add(&w->batches, 1);
		if (!w->hooks.end(w->self))
			batch_fail(batch);
	}
	batch_settle(batch);
}

/* Sleep until there is news; false: it is time for idle(). */
static bool news_wait(struct worker *w)
{
	struct timespec until;

	if (!w->hooks.idle || !w->stirred)
		return pthread_cond_wait(&w->news, &w->lock) == 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += w->hooks.idle_ms / 1000;
	until.tv_nsec += w->hooks.idle_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return pthread_cond_timedwait(&w->news, &w->lock, &until) != ETIMEDOUT;
}

static void idle_run(struct worker *w)
{
	w->stirred = false;
	pthread_mutex_unlock(&w->lock);
	w->hooks.idle(w->self);
	pthread_mutex_lock(&w->lock);
}

/* Everything that waits, in order of arrival; NULL: closing. */
static struct job *batch_take(struct worker *w)
{
	struct job *batch;

	pthread_mutex_lock(&w->lock);
	while (!w->inbox && !w->closing)
		if (!news_wait(w) && !w->inbox && !w->closing)
			idle_run(w);
	batch = w->inbox;
	w->inbox = NULL;
	w->inbox_end = &w->inbox;
	pthread_mutex_unlock(&w->lock);
	return batch;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct job *batch;

	/* By itself: another's name goes by way of a file in /proc. */
	pthread_setname_np(pthread_self(), w->name);
	/* Capabilities are a thread's: nothing a worker does needs one. */
	if (!privileges_drop())
		log_warn("rt", "%s", cause());
	while ((batch = batch_take(w)) != NULL)
		batch_run(w, batch);
	return NULL;
}

static void news_init(pthread_cond_t *news)
{
	pthread_condattr_t attr;

	check(pthread_condattr_init(&attr) == 0);
	check(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	check(pthread_cond_init(news, &attr) == 0);
	pthread_condattr_destroy(&attr);
}

struct worker *worker_open(const char *name, const struct worker_hooks *hooks,
			   void *self)
{
	struct worker *w = must_alloc(sizeof(*w));
	int trouble;

	*w = (struct worker){
		.name = name, .hooks = *hooks, .self = self, .stirred = true
	};
	w->inbox_end = &w->inbox;
	check(pthread_mutex_init(&w->lock, NULL) == 0);
	news_init(&w->news);
	trouble = pthread_create(&w->thread, NULL, worker_main, w);
	if (trouble) {
		fail("start thread %s: %s", name, strerror(trouble));
		free(w);
		return NULL;
	}
	return w;
}

static void inbox_add(struct worker *w, struct job *j)
{
	pthread_mutex_lock(&w->lock);
	check(!w->closing);
	*w->inbox_end = j;
	w->inbox_end = &j->next;
	w->stirred = true;
	pthread_cond_signal(&w->news);
	pthread_mutex_unlock(&w->lock);
}

bool worker_call(struct worker *w, bool (*call)(void *), void *arg)
{
	struct job j = {
		.call = call,
		.arg = arg,
		.fiber = fiber_self(),
		.loop = loop_index(),
	};

	check(j.fiber);
	inbox_add(w, &j);
	fiber_park_deaf("worker");
	return j.ok;
}

void worker_close(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_signal(&w->news);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	check(!w->inbox);
	pthread_cond_destroy(&w->news);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void worker_counts(const struct worker *w, uint64_t *batches, uint64_t *calls)
{
	*batches = atomic_load(&w->batches);
	*calls = atomic_load(&w->calls);
}
