/* Streams in clear: both sides of each conversation are fibers here. */
#include "rt/stream.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/test.h"
#include "rt/loop.h"
#ifdef RT_SIM
#include "rt/sim/sim.h"
#endif

static struct inet loopback(uint16_t port)
{
	struct inet a;

	check(inet_parse(S("127.0.0.1"), port, &a));
	return a;
}

/* Says back what it hears until the end. */
static void echo(void *arg)
{
	struct stream *s = arg;

	while (stream_fill(s, after_ms(60000)) == STREAM_MORE) {
		struct str heard = stream_bytes(s);

		stream_say(s, heard);
		stream_skip(s, heard.n);
		if (!stream_flush(s, after_ms(5000)))
			break;
	}
	stream_close(s);
}

static void echo_server(void *arg)
{
	struct listener *l = arg;
	struct stream *s;

	while ((s = listener_accept(l)) != NULL)
		check(fiber_start("echo", echo, s));
}

static void expect(struct stream *s, const char *text)
{
	size_t n = strlen(text);

	while (stream_bytes(s).n < n)
		check(stream_fill(s, after_ms(60000)) == STREAM_MORE);
	check(memcmp(stream_bytes(s).p, text, n) == 0);
	stream_skip(s, n);
}

/* ---- dial, listen, echo ---- */

static void run_echo(void *v6)
{
	struct inet any = loopback(0), at;
	struct listener *l;
	struct stream *s;

	if (v6)
		check(inet_parse(S("[::1]:0"), 0, &any));
	l = listener_open(&any);
	check(l);
	at = *listener_address(l);
	check(at.port != 0 && fiber_start("server", echo_server, l));
	s = stream_dial(&at, v6 ? NULL : &any, after_ms(60000));
	check(s);
	check(inet_same_ip(stream_local(s), &any) && stream_local(s)->port);
	check(stream_peer(s)->port == at.port);
	for (int i = 0; i < 100; i++) {
		stream_sayf(s, "hello %d\r\n", i);
		check(stream_flush(s, after_ms(60000)));
		check(stream_unsent(s) == 0);
		expect(s, "hello ");
		while (stream_bytes(s).n < 3)
			check(stream_fill(s, after_ms(60000)) == STREAM_MORE);
		stream_skip(s, stream_bytes(s).n);
	}
	stream_close(s);
	listener_close(l);
}

static void echo_over_ipv4(void **state)
{
	(void)state;
	loops_run(1, run_echo, NULL);
}

static void echo_over_ipv6(void **state)
{
	(void)state;
	loops_run(1, run_echo, "v6");
}

static unsigned mode_of(const char *path)
{
	struct stat st;

#ifdef RT_SIM
	return 0660; /* of nothing the kernel knows */
#endif
	return stat(path, &st) == 0 ? st.st_mode & 0777 : 0;
}

static void run_path(void *arg)
{
	char path[64];
	struct listener *l;
	struct stream *s;

	(void)arg;
	snprintf(path, sizeof(path), "/tmp/rt-test-%d.sock", (int)getpid());
	check(stream_dial_path(path, after_ms(100)) == NULL);
	check(strstr(cause(), "No such file"));
	l = listener_open_path(path, 0600);
	check(l);
	listener_close(l);
	l = listener_open_path(path, 0660); /* over the old one */
	check(l && mode_of(path) == 0660);
	check(fiber_start("server", echo_server, l));
	s = stream_dial_path(path, after_ms(60000));
	check(s);
	stream_say(s, S("x"));
	check(stream_flush(s, after_ms(60000)));
	expect(s, "x");
	stream_close(s);
	listener_close(l);
	unlink(path);
}

static void echo_over_a_path(void **state)
{
	(void)state;
	loops_run(1, run_path, NULL);
}

/* ---- a listener that has no room ---- */

#ifndef RT_SIM

enum { ROOM_MS = 300 };

static void take_all(void *arg)
{
	int *listener = arg;

	fiber_sleep(after_ms(ROOM_MS));
	close(accept(*listener, NULL, NULL));
}

