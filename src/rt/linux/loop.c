/*
 * Loops on libuv: one uv_loop_t and one thread each.
 *
 * One turn of a loop:
 *
 *	timers ─ prepare ─ epoll_wait ─ callbacks ─ check
 *	            │                       │         │
 *	            │           fiber_wake()┘         │
 *	            └── run the ready fibers ─────────┘
 *
 * Callbacks only wake; fibers run in prepare and check, where nothing of
 * libuv is half done.  When fibers are still ready after that, an idle handle
 * keeps epoll_wait from blocking.
 *
 * The loops end together, when no fiber and no posted call is left in any.
 */
#include "rt/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rt/fiber_inside.h"
#include "rt/linux/loop_inside.h"
#include "rt/log.h"

enum { SIGNALS = 8 };

struct post {
	struct post *next;
	void (*call)(void *);
	void *arg;
};

struct loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;
	uv_timer_t timer;
	int64_t timer_at; /* what the timer is set to, or NEVER */
	uv_async_t async;
	pthread_t thread;
	pthread_mutex_t lock; /* of the inbox */
	struct post *inbox, **inbox_end;
};

/* Signals arrive on loop 0; one fiber at a time waits for them. */
struct signals {
	uv_signal_t handle[SIGNALS];
	bool arrived[SIGNALS];
	int n;
	struct fiber *waiter;
};

static struct loop *loops;
static int loops_n;
static atomic_int kept; /* fibers and posted calls, of all loops */
static atomic_bool ending;
static struct signals signals;
static _Thread_local struct loop *here;

uv_loop_t *loop_uv(void)
{
	check(here);
	return &here->uv;
}

int loop_index(void)
{
	check(here);
	return (int)(here - loops);
}

int loop_count(void)
{
	return loops_n;
}

void loops_keep(void)
{
	atomic_fetch_add(&kept, 1);
}

void loops_release(void)
{
	if (atomic_fetch_sub(&kept, 1) != 1)
		return;
	atomic_store(&ending, true);
	for (int i = 0; i < loops_n; i++)
		uv_async_send(&loops[i].async);
}

int64_t now_ms(void)
{
	return here ? (int64_t)uv_now(&here->uv) : now_us() / 1000;
}

/* ---- turns ---- */

static void on_idle(uv_idle_t *idle)
{
	(void)idle;
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	here->timer_at = NEVER;
}

