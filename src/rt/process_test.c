/* Child processes: how they end, what they get, and that none is left. */
#include "rt/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/loop.h"

#define SHELL(script) ((const char *const[]){ "/bin/sh", "-c", script, NULL })

static int status_of(const struct process_plan *plan)
{
	struct process *p = process_start(plan);
	int status = -1;

	check(p);
	check(process_wait(p, after_ms(60000), &status) == WAIT_DONE);
	process_free(p);
	return status;
}

static int shell(const char *script)
{
	struct process_plan plan = { .argv = SHELL(script) };

	return status_of(&plan);
}

/* ---- how it ends ---- */

static void run_endings(void *arg)
{
	struct process_plan none = { .argv = SHELL("x") };
	const char *missing[] = { "/nonexistent/program", NULL };
	struct process_plan nowhere = {
		.argv = SHELL("exit 0"),
		.folder = "/nonexistent/folder",
	};

	(void)arg;
	check(shell("exit 0") == 0);
	check(shell("exit 7") == 7);
	check(shell("kill -9 $$") == 128 + SIGKILL);
	none.argv = missing;
	check(!process_start(&none));
	check(strstr(cause(), "start /nonexistent/program: No such file"));
	check(!process_start(&nowhere));
	check(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void endings_are_reported(void **state)
{
	(void)state;
	loops_run(1, run_endings, NULL);
}

static void run_signal(void *arg)
{
	struct process_plan plan = { .argv = SHELL("exec sleep 30") };
	struct process *p = process_start(&plan);
	int status = -1;

	(void)arg;
	check(p && process_id(p) > 1);
	check(process_wait(p, after_ms(50), &status) == WAIT_DEADLINE);
	process_signal(p, SIGTERM);
	check(process_wait(p, after_ms(60000), &status) == WAIT_DONE);
	check(status == 128 + SIGTERM);
	process_signal(p, SIGKILL); /* nobody is hit */
	process_free(p);
}

static void signals_reach_it(void **state)
{
	(void)state;
	loops_run(1, run_signal, NULL);
}

/* Nobody waits for it when it ends; its end is remembered. */
static void run_unwatched(void *arg)
{
	struct process_plan plan = { .argv = SHELL("exit 3") };
	struct process *p = process_start(&plan);
	int status = -1;

	(void)arg;
	fiber_sleep(after_ms(300));
	check(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	check(process_wait(p, NEVER, &status) == WAIT_DONE && status == 3);
	process_free(p);
}

static void no_zombie_is_left(void **state)
{
	(void)state;
	loops_run(1, run_unwatched, NULL);
}

/* ---- what it gets ---- */

static void run_surroundings(void *arg)
{
	struct process_plan plan = {
		.argv = SHELL("test $RT_OLD = new && test $RT_NEW = 1 && "
			      "test -n \"$PATH\" && test $(pwd) = / && "
			      "env | grep -c ^RT_OLD= | grep -qx 1"),
		.environment =
			(const char *const[]){ "RT_OLD=new", "RT_NEW=1", NULL },
		.folder = "/",
	};
	int leak = open("/dev/null", O_RDONLY); /* not CLOEXEC */

	(void)arg;
	setenv("RT_OLD", "old", 1);
	check(status_of(&plan) == 0);
	check(leak > 2);
	/* 0, 1, 2 and the one `ls` opens itself; SIGPIPE not ignored */
	check(shell("test \"$(ls /proc/self/fd | wc -l)\" = 4") == 0);
	check(shell("grep -q '^SigIgn:.*0000000000000000' "
		    "/proc/self/status") == 0);
	check(shell("grep -q '^SigBlk:.*0000000000000000' "
		    "/proc/self/status") == 0);
	check(shell("test \"$(readlink /proc/self/fd/0)\" = /dev/null") == 0);
	plan = (struct process_plan){
		.argv = SHELL("test \"$(readlink /proc/$$/fd/1)\" = /dev/null"
			      " && test \"$(readlink /proc/$$/fd/2)\" = "
			      "/dev/null"),
		.quiet = true,
	};
	check(status_of(&plan) == 0);
	close(leak);
}

static void surroundings_are_as_planned(void **state)
{
	(void)state;
	loops_run(1, run_surroundings, NULL);
}

/* ---- readiness ---- */

static void expect_ready(const char *script, int fd, bool ready,
			 const char *why)
{
	struct process_plan plan = { .argv = SHELL(script), .ready_fd = fd };
	struct process *p = process_start(&plan);
	bool is_long = why && !strcmp(why, "timed out");
	int status;

	check(p);
	check(process_ready(p, after_ms(is_long ? 400 : 60000)) == ready);
	check(!why || strstr(cause(), why));
	process_signal(p, SIGTERM);
	check(process_wait(p, after_ms(60000), &status) == WAIT_DONE);
	process_free(p);
}

static void run_ready(void *arg)
{
	(void)arg;
	for (int fd = 3; fd <= 9; fd++) {
		char script[64];

		snprintf(script, sizeof(script),
			 "echo ready >&%d; exec sleep 9", fd);
		expect_ready(script, fd, true, NULL);
	}
	expect_ready("exec sleep 9", 3, false, "timed out");
	expect_ready("exit 1", 3, false, "ended");
	expect_ready("sleep 1 & exit 1", 3, false, "ended");
	expect_ready("printf half >&3; exec sleep 9", 3, false, "timed out");
}

static void readiness_is_a_line(void **state)
{
	(void)state;
	loops_run(1, run_ready, NULL);
}

/* ---- from start to end ---- */

static bool run(const char *script, size_t most, int64_t within_ms,
		struct buf *said, int *status)
{
	struct process_plan plan = { .argv = SHELL(script), .quiet = true };

	return process_run(&plan, most, after_ms(within_ms), said, status);
}

static void run_output(void *arg)
{
	struct buf said scoped(buf) = BUF_EMPTY;
	int64_t begun = now_us();
	int status = -1;

	(void)arg;
	check(run("echo one; echo two; echo no >&2; exit 3", 8, 60000, &said,
		  &status));
	check(str_same(buf_str(&said), S("one\ntwo\n")) && status == 3);
	/* much, and all of it */
	check(run("seq 100000", 1 << 20, 60000, &said, &status));
	check(said.n == 588895 && status == 0);
	check(str_ends(buf_str(&said), S("\n100000\n")));
	check(run("exit 0", 0, 60000, &said, &status) && said.n == 0);
	/* what it leaves behind does not hold us up */
	check(run("echo word; sleep 60 & exit 0", 10, 60000, &said, &status));
	check(str_same(buf_str(&said), S("word\n")));

	check(!run("echo 123456789", 9, 60000, &said, &status));
	check(strstr(cause(), "/bin/sh: it writes more than 9 bytes"));
	check(!run("while :; do echo more; done", 1000, 60000, &said, &status));
	check(!run("exec sleep 60", 10, 200, &said, &status));
	check(strstr(cause(), "timed out"));
	check(!run("exec >&-; exec sleep 60", 10, 200, &said, &status));
	check(strstr(cause(), "timed out"));
	check(now_us() - begun < 50000000); /* sooner than the sleeps */
	check(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void output_is_kept(void **state)
{
	(void)state;
	loops_run(1, run_output, NULL);
}

/* ---- somebody else's child, by its id ---- */

static void run_members(void *arg)
{
	struct process_plan plan = { .argv = SHELL("exec sleep 60") };
	struct process *one = process_start(&plan);
	struct process *other = process_start(&plan);
	int id = process_id(one), status = -1;

	(void)arg;
	check(!process_signal_member(process_id(other), id, SIGTERM));
	check(process_wait(one, after_ms(50), &status) == WAIT_DEADLINE);
	check(process_age_ms(id) >= 40 && process_age_ms(id) < 60000);
	check(process_age_ms(1) > process_age_ms(id));
	check(process_signal_member(id, id, SIGTERM));
	check(process_wait(one, after_ms(60000), &status) == WAIT_DONE);
	check(status == 128 + SIGTERM);
	check(!process_signal_member(id, id, SIGTERM));
	check(process_age_ms(id) == -1);
	process_free(one);
	process_signal(other, SIGTERM);
	check(process_wait(other, after_ms(60000), &status) == WAIT_DONE);
	process_free(other);
}

static void only_a_member_is_signalled(void **state)
{
	(void)state;
	loops_run(1, run_members, NULL);
}

/* ---- whatever numbers our own descriptors have ---- */

static void expect_both(int shared, int as, int ready)
{
	char script[200]; /* dash has descriptors of one digit */
	const char *argv[] = { "/bin/bash", "-c", script, NULL };
	struct process_plan plan = { .argv = argv,
				     .ready_fd = ready,
				     .shared_fd = shared,
				     .shared_as = as };
	struct process *p;
	int status = -1;

	snprintf(script, sizeof(script),
		 "[ /proc/self/fd/%d -ef / ] && echo >&%d", as, ready);
	p = process_start(&plan);
	check(p && process_ready(p, after_ms(60000)));
	check(process_wait(p, after_ms(60000), &status) == WAIT_DONE);
	check(status == 0);
	process_free(p);
}

static void run_both(void *arg)
{
	int shared = open("/", O_RDONLY | O_CLOEXEC);

	(void)arg;
	/* those the start will make are the next ones free */
	for (int next = 0; next < 8; next++) {
		expect_both(shared, shared + 1 + next, shared + 20);
		expect_both(shared, shared + 20, shared + 1 + next);
		expect_both(shared, shared + 1 + next, shared);
	}
	close(shared);
}

static void what_is_given_overwrites_nothing(void **state)
{
	(void)state;
	loops_run(1, run_both, NULL);
}

/* ---- whoever holds what he inherited ---- */

/* A child, and a child of it, have the folder open as 77; another one has it as
 * 78, and one has another folder. */
static void run_holders(void *folder)
{
	enum { THERE = 77 };
	const char *argv[] = { "/bin/sh", "-c", "sleep 60 & echo >&3; wait",
			       NULL };
	const char *apart[] = { "/bin/sh", "-c", "echo >&3; exec sleep 60",
				NULL };
	int fd = open(folder, O_RDONLY | O_CLOEXEC);
	int other = open("/", O_RDONLY | O_CLOEXEC);
	struct process_plan plans[] = {
		{ .argv = argv,
		  .ready_fd = 3,
		  .shared_fd = fd,
		  .shared_as = THERE },
		{ .argv = apart,
		  .ready_fd = 3,
		  .shared_fd = fd,
		  .shared_as = THERE + 1 },
		{ .argv = apart,
		  .ready_fd = 3,
		  .shared_fd = other,
		  .shared_as = THERE },
	};
	struct process *p[array_size(plans)];
	int status;

	check(fd >= 0 && other >= 0);
	for (size_t i = 0; i < array_size(plans); i++) {
		p[i] = process_start(&plans[i]);
		check(p[i] && process_ready(p[i], after_ms(60000)));
	}
	check(process_signal_holders(folder, THERE, SIGTERM) == 2);
	check(process_wait(p[0], after_ms(60000), &status) == WAIT_DONE);
	for (size_t i = 1; i < array_size(plans); i++) {
		check(process_wait(p[i], after_ms(100), &status) ==
		      WAIT_DEADLINE);
		process_signal(p[i], SIGKILL);
		check(process_wait(p[i], after_ms(60000), &status) ==
		      WAIT_DONE);
	}
	check(process_signal_holders(folder, THERE, SIGTERM) == 0);
	for (size_t i = 0; i < array_size(plans); i++)
		process_free(p[i]);
	close(fd);
	close(other);
}

static void holders_are_signalled(void **state)
{
	char folder[] = "/tmp/rt-holders-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	loops_run(1, run_holders, folder);
	rmdir(folder);
}

/* ---- it dies with us ---- */

static void run_parent(void *fifo)
{
	const char *argv[] = { "/bin/sh", "-c",
			       "exec >\"$0\"; echo x; echo >&3; exec sleep 60",
			       fifo, NULL };
	struct process_plan plan = { .argv = argv, .ready_fd = 3 };
	struct process *p = process_start(&plan);

	check(p && process_ready(p, after_ms(60000)));
	kill(getpid(), SIGKILL);
}

/* The child holds the pipe open until it dies. */
static void child_dies_with_us(void **state)
{
	char fifo[64], byte[3];
	struct pollfd p = { .events = POLLIN };
	pid_t parent;

	(void)state;
	snprintf(fifo, sizeof(fifo), "/tmp/rt-fifo-%d", (int)getpid());
	assert_int_equal(mkfifo(fifo, 0600), 0);
	p.fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	parent = fork();
	if (parent == 0) {
		execl("/proc/self/exe", "process_test", fifo, NULL);
		_exit(127);
	}
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(p.fd, byte, sizeof(byte)), 2);
	assert_int_equal(poll(&p, 1, 10000), 1); /* sooner than 60 s */
	assert_int_equal(read(p.fd, byte, sizeof(byte)), 0);
	close(p.fd);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	unlink(fifo);
}

/* ---- what it leaves behind ends with it ---- */

static void run_orphan(void *fifo)
{
	const char *argv[] = { "/bin/sh", "-c",
			       "sleep 60 >\"$0\" & echo x >\"$0\"; exit 5",
			       fifo, NULL };
	struct process_plan plan = { .argv = argv };

	check(status_of(&plan) == 5);
}

static void orphans_are_ended(void **state)
{
	char fifo[64], byte[3];
	struct pollfd p = { .events = POLLIN };

	(void)state;
	snprintf(fifo, sizeof(fifo), "/tmp/rt-fifo-%d", (int)getpid());
	assert_int_equal(mkfifo(fifo, 0600), 0);
	p.fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	loops_run(1, run_orphan, fifo);
	assert_int_equal(read(p.fd, byte, sizeof(byte)), 2);
	assert_int_equal(poll(&p, 1, 10000), 1); /* sooner than 60 s */
	assert_int_equal(read(p.fd, byte, sizeof(byte)), 0);
	close(p.fd);
	unlink(fifo);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endings_are_reported),
		cmocka_unit_test(signals_reach_it),
		cmocka_unit_test(no_zombie_is_left),
		cmocka_unit_test(surroundings_are_as_planned),
		cmocka_unit_test(readiness_is_a_line),
		cmocka_unit_test(output_is_kept),
		cmocka_unit_test(only_a_member_is_signalled),
		cmocka_unit_test(what_is_given_overwrites_nothing),
		cmocka_unit_test(holders_are_signalled),
		cmocka_unit_test(child_dies_with_us),
		cmocka_unit_test(orphans_are_ended),
	};

	if (argc > 1)
		loops_run(1, run_parent, argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