/* One is in its queue, and there is room for no other. */
static int listen_to_one(const char *path, int *first)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int l = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	*first = socket(AF_UNIX, SOCK_STREAM, 0);
	check(l >= 0 && *first >= 0);
	check(bind(l, (struct sockaddr *)&at, sizeof(at)) == 0);
	check(listen(l, 0) == 0);
	check(connect(*first, (struct sockaddr *)&at, sizeof(at)) == 0);
	return l;
}

static void run_no_room(void *arg)
{
	int64_t begun = now_ms();
	char path[64];
	struct stream *s;
	int l, first;

	(void)arg;
	snprintf(path, sizeof(path), "/tmp/rt-room-%d.sock", (int)getpid());
	l = listen_to_one(path, &first);
	check(!stream_dial_path(path, after_ms(100)));
	check(strstr(cause(), "timed out") && now_ms() >= begun + 50);
	check(fiber_start("take", take_all, &l));
	s = stream_dial_path(path, after_ms(10000));
	check(s && now_ms() >= begun + ROOM_MS);
	stream_close(s);
	close(first);
	close(l);
	unlink(path);
}

static void full_listener_is_waited_for(void **state)
{
	(void)state;
	loops_run(1, run_no_room, NULL);
}
#endif

/* ---- what dialling says when it fails ---- */

static void run_refused(void *arg)
{
	struct inet at = loopback(0), gone = loopback(0);
	struct listener *l = listener_open(&at);

	(void)arg;
	check(l);
	gone.port = listener_address(l)->port;
	listener_close(l);
	fiber_yield();
	check(!stream_dial(&gone, NULL, after_ms(1000)));
	check(strstr(cause(), "refused"));
}

static void refused_dial_says_so(void **state)
{
	(void)state;
	loops_run(1, run_refused, NULL);
}

#ifndef RT_SIM
static void run_occupied(void *arg)
{
	struct inet at = loopback(0);
	struct listener *a = listener_open(&at), *b;
	struct inet where = *listener_address(a);
	pid_t child;
	int status;

	(void)arg;
	b = listener_open(&where); /* the second loop's */
	check(b);
	child = fork();
	if (child == 0) {
		/* As another process: it must not find us in its own list. */
		execl("/proc/self/exe", "stream_test", inet_text(&where).c,
		      NULL);
		_exit(127);
	}
	check(waitpid(child, &status, 0) == child);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	listener_close(a);
	listener_close(b);
}

static void try_to_join(void *text)
{
	struct inet at;

	check(inet_parse(str_of(text), 0, &at));
	if (!listener_open(&at) && strstr(cause(), "in use"))
		_exit(42);
	_exit(1);
}

static void another_process_cannot_join(void **state)
{
	(void)state;
	loops_run(1, run_occupied, NULL);
}
#endif

/* ---- deadlines, ends, resets ---- */

static void run_states(void *arg)
{
	struct stream *s[2];
	int64_t begun = now_us();

	(void)arg;
	check(stream_pair(s));
	check(stream_fill(s[0], after_ms(30)) == STREAM_LATE);
	check(now_us() - begun > 25000);
	check(stream_fill(s[0], now_ms() - 1) == STREAM_LATE);
	check(stream_is_quiet(s[0]));
	stream_say(s[1], S("last words"));
	check(stream_flush(s[1], NEVER));
	check(!stream_is_quiet(s[0]));
	stream_close(s[1]);
	check(stream_bytes(s[0]).n == 10);
	check(stream_fill(s[0], NEVER) == STREAM_END);
	check(stream_fill(s[0], NEVER) == STREAM_END);
	check(str_same(stream_bytes(s[0]), S("last words")));
	check(!stream_is_quiet(s[0]));
	stream_say(s[0], S("to nobody"));
	check(!stream_flush(s[0], after_ms(1000)));
	check(!stream_flush(s[0], after_ms(1000)));
	stream_close(s[0]);
	check(stream_pair(s));
	stream_close(s[1]);
	check(!stream_is_quiet(s[0]));
	stream_close(s[0]);
}

static void states_of_a_stream(void **state)
{
	(void)state;
	loops_run(1, run_states, NULL);
}

