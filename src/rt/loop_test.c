/* Loops: two threads that post to each other, signals, and how it all ends. */
#include "rt/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/stream.h"
#ifdef RT_SIM
#include "rt/sim/sim.h"
#endif

static atomic_int ran[4];

/* ---- each loop runs main once, on its own thread ---- */

static pthread_t thread[4];

static void note_loop(void *arg)
{
	check(arg == thread);
	check(loop_count() == 3);
	thread[loop_index()] = pthread_self();
	ran[loop_index()]++;
}

static void main_runs_once_per_loop(void **state)
{
	(void)state;
	loops_run(3, note_loop, thread);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ran[i], 1);
	assert_true(pthread_equal(thread[0], pthread_self()));
#ifndef RT_SIM
	assert_false(pthread_equal(thread[1], thread[0]));
	assert_false(pthread_equal(thread[2], thread[1]));
#endif
}

/* ---- posts ---- */

enum { POSTS = 5000 };

/* The sequence of one sender's posts, as the other loop sees it. */
struct line {
	int last;
	struct gate moved;
};

static struct line lines[2];

static void arrive(void *number)
{
	struct line *l = &lines[loop_index()];

	check(!fiber_self());
	check((int)(intptr_t)number == l->last + 1);
	l->last++;
	gate_open(&l->moved);
}

static void post_and_receive(void *arg)
{
	struct line *l = &lines[loop_index()];

	(void)arg;
	*l = (struct line){ .last = 0 };
	for (int i = 1; i <= POSTS; i++) {
		loop_post(1 - loop_index(), arrive, (void *)(intptr_t)i);
		if (i % 7 == 0)
			fiber_yield();
	}
	while (l->last < POSTS)
		check(gate_wait(&l->moved, after_ms(60000)) == WAIT_DONE);
}

static void posts_arrive_in_order(void **state)
{
	(void)state;
	loops_run(2, post_and_receive, NULL);
	assert_int_equal(lines[0].last, POSTS);
	assert_int_equal(lines[1].last, POSTS);
}

/* ---- a loop whose main has returned still takes work ---- */

static void late_fiber(void *arg)
{
	(void)arg;
	check(loop_index() == 1);
	fiber_sleep(after_ms(20));
	ran[1]++;
}

static void start_late(void *arg)
{
	check(fiber_start("late", late_fiber, arg));
}

static void post_late(void *arg)
{
	(void)arg;
	if (loop_index() == 1)
		return;
	fiber_sleep(after_ms(50));
	loop_post(1, start_late, NULL);
}

static void loops_end_together(void **state)
{
	(void)state;
	ran[1] = 0;
	loops_run(2, post_late, NULL);
	assert_int_equal(ran[1], 1);
}

#ifndef RT_SIM /* where all is one thread */
static void count_post(void *arg)
{
	(void)arg;
	ran[0]++;
}

static void *post_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++)
		loop_post(0, count_post, NULL);
	return NULL;
}