static void set_timer(void)
{
	int64_t at = fibers_alarm(), now = now_ms();

	if (at == here->timer_at)
		return;
	here->timer_at = at;
	if (at == NEVER)
		uv_timer_stop(&here->timer);
	else
		uv_timer_start(&here->timer, on_timer,
			       at > now ? (uint64_t)(at - now) : 0, 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
	if (fibers_turn(now_ms()))
		uv_idle_start(&here->idle, on_idle);
	else
		uv_idle_stop(&here->idle);
	set_timer();
	log_flush();
}

static void on_check(uv_check_t *c)
{
	(void)c;
	fibers_turn(now_ms());
}

/* ---- posted calls ---- */

static struct post *inbox_take(struct loop *l)
{
	struct post *first;

	pthread_mutex_lock(&l->lock);
	first = l->inbox;
	l->inbox = NULL;
	l->inbox_end = &l->inbox;
	pthread_mutex_unlock(&l->lock);
	return first;
}

static void on_async(uv_async_t *async)
{
	struct post *p = inbox_take(here);

	while (p) {
		struct post *next = p->next;

		p->call(p->arg);
		free(p);
		loops_release();
		p = next;
	}
	if (atomic_load(&ending))
		uv_stop(async->loop);
}

void loop_post(int index, void (*call)(void *), void *arg)
{
	struct post *p = must_alloc(sizeof(*p));
	struct loop *l;
	bool first;

	check(index >= 0 && index < loops_n);
	l = &loops[index];
	*p = (struct post){ .call = call, .arg = arg };
	loops_keep();
	pthread_mutex_lock(&l->lock);
	first = !l->inbox;
	*l->inbox_end = p;
	l->inbox_end = &p->next;
	pthread_mutex_unlock(&l->lock);
	if (first)
		uv_async_send(&l->async);
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	signals.arrived[handle - signals.handle] = true;
	if (signals.waiter)
		fiber_wake(signals.waiter);
}

/* Once watched, a signal is watched until the loops end: between two waits it
 * is remembered. */
static int signal_place(int number)
{
	int i;

	for (i = 0; i < signals.n; i++)
		if (signals.handle[i].signum == number)
			return i;
	check(i < SIGNALS);
	signals.n++;
	check(uv_signal_init(loop_uv(), &signals.handle[i]) == 0);
	check(uv_signal_start(&signals.handle[i], on_signal, number) == 0);
	uv_unref((uv_handle_t *)&signals.handle[i]);
	return i;
}

static bool signal_take(const int *wanted, int n, int *got)
{
	for (int i = 0; i < n; i++) {
		int place = signal_place(wanted[i]);

		if (!signals.arrived[place])
			continue;
		signals.arrived[place] = false;
		*got = wanted[i];
		return true;
	}
	return false;
}

void signal_watch(const int *wanted, int n)
{
	for (int i = 0; i < n; i++)
		signal_place(wanted[i]);
}

enum wait_result signal_wait(const int *wanted, int n, int *got,
			     int64_t deadline_ms)
{
	enum wait_result r = WAIT_DONE;

	check(loop_index() == 0 && !signals.waiter);
	while (!signal_take(wanted, n, got) && r == WAIT_DONE) {
		signals.waiter = fiber_self();
		r = fiber_park("signal", deadline_ms);
		signals.waiter = NULL;
	}
	return r;
}

/* ---- opening, running, closing ---- */

static void loop_open(struct loop *l)
{
	l->inbox_end = &l->inbox;
	l->timer_at = NEVER;
	check(pthread_mutex_init(&l->lock, NULL) == 0);
	check(uv_loop_init(&l->uv) == 0);
	check(uv_prepare_init(&l->uv, &l->prepare) == 0);
	check(uv_check_init(&l->uv, &l->check) == 0);
	check(uv_idle_init(&l->uv, &l->idle) == 0);
	check(uv_timer_init(&l->uv, &l->timer) == 0);
	check(uv_async_init(&l->uv, &l->async, on_async) == 0);
	uv_prepare_start(&l->prepare, on_prepare);
	uv_check_start(&l->check, on_check);
}

static void close_handle(uv_handle_t *handle, void *none)
{
	(void)none;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void loop_close(struct loop *l)
{
	uv_walk(&l->uv, close_handle, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	check(uv_loop_close(&l->uv) == 0);
	pthread_mutex_destroy(&l->lock);
}

struct first_fiber {
	void (*main)(void *);
	void *arg;
};

static struct first_fiber first_fiber;

static void *loop_run(void *l)
{
	here = l;
	fibers_open();
	check(fiber_start("main", first_fiber.main, first_fiber.arg));
	loops_release(); /* the place kept in loops_run() */
	uv_run(&here->uv, UV_RUN_DEFAULT);
	uv_prepare_stop(&here->prepare);
	uv_check_stop(&here->check);
	fibers_close();
	blocks_close();
	log_flush();
	return NULL;
}

void loops_run(int n, void (*main)(void *), void *arg)
{
	check(!loops && n > 0);
	signal(SIGPIPE, SIG_IGN);
	loops = calloc((size_t)n, sizeof(*loops));
	check(loops);
	loops_n = n;
	signals = (struct signals){ .n = 0 };
	atomic_store(&ending, false);
	atomic_store(&kept, n);
	first_fiber = (struct first_fiber){ main, arg };
	for (int i = 0; i < n; i++)
		loop_open(&loops[i]);
	for (int i = 1; i < n; i++)
		check(pthread_create(&loops[i].thread, NULL, loop_run,
				     &loops[i]) == 0);
	loop_run(&loops[0]);
	for (int i = 1; i < n; i++)
		pthread_join(loops[i].thread, NULL);
	for (int i = 0; i < n; i++)
		loop_close(&loops[i]);
	here = NULL;
	free(loops);
	loops = NULL;
	loops_n = 0;
}