static void be_reset(void *arg)
{
	struct stream *s = arg;

	check(stream_fill(s, after_ms(2000)) == STREAM_BROKEN);
	check(strstr(cause(), "reset"));
	stream_close(s);
}

static void run_reset(void *arg)
{
	struct inet at = loopback(0);
	struct listener *l = listener_open(&at);
	struct stream *s = stream_dial(listener_address(l), NULL, NEVER);
	struct stream *other = listener_accept(l);

	(void)arg;
	check(s && other && fiber_start("reset", be_reset, other));
	fiber_yield();
	stream_reset(s);
	listener_close(l);
}

static void reset_is_seen(void **state)
{
	(void)state;
	loops_run(1, run_reset, NULL);
}

static void wait_for_bytes(void *arg)
{
	struct stream *s = arg;

	check(stream_fill(s, NEVER) == STREAM_BROKEN);
	check(strcmp(cause(), "cancelled") == 0);
	stream_say(s, S("421 bye\r\n"));
	check(stream_flush(s, after_ms(60000)));
	stream_close(s);
}

static void accept_none(void *arg)
{
	check(!listener_accept(arg));
}

static void run_cancelled(void *arg)
{
	struct inet at = loopback(0);
	struct listener *l = listener_open(&at);
	struct stream *s[2];
	struct fiber *reader, *acceptor;

	(void)arg;
	check(stream_pair(s));
	reader = fiber_start("reader", wait_for_bytes, s[1]);
	acceptor = fiber_start("acceptor", accept_none, l);
	fiber_yield();
	fiber_cancel(reader);
	fiber_cancel(acceptor);
	expect(s[0], "421 bye\r\n");
	stream_close(s[0]);
	listener_close(l);
}

static void cancelled_reader_has_a_last_word(void **state)
{
	(void)state;
	loops_run(1, run_cancelled, NULL);
}

/* ---- much at once: the kernel's buffers fill and the sides wait ---- */

enum { FLOOD_BYTES = 3000000 };

static void flood(void *arg)
{
	struct stream *s = arg;
	static char chunk[50000];

	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = (char)(i % 251);
	for (int i = 0; i < FLOOD_BYTES / (int)sizeof(chunk); i++)
		stream_say(s, (struct str){ chunk, sizeof(chunk) });
	check(stream_unsent(s) == FLOOD_BYTES);
	check(stream_flush(s, after_ms(10000)));
	stream_close(s);
}

static void run_flood(void *arg)
{
	struct stream *s[2];
	size_t seen = 0;

	(void)arg;
	check(stream_pair(s));
	check(fiber_start("flood", flood, s[0]));
	fiber_sleep(after_ms(20));
	while (stream_fill(s[1], after_ms(60000)) == STREAM_MORE) {
		struct str got = stream_bytes(s[1]);

		for (size_t i = 0; i < got.n; i++)
			check(got.p[i] == (char)((seen + i) % 50000 % 251));
		seen += got.n;
		stream_skip(s[1], got.n);
	}
	check(seen == FLOOD_BYTES);
	stream_close(s[1]);
}

static void flood_arrives_in_order(void **state)
{
	(void)state;
	loops_run(1, run_flood, NULL);
}

static void run_full(void *arg)
{
	struct stream *s[2];
	char bytes[LIMIT_STREAM_BUFFER + 100] = { 0 };

	(void)arg;
	check(stream_pair(s));
	stream_say(s[0], (struct str){ bytes, sizeof(bytes) });
	check(stream_flush(s[0], NEVER));
	while (stream_bytes(s[1]).n < LIMIT_STREAM_BUFFER)
		check(stream_fill(s[1], NEVER) == STREAM_MORE);
	check(stream_fill(s[1], NEVER) == STREAM_FULL);
	stream_skip(s[1], 60);
	check(stream_fill(s[1], NEVER) == STREAM_MORE);
	check(stream_bytes(s[1]).n == LIMIT_STREAM_BUFFER);
	stream_close(s[0]);
	stream_close(s[1]);
}

static void buffer_is_bounded(void **state)
{
	(void)state;
	loops_run(1, run_full, NULL);
}

