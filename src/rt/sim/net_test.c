/* Simulated networks: what links do to bytes, what is left of a connection
 * whose other host is gone, and that a seed says it all. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/sim/sim.h"
#include "rt/stream.h"
#include "rt/tls.h"
#include "rt/worker.h"

static struct sim_host *near, *far;
static struct inet at_far;

static void world_begin(uint64_t seed)
{
	sim_open(seed);
	near = sim_host("near", "192.0.2.1 2001:db8::1");
	far = sim_host("far", "192.0.2.2");
	check(inet_parse(S("192.0.2.2:25"), 0, &at_far));
}

static void echo(void *arg)
{
	struct stream *s = arg;

	while (stream_fill(s, NEVER) == STREAM_MORE) {
		stream_say(s, stream_bytes(s));
		stream_skip(s, stream_bytes(s).n);
		if (!stream_flush(s, NEVER))
			break;
	}
	stream_close(s);
}

static void serve_echo(void *arg)
{
	struct listener *l = listener_open(&at_far);
	struct stream *s;

	(void)arg;
	check(l);
	while ((s = listener_accept(l)) != NULL)
		check(fiber_start("echo", echo, s));
}

static void expect(struct stream *s, size_t n)
{
	while (stream_bytes(s).n < n)
		check(stream_fill(s, NEVER) == STREAM_MORE);
	stream_skip(s, n);
}

static void say(struct stream *s, const char *text)
{
	stream_say(s, str_of(text));
	check(stream_flush(s, NEVER));
}

/* PROGRAM on near against an echo on far, which is SERVER. */
static struct sim_process *server;

static void run_against_echo(void (*program)(void *), void *arg)
{
	struct sim_process *p;

	server = sim_start(far, "echo", serve_echo, NULL);
	sim_run(1);
	p = sim_start(near, "client", program, arg);
	sim_run(NEVER);
	check(sim_has_ended(p));
	sim_close();
}

/* ---- how long it takes ---- */

static void measure(void *arg)
{
	int64_t begun = now_ms();
	struct stream *s = stream_dial(&at_far, NULL, NEVER);

	(void)arg;
	check(s && now_ms() - begun == 70);
	check(strcmp(inet_ip_text(stream_local(s)).c, "192.0.2.1") == 0);
	begun = now_ms();
	say(s, "hello");
	expect(s, 5);
	check(now_ms() - begun == 70);
	sim_link(near, far)->bytes_per_s = 1000;
	begun = now_ms();
	say(s, "0123456789012345678901234567890123456789");
	expect(s, 40);
	check(now_ms() - begun == 110);
	stream_close(s);
}

static void links_take_their_time(void **state)
{
	(void)state;
	world_begin(1);
	sim_link(near, far)->latency_us = 20000;
	sim_link(far, near)->latency_us = 50000;
	run_against_echo(measure, NULL);
}

/* ---- order ---- */

static int overtaken;

static void race(void *arg)
{
	struct stream *s[2];
	char text[16];

	(void)arg;
	for (int i = 0; i < 2; i++)
		s[i] = stream_dial(&at_far, NULL, NEVER);
	say(s[0], "first");
	say(s[1], "second");
	fiber_sleep(after_ms(35));
	overtaken += stream_is_quiet(s[0]) && !stream_is_quiet(s[1]);
	expect(s[0], 5);
	expect(s[1], 6);
	for (int i = 0; i < 200; i++)
		stream_sayf(s[0], "%05d", i);
	check(stream_flush(s[0], NEVER));
	for (int i = 0; i < 200; i++) {
		while (stream_bytes(s[0]).n < 5)
			check(stream_fill(s[0], NEVER) == STREAM_MORE);
		snprintf(text, sizeof(text), "%05d", i);
		check(str_starts(stream_bytes(s[0]), str_of(text)));
		stream_skip(s[0], 5);
	}
	stream_close(s[0]);
	stream_close(s[1]);
}

static void connections_overtake_each_other_bytes_do_not(void **state)
{
	(void)state;
	overtaken = 0;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		world_begin(seed);
		*sim_link_default() = (struct sim_link){ .latency_us = 1000,
							 .jitter_us = 40000,
							 .piece_bytes = 100 };
		run_against_echo(race, NULL);
	}
	assert_in_range(overtaken, 1, 35);
}

/* ---- trouble on the way ---- */

