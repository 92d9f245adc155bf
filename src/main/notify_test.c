/* What a service manager hears, on a socket of the kernel's. */
#include "base/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main/notify.h"
#include "rt/loop.h"

static char folder[] = "/tmp/splitmail-notify-XXXXXX";

/* ---- the manager ---- */

struct manager {
	char name[128]; /* as $NOTIFY_SOCKET has it */
	int fd;
};

static struct manager manager_open(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct manager m;
	socklen_t n;

	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	if (*name == '@')
		at.sun_path[0] = '\0';
	m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(m.fd, (struct sockaddr *)&at, n), 0);
	return m;
}

static void manager_close(struct manager *m)
{
	close(m->fd);
	if (*m->name == '/')
		unlink(m->name);
}

/* "": nothing. */
static const char *heard(struct manager *m)
{
	static char text[4096];
	ssize_t n = recv(m->fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* ---- our side ---- */

struct call {
	struct notify notify;
	void (*run)(struct notify *n);
};

static void waits in_loop(void *arg)
{
	struct call *c = arg;

	c->run(&c->notify);
}

static void run(struct call *c, void (*story)(struct notify *n))
{
	c->run = story;
	loops_run(1, in_loop, c);
}

static void waits say_all(struct notify *n)
{
	notify_starting(n, 130000);
	notify_reloading(n); /* nobody asks for it yet */
	notify_ready(n);
	notify_status(n, "3 sessions\n%s", "READY=0");
	notify_status(n, "3 sessions\n%s", "READY=0");
	notify_alive(n);
	notify_stopping(n, 110000);
}

static void hears_all(struct manager *m)
{
	struct call c = { 0 };

	setenv("NOTIFY_SOCKET", m->name, 1);
	assert_true(notify_open(&c.notify));
	run(&c, say_all);
	assert_string_equal(heard(m), "EXTEND_TIMEOUT_USEC=130000000");
	assert_string_equal(heard(m), "READY=1");
	assert_string_equal(heard(m), "STATUS=3 sessions READY=0");
	assert_string_equal(heard(m), "WATCHDOG=1");
	assert_string_equal(heard(m),
			    "STOPPING=1\nEXTEND_TIMEOUT_USEC=110000000");
	assert_string_equal(heard(m), "");
	notify_close(&c.notify);
	manager_close(m);
}

static void a_manager_at_a_path_hears_all(void **state)
{
	struct manager m = manager_open(path_of("socket"));

	hears_all(&m);
}

static void a_manager_at_an_abstract_name_hears_all(void **state)
{
	char name[64];
	struct manager m;

	snprintf(name, sizeof(name), "@splitmail/%d", (int)getpid());
	m = manager_open(name);
	hears_all(&m);
}

static void waits reload(struct notify *n)
{
	notify_ready(n);
	notify_reloading(n);
}

/* systemd takes no answer that is older than its question. */
static void a_reload_says_when(void **state)
{
	struct manager m = manager_open(path_of("reload"));
	struct call c = { 0 };
	int64_t before = now_us();
	long long us = 0;

	setenv("NOTIFY_SOCKET", m.name, 1);
	assert_true(notify_open(&c.notify));
	run(&c, reload);
	assert_string_equal(heard(&m), "READY=1");
	assert_int_equal(
		sscanf(heard(&m), "RELOADING=1\nMONOTONIC_USEC=%lld", &us), 1);
	assert_true(us >= before && us <= now_us());
	notify_close(&c.notify);
	manager_close(&m);
}

/* ---- one that does not read ---- */

static struct manager *slow;
static int many_said;

static void waits fill(struct notify *n)
{
	int full;

	for (full = 0; sendto(n->fd, "X=", 2, MSG_DONTWAIT,
			      (struct sockaddr *)&n->to, n->to_bytes) == 2;)
		full++;
	many_said = full;
}

static void waits read_late(void *arg)
{
	fiber_sleep(after_ms(200));
	while (strcmp(heard(slow), "X=") == 0)
		;
}

static void waits say_to_a_slow_one(struct notify *n)
{
	fill(n);
	notify_status(n, "has no room");
	notify_alive(n);
	notify_stopping(n, 1000);
	assert_non_null(fiber_start("manager", read_late, NULL));
	notify_ready(n);
	notify_status(n, "has no room");
}

static void a_slow_manager_hears_it_too(void **state)
{
	struct manager m = manager_open(path_of("slow"));
	struct call c = { 0 };

	slow = &m;
	setenv("NOTIFY_SOCKET", m.name, 1);
	assert_true(notify_open(&c.notify));
	run(&c, say_to_a_slow_one);
	assert_true(many_said > 0);
	assert_string_equal(heard(&m), "READY=1");
	assert_string_equal(heard(&m), "STATUS=has no room");
	notify_close(&c.notify);
	manager_close(&m);
}

static void waits just_ready(struct notify *n)
{
	notify_ready(n);
}

static void one_that_is_gone_hinders_nobody(void **state)
{
	struct call c = { 0 };

	setenv("NOTIFY_SOCKET", path_of("gone"), 1);
	assert_true(notify_open(&c.notify));
	run(&c, just_ready);
	notify_close(&c.notify);
}

/* ---- the environment ---- */

static void nobody_listens_without_a_socket(void **state)
{
	struct notify n = { 0 };

	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000000", 1);
	assert_true(notify_open(&n));
	assert_false(notify_is_heard(&n));
	assert_int_equal(n.watchdog_ms, 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_true(notify_open(&n));
	assert_false(notify_is_heard(&n));
}

static void an_address_that_is_none_is_named(void **state)
{
	char longer[200] = "/";
	struct notify n = { 0 };

	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_false(notify_open(&n));
	assert_string_equal(cause(), "NOTIFY_SOCKET=vsock:2:1234 is neither a "
				     "path nor @name");
	assert_false(notify_is_heard(&n));
	memset(longer + 1, 'x', sizeof(longer) - 2);
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_false(notify_open(&n));
	assert_non_null(strstr(cause(), "longer than 107 bytes"));
}

static int64_t watchdog(const char *us, const char *pid)
{
	struct notify n = { 0 };

	setenv("NOTIFY_SOCKET", "/nobody", 1);
	setenv("WATCHDOG_USEC", us, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	assert_true(notify_open(&n));
	notify_close(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	return n.watchdog_ms;
}

static void a_watchdog_of_this_process_is_obeyed(void **state)
{
	char own[16];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	assert_int_equal(watchdog("30000000", own), 30000);
	assert_int_equal(watchdog("30000000", NULL), 30000);
	assert_int_equal(watchdog("30000000", "1"), 0);
	assert_int_equal(watchdog("soon", own), 0);
	assert_int_equal(watchdog("0", own), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manager_at_a_path_hears_all),
		cmocka_unit_test(a_manager_at_an_abstract_name_hears_all),
		cmocka_unit_test(a_reload_says_when),
		cmocka_unit_test(a_slow_manager_hears_it_too),
		cmocka_unit_test(one_that_is_gone_hinders_nobody),
		cmocka_unit_test(nobody_listens_without_a_socket),
		cmocka_unit_test(an_address_that_is_none_is_named),
		cmocka_unit_test(a_watchdog_of_this_process_is_obeyed),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
