/* Workers: batches, order, failures carried to the callers; offload. */
#include "rt/worker.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/test.h"
#include "rt/loop.h"

#ifdef RT_SIM
#include "rt/sim/sim.h"
#endif

static void block_ms(int ms)
{
#ifdef RT_SIM
	sim_block_us(ms * 1000);
#else
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
#endif
}

/* A pretended database: begin and end around each batch. */
struct book {
	struct worker *writer;
	bool open;
	int rows;
	int begins, ends;
	_Atomic int idles;
	bool fail_begin, fail_end;
	enum fail_kind end_kind;
};

static bool book_begin(void *self)
{
	struct book *b = self;

	check(!b->open);
	b->begins++;
	if (b->fail_begin)
		return fail_kind(FAIL_NO_ROOM, "begin: no room");
	b->open = true;
	return true;
}

static bool book_end(void *self)
{
	struct book *b = self;

	check(b->open);
	b->open = false;
	b->ends++;
	block_ms(2); /* a commit takes its time: others gather */
	return b->fail_end ? fail_kind(b->end_kind, "commit: disk I/O error")
			   : true;
}

static void book_idle(void *self)
{
	struct book *b = self;

	check(!b->open);
	b->idles++;
}

static const struct worker_hooks hooks = {
	.begin = book_begin,
	.end = book_end,
	.idle = book_idle,
	.idle_ms = 20,
};

struct row {
	struct book *book;
	int number;
};

static bool add_row(void *arg)
{
	struct row *r = arg;

	check(r->book->open);
	if (r->number < 0)
		return fail("row %d is refused", r->number);
	r->book->rows++;
	return true;
}

/* ---- group commit ---- */

static void add_many(void *arg)
{
	struct row r = { .book = arg };

	for (r.number = 0; r.number < 20; r.number++)
		check(worker_call(r.book->writer, add_row, &r));
}

static void start_writers(void *book)
{
	for (int i = 0; i < 20; i++)
		check(fiber_start("writer", add_many, book));
}

static void fewer_batches_than_calls(void **state)
{
	struct book b = { .rows = 0 };
	uint64_t batches, calls;

	(void)state;
	b.writer = worker_open("book", &hooks, &b);
	loops_run(2, start_writers, &b);
	worker_counts(b.writer, &batches, &calls);
	worker_close(b.writer);
	assert_int_equal(calls, 2 * 20 * 20);
	assert_int_equal(b.rows, 2 * 20 * 20);
	assert_int_equal(batches, b.ends);
	assert_true(batches < calls / 4);
}

/* ---- failures ---- */

static void run_failures(void *arg)
{
	struct book *b = arg;
	struct row good = { b, 1 }, bad = { b, -7 };

	check(!worker_call(b->writer, add_row, &bad));
	check(strcmp(cause(), "row -7 is refused") == 0);
	check(worker_call(b->writer, add_row, &good));
	b->fail_end = true;
	check(!worker_call(b->writer, add_row, &good));
	check(strcmp(cause(), "commit: disk I/O error") == 0);
	check(cause_kind() == FAIL_OTHER);
	b->end_kind = FAIL_NO_ROOM;
	check(!worker_call(b->writer, add_row, &good));
	check(cause_kind() == FAIL_NO_ROOM);
	check(!worker_call(b->writer, add_row, &bad));
	check(cause_kind() == FAIL_NO_ROOM); /* the batch's, not its own */
	b->fail_begin = true;
	check(!worker_call(b->writer, add_row, &good));
	check(strcmp(cause(), "begin: no room") == 0);
	check(cause_kind() == FAIL_NO_ROOM);
	b->fail_begin = b->fail_end = false;
	check(worker_call(b->writer, add_row, &good));
}

static void failures_reach_the_caller(void **state)
{
	struct book b = { .rows = 0 };

	(void)state;
	b.writer = worker_open("book", &hooks, &b);
	loops_run(1, run_failures, &b);
	worker_close(b.writer);
	assert_int_equal(b.rows, 4);
}

static void be_cancelled(void *arg)
{
	struct row r = { arg, 1 };

	check(worker_call(r.book->writer, add_row, &r));
	check(fiber_sleep(NEVER) == WAIT_CANCELLED);
}

static void run_cancel(void *arg)
{
	struct fiber *f = fiber_start("caller", be_cancelled, arg);

	fiber_yield();
	fiber_cancel(f);
}

static void cancellation_does_not_abandon_a_call(void **state)
{
	struct book b = { .rows = 0 };

	(void)state;
	b.writer = worker_open("book", &hooks, &b);
	loops_run(1, run_cancel, &b);
	worker_close(b.writer);
	assert_int_equal(b.rows, 1);
}

static void run_idle(void *arg)
{
	struct book *b = arg;
	struct row r = { b, 1 };

	for (int i = 1; i <= 2; i++) {
		check(worker_call(b->writer, add_row, &r));
		while (atomic_load(&b->idles) < i)
			fiber_sleep(after_ms(5));
		fiber_sleep(after_ms(100)); /* and not again */
	}
}

static void idle_comes_once_after_work(void **state)
{
	struct book b = { .rows = 0 };

	(void)state;
	b.writer = worker_open("book", &hooks, &b);
	loops_run(1, run_idle, &b);
	worker_close(b.writer);
	assert_in_range(b.idles, 2, 3);
}

/* ---- offload ---- */

static int begun, done;
static _Atomic bool is_held; /* by the loop, which goes on */

static bool block_a_while(void *arg)
{
	do
		block_ms(30);
	while (atomic_load(&is_held));
	return *(int *)arg > 0
		       ? true
		       : fail_kind(FAIL_NO_ROOM, "argument is %d", *(int *)arg);
}

static void offload_one(void *arg)
{
	int good = 1, bad = 0;

	(void)arg;
	begun++;
	check(offload(block_a_while, &good));
	check(!offload(block_a_while, &bad));
	check(strcmp(cause(), "argument is 0") == 0);
	check(cause_kind() == FAIL_NO_ROOM);
	done++;
}

static void run_offload(void *arg)
{
	(void)arg;
#ifndef RT_SIM /* where all is one thread */
	atomic_store(&is_held, true);
#endif
	for (int i = 0; i < 4; i++)
		check(fiber_start("offload", offload_one, NULL));
	fiber_sleep(after_ms(5));
	check(begun == 4 && done < 4); /* the loop goes on meanwhile */
	atomic_store(&is_held, false);
	while (done < 4)
		fiber_sleep(after_ms(5));
}

static void offload_does_not_hold_the_loop(void **state)
{
	(void)state;
	loops_run(1, run_offload, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fewer_batches_than_calls),
		cmocka_unit_test(failures_reach_the_caller),
		cmocka_unit_test(cancellation_does_not_abandon_a_call),
		cmocka_unit_test(idle_comes_once_after_work),
		cmocka_unit_test(offload_does_not_hold_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