static void cross_outage(void *arg)
{
	struct stream *s = stream_dial(&at_far, NULL, NEVER);
	int64_t begun;

	(void)arg;
	sim_link(near, far)->is_down = true;
	begun = now_ms();
	say(s, "one");
	say(s, "two");
	check(stream_fill(s, after_ms(5000)) == STREAM_LATE);
	sim_link(near, far)->is_down = false;
	expect(s, 6);
	check(now_ms() - begun < 15000);
	check(!stream_dial(&at_far, &at_far, NEVER));
	check(cause_kind() == FAIL_FOREIGN);
	sim_link(near, far)->is_down = true;
	begun = now_ms();
	check(!stream_dial(&at_far, NULL, NEVER));
	check(strcmp(cause(), "Connection timed out") == 0);
	check(now_ms() - begun > 60000);
	check(!stream_dial(&at_far, NULL, after_ms(30)));
	check(strcmp(cause(), "timed out") == 0);
	say(s, "lost");
	check(stream_fill(s, NEVER) == STREAM_BROKEN);
	check(strcmp(cause(), "connection lost: Connection timed out") == 0);
	check(now_ms() - begun > 900000);
	stream_close(s);
	sim_link(near, far)->is_down = false;
	sim_link(near, far)->is_refused = true;
	check(!stream_dial(&at_far, NULL, NEVER) && strstr(cause(), "refused"));
}

static void bytes_outlive_an_outage(void **state)
{
	(void)state;
	world_begin(2);
	run_against_echo(cross_outage, NULL);
}

static void outlive_server(void *arg)
{
	struct stream *s[3];

	(void)arg;
	for (int i = 0; i < 3; i++)
		s[i] = stream_dial(&at_far, NULL, NEVER);
	say(s[0], "x");
	expect(s[0], 1);
	sim_kill(server);
	check(stream_fill(s[0], NEVER) == STREAM_END);
	stream_close(s[0]);
	check(stream_fill(s[1], NEVER) != STREAM_MORE);
	stream_close(s[1]);
	check(!stream_dial(&at_far, NULL, NEVER) && strstr(cause(), "refused"));
	sim_reset_between(near, far);
	stream_close(s[2]);
}

static void a_killed_server_says_goodbye(void **state)
{
	(void)state;
	world_begin(3);
	run_against_echo(outlive_server, NULL);
}

/* A host without power says nothing; on again, it does not know us. */
static void outlive_host(void *arg)
{
	struct stream *s = stream_dial(&at_far, NULL, NEVER);

	(void)arg;
	say(s, "x");
	expect(s, 1);
	sim_power_cut(far);
	check(stream_fill(s, after_ms(60000)) == STREAM_LATE);
	say(s, "are you there?");
	check(stream_fill(s, after_ms(3000)) == STREAM_LATE);
	sim_power_on(far);
	check(stream_fill(s, NEVER) == STREAM_BROKEN);
	check(strstr(cause(), "reset by peer"));
	stream_close(s);
}

static void a_dead_host_leaves_connections_half_open(void **state)
{
	(void)state;
	world_begin(4);
	run_against_echo(outlive_host, NULL);
}

/* Keepalive finds out, without a byte of ours. */
static void wait_for_the_dead(void *comes_back)
{
	struct stream *s = stream_dial(&at_far, NULL, NEVER);

	say(s, "x");
	expect(s, 1);
	sim_power_cut(far);
	if (comes_back)
		sim_power_on(far);
	check(stream_fill(s, after_ms(29000)) == STREAM_LATE);
	check(stream_fill(s, after_ms(62000)) == STREAM_BROKEN);
	check(strstr(cause(), comes_back ? "reset by peer" : "timed out"));
	stream_close(s);
	if (!comes_back)
		sim_power_on(far);
}

static void keepalive_finds_a_dead_host(void **state)
{
	static bool comes_back = true;

	(void)state;
	world_begin(4);
	run_against_echo(wait_for_the_dead, NULL);
	world_begin(4);
	run_against_echo(wait_for_the_dead, &comes_back);
}

static void fill_backlog(void *arg)
{
	struct inet at;
	struct listener *l;
	struct stream *s[3];

	(void)arg;
	check(inet_parse(S("192.0.2.1:26"), 0, &at));
	sim_backlog(near, 2);
	l = listener_open(&at);
	for (int i = 0; i < 3; i++)
		s[i] = stream_dial(&at, NULL, after_ms(100));
	check(s[0] && s[1] && !s[2]);
	stream_close(s[0]);
	stream_close(s[1]);
	listener_close(l);
	check(sim_connections() == 0);
}

static void a_backlog_has_an_end(void **state)
{
	(void)state;
	world_begin(5);
	run_against_echo(fill_backlog, NULL);
}

/* ---- lanes, workers and files in a world that a seed describes ---- */

static bool say_yes(void *arg)
{
	(void)arg;
	return true;
}

static const struct worker_hooks hooks = { .begin = say_yes, .end = say_yes };

