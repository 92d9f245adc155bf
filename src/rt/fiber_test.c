/* Fibers: order, gates, deadlines, cancellation, stacks used again. */
#include "rt/fiber.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/test.h"
#include "rt/loop.h"

static char trace[256];

static void note(const char *what)
{
	size_t n = strlen(trace);

	snprintf(trace + n, sizeof(trace) - n, "%s ", what);
}

/* ---- order ---- */

static void two_notes(void *name)
{
	note(name);
	fiber_yield();
	note(name);
}

static void run_two(void *arg)
{
	(void)arg;
	check(fiber_start("a", two_notes, "a"));
	check(fiber_start("b", two_notes, "b"));
	note("main");
	fiber_yield();
	note("main");
}

static void fibers_take_turns(void **state)
{
	(void)state;
	trace[0] = '\0';
	loops_run(1, run_two, NULL);
	assert_string_equal(trace, "main a b main a b ");
}

/* ---- deadlines ---- */

static void sleeper(void *ms)
{
	int64_t deadline = after_ms((intptr_t)ms);

	check(fiber_sleep(deadline) == WAIT_DEADLINE);
	check(now_ms() >= deadline && now_ms() < deadline + 5000);
	snprintf(trace + strlen(trace), 8, "%d ", (int)(intptr_t)ms);
}

static void run_sleepers(void *arg)
{
	static const int ms[] = { 40, 10, 30, 20, 50, 5 };

	(void)arg;
	for (size_t i = 0; i < array_size(ms); i++)
		check(fiber_start("sleep", sleeper, (void *)(intptr_t)ms[i]));
}

static void sleepers_wake_in_order(void **state)
{
	(void)state;
	trace[0] = '\0';
	loops_run(1, run_sleepers, NULL);
	assert_string_equal(trace, "5 10 20 30 40 50 ");
}

/* An alarm left over from an earlier wait must not end a later one. */
static void wake_early(void *gate)
{
	gate_open(gate);
}

static void run_left_over(void *arg)
{
	struct gate g = { NULL };
	int64_t begun = now_ms();

	(void)arg;
	check(fiber_start("opener", wake_early, &g));
	check(gate_wait(&g, begun + 20) == WAIT_DONE);
	check(fiber_sleep(begun + 80) == WAIT_DEADLINE);
	check(now_ms() >= begun + 80);
	check(gate_wait(&g, now_ms() + 10) == WAIT_DEADLINE);
	check(!g.first);
	check(gate_wait(&g, now_ms() - 1) == WAIT_DEADLINE);
	check(!g.first);
}

static void alarm_of_an_earlier_wait_is_harmless(void **state)
{
	(void)state;
	loops_run(1, run_left_over, NULL);
}

/* ---- gates ---- */

struct crowd {
	struct gate gate;
	int waiting, passed;
};

static void wait_in_crowd(void *arg)
{
	struct crowd *c = arg;

	c->waiting++;
	check(gate_wait(&c->gate, NEVER) == WAIT_DONE);
	c->passed++;
}

static void run_crowd(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 100; i++)
		check(fiber_start("crowd", wait_in_crowd, c));
	gate_open(&c->gate); /* nobody is there yet */
	while (c->waiting < 100)
		fiber_yield();
	check(c->passed == 0);
	gate_open(&c->gate);
	while (c->passed < 100)
		fiber_yield();
}

static void gate_wakes_all_that_wait(void **state)
{
	struct crowd c = { .passed = 0 };

	(void)state;
	loops_run(1, run_crowd, &c);
	assert_int_equal(c.passed, 100);
	assert_null(c.gate.first);
}

/* ---- cancellation ---- */

static void cancelled_everywhere(void *arg)
{
	struct gate g = { NULL };

	(void)arg;
	check(gate_wait(&g, NEVER) == WAIT_CANCELLED);
	check(!g.first);
	check(fiber_cancelled());
	check(fiber_sleep(NEVER) == WAIT_CANCELLED);
	check(gate_wait(&g, after_ms(1000)) == WAIT_CANCELLED);
	fiber_yield();
	note("left");
}

static void run_cancel(void *arg)
{
	struct fiber *f = fiber_start("victim", cancelled_everywhere, NULL);

	(void)arg;
	fiber_yield();
	fiber_cancel(f);
	note("cancelled");
	check(!fiber_cancelled());
}

static void cancelled_waits_fail(void **state)
{
	(void)state;
	trace[0] = '\0';
	loops_run(1, run_cancel, NULL);
	assert_string_equal(trace, "cancelled left ");
}

/* ---- causes belong to fibers ---- */

static void fails_and_looks(void *name)
{
	fail("%s failed", (char *)name);
	fiber_yield();
	note(cause());
}

static void run_causes(void *arg)
{
	(void)arg;
	check(fiber_start("a", fails_and_looks, "a"));
	check(fiber_start("b", fails_and_looks, "b"));
	fiber_sleep(after_ms(5));
	note(cause());
}

static void each_fiber_has_its_cause(void **state)
{
	(void)state;
	trace[0] = '\0';
	loops_run(1, run_causes, NULL);
	assert_string_equal(trace, "a failed b failed no cause given ");
}

/* ---- many, one after the other and at once ---- */

static int alive, most, ended;

static void deep(int levels)
{
	volatile char room[512];

	room[0] = (char)levels;
	if (levels > 0)
		deep(levels - 1);
	else
		fiber_sleep(after_ms(levels + 1));
	check(room[0] == (char)levels);
}

static void short_life(void *arg)
{
	(void)arg;
	alive++;
	most = alive > most ? alive : most;
	deep(20);
	alive--;
	ended++;
}

static void run_many(void *arg)
{
	(void)arg;
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 400; i++)
			check(fiber_start("short", short_life, NULL));
		while (ended < 400 * (round + 1))
			fiber_sleep(after_ms(1));
	}
}

static void stacks_are_used_again(void **state)
{
	(void)state;
	loops_run(1, run_many, NULL);
	assert_int_equal(ended, 2000);
	assert_int_equal(most, 400);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void run_too_many(void *arg)
{
	int n = 1;

	(void)arg;
	while (fiber_start("nothing", nothing, NULL))
		n++;
	check(n == LIMIT_FIBERS);
	check(strstr(cause(), "30000 fibers"));
	fiber_yield();
	check(fiber_start("nothing", nothing, NULL));
}

static void one_too_many_is_refused(void **state)
{
	(void)state;
	loops_run(1, run_too_many, NULL);
}

/* ---- the guard page ---- */

/* Two megabytes of stack. */
static int too_deep(int n)
{
	volatile char room[1000];

	room[0] = (char)n;
	return n == 0 ? 0 : too_deep(n - 1) + room[0];
}

static void fall(void *arg)
{
	fiber_sleep(after_ms(1));
	*(int *)arg = too_deep(2000);
}

static void overflow_ends_the_process(void **state)
{
	int result = 0, status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		close(STDERR_FILENO);
		signal(SIGSEGV, SIG_DFL);
		loops_run(1, fall, &result);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_not_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fibers_take_turns),
		cmocka_unit_test(sleepers_wake_in_order),
		cmocka_unit_test(alarm_of_an_earlier_wait_is_harmless),
		cmocka_unit_test(gate_wakes_all_that_wait),
		cmocka_unit_test(cancelled_waits_fail),
		cmocka_unit_test(each_fiber_has_its_cause),
		cmocka_unit_test(stacks_are_used_again),
		cmocka_unit_test(one_too_many_is_refused),
		cmocka_unit_test(overflow_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