/* Data for somebody who is busy elsewhere must not make the loop spin. */
static void run_unread(void *arg)
{
	struct stream *s[2];
	struct timespec before, after;
	int64_t cpu_ms;

	(void)arg;
	check(stream_pair(s));
	stream_say(s[0], S("a"));
	check(stream_flush(s[0], NEVER));
	expect(s[1], "a");
	stream_say(s[0], S("unread"));
	check(stream_flush(s[0], NEVER));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	fiber_sleep(after_ms(300));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	cpu_ms = (after.tv_sec - before.tv_sec) * 1000 +
		 (after.tv_nsec - before.tv_nsec) / 1000000;
	check(cpu_ms < 100);
	expect(s[1], "unread");
	stream_close(s[0]);
	stream_close(s[1]);
}

static void unread_data_does_not_spin(void **state)
{
	(void)state;
	loops_run(1, run_unread, NULL);
}

/* A peer that takes nothing: the wait for room has an end. */
static void run_stuck(void *arg)
{
	struct stream *s[2];
	static char much[4000000];

	(void)arg;
	check(stream_pair(s));
	stream_say(s[0], (struct str){ much, sizeof(much) });
	check(!stream_flush(s[0], after_ms(50)));
	check(strcmp(cause(), "timed out") == 0);
	check(stream_unsent(s[0]) > 0 && stream_unsent(s[0]) < sizeof(much));
	check(!stream_flush(s[0], after_ms(50)));
	stream_close(s[0]);
	stream_close(s[1]);
}

static void flush_has_a_deadline(void **state)
{
	(void)state;
	loops_run(1, run_stuck, NULL);
}

/* ---- out of descriptors ---- */

static struct stream *accepted;

static void accept_one(void *arg)
{
	accepted = listener_accept(arg);
	check(accepted);
}

/* No descriptor more than there are now; false: as many as before. */
static void limit_descriptors(bool limited)
{
#ifdef RT_SIM
	sim_limit_descriptors(sim_process(), limited ? 0 : 1000);
#else
	static struct rlimit before;
	struct rlimit r;
	int next = dup(0);

	if (limited)
		check(getrlimit(RLIMIT_NOFILE, &before) == 0);
	close(next);
	r = before;
	if (limited)
		r.rlim_cur = (rlim_t)next;
	check(setrlimit(RLIMIT_NOFILE, &r) == 0);
#endif
}

static void run_exhausted(void *arg)
{
	struct inet at = loopback(0);
	struct listener *l = listener_open(&at);
	struct stream *s = stream_dial(listener_address(l), NULL, NEVER);

	(void)arg;
	limit_descriptors(true);
	check(fiber_start("acceptor", accept_one, l));
	fiber_sleep(after_ms(100));
	check(!accepted);
	check(!stream_dial(listener_address(l), NULL, after_ms(1000)));
	check(strstr(cause(), "Too many open files"));
	limit_descriptors(false);
	fiber_sleep(after_ms(400));
	check(accepted);
	stream_close(accepted);
	stream_close(s);
	listener_close(l);
}

static void listener_survives_want_of_descriptors(void **state)
{
	(void)state;
	loops_run(1, run_exhausted, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_over_ipv4),
		cmocka_unit_test(echo_over_ipv6),
		cmocka_unit_test(echo_over_a_path),
#ifndef RT_SIM
		cmocka_unit_test(full_listener_is_waited_for),
#endif
		cmocka_unit_test(refused_dial_says_so),
#ifndef RT_SIM
		cmocka_unit_test(another_process_cannot_join),
#endif
		cmocka_unit_test(states_of_a_stream),
		cmocka_unit_test(reset_is_seen),
		cmocka_unit_test(cancelled_reader_has_a_last_word),
		cmocka_unit_test(flood_arrives_in_order),
		cmocka_unit_test(buffer_is_bounded),
		cmocka_unit_test(unread_data_does_not_spin),
		cmocka_unit_test(flush_has_a_deadline),
		cmocka_unit_test(listener_survives_want_of_descriptors),
	};

#ifndef RT_SIM
	if (argc > 1)
		loops_run(1, try_to_join, argv[1]);
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
