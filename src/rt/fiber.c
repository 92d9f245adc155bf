/*
 * Fibers: switching, the run queue, deadlines and gates of one thread.
 *
 * A fiber's bookkeeping lies at the top of its own stack.  makecontext() is
 * used once per stack; after that every switch is sigsetjmp/siglongjmp without
 * signal masks, which makes no system call.  Only the loop resumes, and a
 * fiber only ever switches back to the loop.
 *
 * Invariants:
 *  1. A fiber is running, in the run queue (FIBER_READY), or parked, never two.
 *  2. A fiber has at most one place in the alarm heap.  It may ring early: an
 *     alarm set for an earlier wait is left where it is, so a wait that ends
 *     before its deadline costs no heap work.
 *  3. f->gate is set exactly while the fiber is linked in that gate.
 *  4. An ended fiber's stack stays parked in fiber_body() and starts the next
 *     fiber from there.
 *
 * Fortified longjmp takes a jump to another stack for a smashed one and
 * aborts, hence the first line of code.
 */
#undef _FORTIFY_SOURCE

#include "rt/fiber.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <ucontext.h>
#include <utlist.h>

#include "base/limits.h"
#include "rt/fiber_inside.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define not_instrumented __attribute__((no_sanitize("address")))

enum {
	ROUNDS_A_TURN = 16, /* then the kernel is asked for news */
	BREATHS = 32,       /* reads without a wait before giving way */
	STACKS_WARM = 256,  /* free stacks that keep their pages */
	STACK_KEEP_BYTES = 8192,
};

enum fiber_state {
	FIBER_RUNNING,
	FIBER_READY,
	FIBER_PARKED,
	FIBER_ENDED,
};

struct fiber {
	sigjmp_buf here; /* where it goes on */
	void *frame;     /* its frame there, for debuggers */
	const char *name;
	const char *why; /* what it is parked for */
	void (*main)(void *);
	void *arg;
	void *home;                /* fibers_use_home() */
	struct fiber *queue_next;  /* run queue or free list */
	struct fiber *prev, *next; /* all fibers of the thread */
	struct fiber *gate_prev, *gate_next;
	struct gate *gate;
	int64_t deadline;
	size_t alarm; /* 1 + place in the heap; 0: none */
	enum fiber_state state;
	enum wait_result result;
	bool cancelled;
	bool deaf;
	int breaths;
	struct stack stack;
	void *fake_stack; /* AddressSanitizer's */
	struct failure failure;
};

struct alarm {
	int64_t at;
	struct fiber *f;
};

/* One per thread that runs a loop. */
struct fibers {
	bool open;
	sigjmp_buf loop;       /* where the loop goes on */
	struct fiber *running; /* NULL: the loop itself */
	struct fiber *ready, **ready_end;
	struct fiber *round; /* ready before the others: fibers_next() */
	size_t in_round;
	void *home; /* of the running fiber, or of who starts one */
	struct fiber *all;
	struct fiber *free;
	size_t free_count;
	struct alarm *heap;
	size_t alarms, heap_room;
	void *loop_fake_stack;
	const void *loop_stack;
	size_t loop_stack_bytes;
};

static _Thread_local struct fibers here;
static atomic_int fibers_alive; /* of the process */

/* ---- AddressSanitizer has to know which stack is in use ---- */

not_instrumented static void leaving(void **fake, const void *low, size_t n)
{
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(fake, low, n);
#else
	(void)fake, (void)low, (void)n;
#endif
}

not_instrumented static void arrived(void *fake, const void **low, size_t *n)
{
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(fake, low, n);
#else
	(void)fake, (void)low, (void)n;
#endif
}

/* ---- switching ---- */

/* From the running fiber to the loop; returns when it is resumed. */
not_instrumented static void switch_to_loop(struct fiber *f)
{
	f->frame = __builtin_frame_address(0);
	if (sigsetjmp(f->here, 0) == 0) {
		leaving(f->state == FIBER_ENDED ? NULL : &f->fake_stack,
			here.loop_stack, here.loop_stack_bytes);
		siglongjmp(here.loop, 1);
	}
	arrived(here.running->fake_stack, &here.loop_stack,
		&here.loop_stack_bytes);
}

/* The last word of a fiber: from here on its stack is free for the next. */
static void fiber_end(struct fiber *f)
{
	check(!f->gate);
	f->state = FIBER_ENDED;
	f->fake_stack = NULL;
	atomic_fetch_sub(&fibers_alive, 1);
}

/* The lowest frame of every stack: one round per fiber that lived on it. */
not_instrumented static void fiber_body(void)
{
	arrived(NULL, &here.loop_stack, &here.loop_stack_bytes);
	for (;;) {
		here.running->main(here.running->arg);
		fiber_end(here.running);
		switch_to_loop(here.running);
	}
}

not_instrumented static void stack_enter(struct fiber *f)
{
	ucontext_t begin;

	check(getcontext(&begin) == 0);
	begin.uc_stack.ss_sp = f->stack.low;
	begin.uc_stack.ss_size = (size_t)((char *)f - f->stack.low);
	begin.uc_link = NULL;
	makecontext(&begin, fiber_body, 0);
	setcontext(&begin);
	check(!"setcontext");
}