static void wait_for_posts(void *arg)
{
	pthread_t t[2];

	(void)arg;
	ran[0] = 0;
	for (int i = 0; i < 2; i++)
		check(pthread_create(&t[i], NULL, post_many, NULL) == 0);
	while (ran[0] < 2000)
		check(fiber_sleep(after_ms(1)) == WAIT_DEADLINE);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

static void any_thread_may_post(void **state)
{
	(void)state;
	loops_run(1, wait_for_posts, NULL);
	assert_int_equal(ran[0], 2000);
}
#endif

/* ---- one address, two listeners ---- */

static struct inet meeting;
static atomic_bool open_for_all;
static atomic_int met[2], goodbyes;

static void greet(void *arg)
{
	struct stream *s = arg;

	met[loop_index()]++;
	stream_say(s, S("hello"));
	check(stream_flush(s, after_ms(60000)));
	stream_close(s);
}

static void accept_until(void *arg)
{
	struct listener *l = arg;
	struct stream *s;

	while ((s = listener_accept(l)) != NULL)
		check(fiber_start("greet", greet, s));
}

static void visit(void)
{
	for (int i = 0; i < 100; i++) {
		struct stream *s = stream_dial(&meeting, NULL, after_ms(60000));

		check(s);
		while (stream_fill(s, after_ms(60000)) == STREAM_MORE)
			;
		check(str_same(stream_bytes(s), S("hello")));
		stream_close(s);
	}
}

static void share_address(void *arg)
{
	struct listener *l;

	(void)arg;
	if (loop_index() == 0) {
		check(inet_parse(S("127.0.0.1:0"), 0, &meeting));
		l = listener_open(&meeting);
		check(l);
		meeting = *listener_address(l);
		open_for_all = true;
	} else {
		while (!open_for_all)
			fiber_sleep(after_ms(1));
		l = listener_open(&meeting);
		check(l);
	}
	check(fiber_start("accept", accept_until, l));
	fiber_sleep(after_ms(30));
	visit();
	goodbyes++;
	while (goodbyes < 2)
		fiber_sleep(after_ms(1));
	listener_close(l);
}

static void kernel_spreads_connections(void **state)
{
	(void)state;
	loops_run(2, share_address, NULL);
	assert_int_equal(met[0] + met[1], 200);
	assert_true(met[0] > 20);
	assert_true(met[1] > 20);
}

/* ---- signals ---- */

static void signal_ourselves(int number)
{
#ifdef RT_SIM
	sim_signal(sim_process(), number);
#else
	kill(getpid(), number);
#endif
}

static void run_signals(void *arg)
{
	static const int wanted[] = { SIGUSR1, SIGUSR2 };
	int got = 0;

	(void)arg;
	signal_watch(wanted, 2);
	signal_ourselves(wanted[1]);
	check(signal_wait(wanted, 2, &got, after_ms(60000)) == WAIT_DONE);
	check(got == wanted[1]);
	check(signal_wait(wanted, 2, &got, after_ms(20)) == WAIT_DEADLINE);
	signal_ourselves(SIGUSR2);
	check(signal_wait(wanted, 2, &got, after_ms(60000)) == WAIT_DONE);
	check(got == SIGUSR2);
	/* Between two waits it is remembered. */
	signal_ourselves(SIGUSR1);
	fiber_sleep(after_ms(30));
	check(signal_wait(wanted, 2, &got, after_ms(60000)) == WAIT_DONE);
	check(got == SIGUSR1);
	check(signal_wait(wanted, 2, &got, after_ms(20)) == WAIT_DEADLINE);
}

static void signals_are_waited_for(void **state)
{
	(void)state;
	loops_run(1, run_signals, NULL);
	loops_run(1, run_signals, NULL);
}

/* ---- an idle loop costs nothing ---- */

static void run_idle(void *arg)
{
	struct timespec before, after;

	(void)arg;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	fiber_sleep(after_ms(300));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	check((after.tv_sec - before.tv_sec) * 1000 +
		      (after.tv_nsec - before.tv_nsec) / 1000000 <
	      100);
}

static void idle_loops_sleep(void **state)
{
	(void)state;
	loops_run(2, run_idle, NULL);
}

/* ---- closed before its acceptor has begun ---- */

static bool came_back;

static void accept_none(void *listener)
{
	check(!listener_accept(listener));
	came_back = true;
}

static void close_at_once(void *arg)
{
	struct listener *l = listener_open(arg);

	check(l && fiber_start("acceptor", accept_none, l));
	listener_expect(l);
	listener_close(l);
	fiber_sleep(after_ms(20));
	check(came_back);
}

static void a_listener_closed_at_once_is_left_to_its_acceptor(void **state)
{
	struct inet at;

	(void)state;
	check(inet_parse(S("127.0.0.1:0"), 0, &at));
	came_back = false;
	loops_run(1, close_at_once, &at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(main_runs_once_per_loop),
		cmocka_unit_test(posts_arrive_in_order),
		cmocka_unit_test(loops_end_together),
#ifndef RT_SIM
		cmocka_unit_test(any_thread_may_post),
#endif
		cmocka_unit_test(kernel_spreads_connections),
		cmocka_unit_test(signals_are_waited_for),
		cmocka_unit_test(idle_loops_sleep),
		cmocka_unit_test(
			a_listener_closed_at_once_is_left_to_its_acceptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