static void visit(void *arg)
{
	struct stream *s = stream_dial(&at_far, NULL, after_ms(2000));
	struct file *f = file_spool("/tmp");
	bool ok = s && f;

	for (int i = 0; ok && i < 3; i++) {
		stream_sayf(s, "lane %d, line %d\r\n", loop_index(), i);
		ok = stream_flush(s, after_ms(2000)) &&
		     stream_fill(s, after_ms(2000)) == STREAM_MORE &&
		     file_add(f, stream_bytes(s)) &&
		     worker_call(arg, say_yes, NULL);
		if (ok)
			stream_skip(s, stream_bytes(s).n);
	}
	log_fact("test", "a visit ends: %s", ok ? "well" : cause());
	stream_close(s);
	file_close(f);
}

static void start_visits(void *arg)
{
	for (int i = 0; i < 3; i++) {
		check(fiber_start("visit", visit, arg));
		fiber_sleep(after_ms(3));
	}
}

static void be_busy(void *arg)
{
	struct worker *w = worker_open("writer", &hooks, NULL);

	(void)arg;
	loops_run(2, start_visits, w);
	worker_close(w);
}

static void no_log(void *arg, struct sim_host *h, struct str lines)
{
	(void)arg;
	(void)h;
	(void)lines;
}

static uint64_t trace_of(uint64_t seed)
{
	struct sim_process *client, *late;
	uint64_t trace;

	world_begin(seed);
	sim_hear_log(no_log, NULL);
	*sim_link_default() = (struct sim_link){ .latency_us = 2000,
						 .jitter_us = 3000,
						 .piece_bytes = 20,
						 .reset_in = 50,
						 .hang_in = 50 };
	sim_disk(near)->fail_write_in = 20;
	sim_disk(near)->write_us = 500;
	server = sim_start(far, "echo", serve_echo, NULL);
	client = sim_start(near, "busy", be_busy, NULL);
	sim_run(40);
	late = sim_start(near, "busy", be_busy, NULL);
	if (seed % 5 == 0)
		sim_power_cut(far);
	if (seed % 5 == 1)
		sim_kill(client);
	sim_run(NEVER);
	check(sim_has_ended(client) && sim_has_ended(late));
	trace = sim_trace();
	sim_hear_log(NULL, NULL);
	sim_close();
	return trace;
}

static void a_seed_says_it_all(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		uint64_t trace = trace_of(seed);

		assert_true(trace == trace_of(seed));
		assert_true(trace != last);
		last = trace;
	}
}

/* ---- the same with OpenSSL in it ---- */

static struct tls_context *certificate;

static void serve_tls(void *arg)
{
	struct listener *l = listener_open(&at_far);
	struct stream *s;

	(void)arg;
	check(l && tls_self_signed("far.test", "/tmp/c", "/tmp/k"));
	certificate = tls_server("/tmp/c", "/tmp/k");
	check(certificate);
	while ((s = listener_accept(l)) != NULL)
		if (stream_tls_accept(s, certificate, NEVER))
			check(fiber_start("echo", echo, s));
		else
			stream_close(s);
}

static void visit_by_tls(void *arg)
{
	struct tls_context *t = tls_client(TLS_ANY, NULL);

	(void)arg;
	for (int i = 0; i < 2; i++) {
		struct stream *s = stream_dial(&at_far, NULL, NEVER);

		check(s && stream_tls_connect(s, t, "far.test", NEVER));
		say(s, "a secret");
		expect(s, 8);
		check(stream_tls_resumed(s) == (i == 1));
		stream_close(s);
	}
	tls_close(t);
}

static uint64_t trace_of_tls(uint64_t seed)
{
	struct sim_process *client;
	uint64_t trace;

	world_begin(seed);
	*sim_link_default() = (struct sim_link){ .latency_us = 5000,
						 .jitter_us = 3000,
						 .piece_bytes = 700 };
	server = sim_start(far, "tls", serve_tls, NULL);
	sim_run(10);
	client = sim_start(near, "client", visit_by_tls, NULL);
	sim_run(NEVER);
	check(sim_has_ended(client));
	trace = sim_trace();
	sim_close();
	tls_close(certificate);
	return trace;
}

static void tls_is_the_seeds_too(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		assert_true(trace_of_tls(seed) == trace_of_tls(seed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_take_their_time),
		cmocka_unit_test(connections_overtake_each_other_bytes_do_not),
		cmocka_unit_test(bytes_outlive_an_outage),
		cmocka_unit_test(a_killed_server_says_goodbye),
		cmocka_unit_test(a_dead_host_leaves_connections_half_open),
		cmocka_unit_test(keepalive_finds_a_dead_host),
		cmocka_unit_test(a_backlog_has_an_end),
		cmocka_unit_test(a_seed_says_it_all),
		cmocka_unit_test(tls_is_the_seeds_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