/* From the loop to F; returns when F parks or ends. */
not_instrumented static void resume(struct fiber *f)
{
	bool fresh = !f->frame;

	here.running = f;
	here.home = f->home;
	f->state = FIBER_RUNNING;
	f->breaths = 0;
	fail_use_slot(&f->failure);
	if (sigsetjmp(here.loop, 0) == 0) {
		leaving(&here.loop_fake_stack, f->stack.low, f->stack.bytes);
		if (fresh)
			stack_enter(f);
		siglongjmp(f->here, 1);
	}
	arrived(here.loop_fake_stack, NULL, NULL);
	here.running = NULL;
	fail_use_slot(NULL);
}

/* ---- the alarm heap ---- */

static void heap_put(size_t i, struct alarm a)
{
	here.heap[i] = a;
	a.f->alarm = i + 1;
}

static void heap_up(size_t i, struct alarm a)
{
	while (i > 0 && here.heap[(i - 1) / 2].at > a.at) {
		heap_put(i, here.heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_put(i, a);
}

static void heap_down(size_t i, struct alarm a)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < here.alarms &&
		    here.heap[child + 1].at < here.heap[child].at)
			child++;
		if (child >= here.alarms || here.heap[child].at >= a.at)
			break;
		heap_put(i, here.heap[child]);
		i = child;
	}
	heap_put(i, a);
}

static void alarm_drop(struct fiber *f)
{
	size_t i = f->alarm - 1;
	struct alarm last;

	if (!f->alarm)
		return;
	f->alarm = 0;
	last = here.heap[--here.alarms];
	if (i == here.alarms)
		return;
	if (i > 0 && here.heap[(i - 1) / 2].at > last.at)
		heap_up(i, last);
	else
		heap_down(i, last);
}

/* Invariant 2: an alarm that rings early enough is left alone. */
static void alarm_set(struct fiber *f, int64_t at)
{
	if (at == NEVER || (f->alarm && here.heap[f->alarm - 1].at <= at))
		return;
	if (f->alarm) {
		heap_up(f->alarm - 1, (struct alarm){ at, f });
		return;
	}
	if (here.alarms == here.heap_room) {
		here.heap_room = here.heap_room ? 2 * here.heap_room : 64;
		here.heap = must_realloc(here.heap,
					 here.heap_room * sizeof(*here.heap));
	}
	here.alarms++;
	heap_up(here.alarms - 1, (struct alarm){ at, f });
}

/* ---- waking ---- */

static void make_ready(struct fiber *f)
{
	f->state = FIBER_READY;
	f->queue_next = NULL;
	*here.ready_end = f;
	here.ready_end = &f->queue_next;
}

static void end_wait(struct fiber *f, enum wait_result result)
{
	if (f->state != FIBER_PARKED)
		return;
	f->result = result;
	make_ready(f);
}

void fiber_wake(struct fiber *f)
{
	end_wait(f, WAIT_DONE);
}

void fibers_ring(int64_t now)
{
	while (here.alarms > 0 && here.heap[0].at <= now) {
		struct fiber *f = here.heap[0].f;

		alarm_drop(f);
		if (f->state != FIBER_PARKED || f->deaf)
			continue;
		if (f->deadline > now)
			alarm_set(f, f->deadline);
		else
			end_wait(f, WAIT_DEADLINE);
	}
}

/* ---- life of a fiber ---- */

/* Its bookkeeping takes the top of a stack that was never used. */
static struct fiber *fiber_place(struct stack s)
{
	size_t n = (sizeof(struct fiber) + 63) / 64 * 64;
	struct fiber *f = (struct fiber *)(void *)(s.low + s.bytes - n);

	*f = (struct fiber){ .stack = s };
	return f;
}

static struct fiber *fiber_take(void)
{
	struct fiber *f = here.free;

	if (!f)
		return fiber_place(stack_take());
	here.free = f->queue_next;
	here.free_count--;
	return f;
}

struct fiber *fiber_start(const char *name, void (*main)(void *), void *arg)
{
	struct fiber *f;

	check(here.open);
	if (atomic_fetch_add(&fibers_alive, 1) >= LIMIT_FIBERS) {
		atomic_fetch_sub(&fibers_alive, 1);
		fail("start %s: %d fibers are running", name, LIMIT_FIBERS);
		return NULL;
	}
	loops_keep();
	f = fiber_take();
	f->name = name;
	f->main = main;
	f->arg = arg;
	f->home = here.home;
	f->why = "start";
	f->cancelled = false;
	f->failure.kind = FAIL_OTHER;
	f->failure.sentence[0] = '\0';
	DL_APPEND(here.all, f);
	make_ready(f);
	return f;
}

/* In the loop, after the fiber has left its stack. */
static void fiber_recycle(struct fiber *f)
{
	alarm_drop(f);
	DL_DELETE(here.all, f);
	f->queue_next = here.free;
	here.free = f;
	if (++here.free_count > STACKS_WARM)
		stack_trim(f->stack, STACK_KEEP_BYTES);
	loops_release();
}

void fibers_open(void)
{
	check(!here.open);
	here = (struct fibers){ .open = true };
	here.ready_end = &here.ready;
}

void fibers_close(void)
{
	check(here.open && !here.all && !here.running);
	free(here.heap);
	stacks_close();
	here = (struct fibers){ .open = false };
}

static void run_round(void)
{
	struct fiber *f = here.ready;

	here.ready = NULL;
	here.ready_end = &here.ready;
	while (f) {
		struct fiber *next = f->queue_next;

		resume(f);
		if (f->state == FIBER_ENDED)
			fiber_recycle(f);
		f = next;
	}
}

bool fibers_turn(int64_t now)
{
	fibers_ring(now);
	for (int i = 0; here.ready && i < ROUNDS_A_TURN; i++)
		run_round();
	return here.ready != NULL;
}

int64_t fibers_alarm(void)
{
	return here.alarms > 0 ? here.heap[0].at : NEVER;
}

/* ---- for a loop that chooses ---- */

void fibers_use_home(void *home)
{
	here.home = home;
}

void *fibers_home(void)
{
	return here.home;
}

struct fiber *fibers_next(size_t (*choose)(size_t n))
{
	struct fiber **at = &here.round, *f;

	if (!here.round) {
		here.round = here.ready;
		here.ready = NULL;
		here.ready_end = &here.ready;
		for (f = here.round; f; f = f->queue_next)
			here.in_round++;
	}
	if (!here.round)
		return NULL;
	for (size_t i = choose(here.in_round); i > 0; i--)
		at = &(*at)->queue_next;
	f = *at;
	*at = f->queue_next;
	here.in_round--;
	return f;
}

void fibers_run(struct fiber *f)
{
	resume(f);
	if (f->state == FIBER_ENDED)
		fiber_recycle(f);
}

/* ---- what a fiber may do ---- */

struct fiber *fiber_self(void)
{
	return here.running;
}

const char *fiber_name(void)
{
	return here.running ? here.running->name : "no fiber";
}

struct failure *fiber_failure(struct fiber *f)
{
	return &f->failure;
}

bool fiber_cancelled(void)
{
	return here.running && here.running->cancelled;
}

void fiber_cancel(struct fiber *f)
{
	f->cancelled = true;
	if (!f->deaf)
		end_wait(f, WAIT_CANCELLED);
}

enum wait_result fiber_park(const char *why, int64_t deadline_ms)
{
	struct fiber *f = here.running;

	check(f);
	if (f->cancelled)
		return WAIT_CANCELLED;
	if (deadline_ms <= now_ms())
		return WAIT_DEADLINE;
	f->why = why;
	f->deadline = deadline_ms;
	f->state = FIBER_PARKED;
	alarm_set(f, deadline_ms);
	switch_to_loop(f);
	return f->result;
}

void fiber_block(const char *why)
{
	struct fiber *f = here.running;

	check(f);
	f->why = why;
	f->deaf = true;
	f->state = FIBER_PARKED;
	switch_to_loop(f);
	f->deaf = false;
}

void fiber_park_deaf(const char *why)
{
	fiber_block(why);
}

enum wait_result fiber_sleep(int64_t deadline_ms)
{
	return fiber_park("sleep", deadline_ms);
}

void fiber_yield(void)
{
	struct fiber *f = here.running;

	check(f);
	f->why = "yield";
	make_ready(f);
	switch_to_loop(f);
}

void fiber_breathe(void)
{
	if (++here.running->breaths >= BREATHS)
		fiber_yield();
}

/* ---- gates ---- */

static void gate_leave(struct fiber *f)
{
	DL_DELETE2(f->gate->first, f, gate_prev, gate_next);
	f->gate = NULL;
}

enum wait_result gate_wait(struct gate *g, int64_t deadline_ms)
{
	struct fiber *f = here.running;
	enum wait_result r;

	check(f);
	f->gate = g;
	DL_APPEND2(g->first, f, gate_prev, gate_next);
	r = fiber_park("gate", deadline_ms);
	if (f->gate)
		gate_leave(f);
	return r;
}

void gate_open(struct gate *g)
{
	while (g->first) {
		struct fiber *f = g->first;

		gate_leave(f);
		fiber_wake(f);
	}
}

/* ---- fibers that do not go on ---- */

static void nothing(void *arg)
{
	(void)arg;
}

/* It ends as every fiber, from an empty stack. */
static void drop(struct fiber *f)
{
	check(f != here.running);
	if (f->gate)
		gate_leave(f);
	if (f->state == FIBER_PARKED)
		make_ready(f);
	f->main = nothing;
	f->frame = NULL;
	f->deaf = false;
#ifdef WITH_ASAN
	__asan_unpoison_memory_region(f->stack.low,
				      f->stack.bytes - sizeof(*f));
#endif
}

void fibers_drop(const void *home)
{
	struct fiber *f;

	DL_FOREACH (here.all, f)
		if (f->home == home)
			drop(f);
}
