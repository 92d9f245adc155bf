/*
 * The whole engine in a world, linked without a line of main/: a client hands
 * a mail to mx, which hands it to the other system of its domain; the other
 * system is away at first, and mx loses power after it has said 250.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "control/control.h"
#include "directory/changes.h"
#include "dns/dns_sim.h"
#include "engine_of.h"
#include "rt/counter.h"

static struct sim_host *other, *client;
static struct engine_of mx;
static int answered, delivered;
static int64_t dot_ms;    /* until the other system answers to the dot */
static size_t text_lines; /* more than 128 KiB of them lie in a file */

/* ---- mx ---- */

static void make_directory(struct changes *c)
{
	struct setting relay = { S("relay"), S("other.test") };
	struct setting away = { S("mail_system"), S("alternate") };

	check(domain_create(c, S("own.test"), &relay, 1).outcome ==
	      CHANGE_DONE);
	check(user_create(c, S("bob@own.test"), &away, 1).outcome ==
	      CHANGE_DONE);
}

/* ---- the other system, and a client ---- */

static bool read_line(struct stream *s, struct str *line)
{
	ptrdiff_t end;

	while ((end = str_find(stream_bytes(s), '\n')) < 0)
		if (stream_fill(s, after_ms(600000)) != STREAM_MORE)
			return false;
	*line = str_part(stream_bytes(s), 0, (size_t)end + 1);
	return true;
}

static void say(struct stream *s, const char *text)
{
	stream_say(s, str_of(text));
	(void)!stream_flush(s, after_ms(60000));
}

static const char *answer(struct str line, bool *in_data)
{
	if (*in_data && !str_same(line, S(".\r\n")))
		return "";
	if (*in_data) {
		*in_data = false;
		delivered++;
		fiber_sleep(after_ms(dot_ms));
		return "250 taken\r\n";
	}
	*in_data = str_starts_nocase(line, S("DATA"));
	return *in_data ? "354 go on\r\n" : "250 yes\r\n";
}

static void converse(void *arg)
{
	struct stream *s = arg;
	bool in_data = false;
	struct str line;

	say(s, "220 other.test\r\n");
	while (read_line(s, &line)) {
		const char *text = answer(line, &in_data);

		stream_skip(s, line.n);
		say(s, text);
	}
	stream_close(s);
}

static void run_other(void *arg)
{
	struct listener *l;
	struct stream *s;
	struct inet at;

	(void)arg;
	check(inet_parse(S("0.0.0.0:25"), 0, &at));
	l = listener_open(&at);
	while ((s = listener_accept(l)) != NULL)
		check(fiber_start("conversation", converse, s));
}

static int say_text(struct stream *s)
{
	stream_say(s, S("Subject: x\r\n\r\n"));
	for (size_t i = 0; i < text_lines; i++)
		stream_say(
			s,
			S("a line of fifty octets, as they are in many mails\r\n"));
	return client_asks(s, ".\r\n");
}

static void run_client(void *arg)
{
	struct stream *s = client_greets("192.0.2.1");

	(void)arg;
	check(client_asks(s, "MAIL FROM:<a@client.test>\r\n") == 250);
	if (client_asks(s, "RCPT TO:<bob@own.test>\r\n") == 250 &&
	    client_asks(s, "DATA\r\n") == 354 && say_text(s) == 250)
		answered++;
	client_asks(s, "QUIT\r\n");
	stream_close(s);
}

/* ---- worlds ---- */

static void no_log(void *arg, struct sim_host *h, struct str lines)
{
	(void)arg;
	(void)h;
	if (getenv("SHOW"))
		fprintf(stderr, "%.*s", STR(lines));
}

static void show(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static void world_begin(uint64_t seed)
{
	answered = delivered = 0;
	dot_ms = 0;
	text_lines = 1;
	sim_open(seed);
	sim_hear_log(no_log, NULL);
	if (getenv("SHOW"))
		sim_hear(show, NULL);
	*sim_link_default() = (struct sim_link){ .latency_us = 3000,
						 .jitter_us = 9000,
						 .piece_bytes = 200 };
	mx = (struct engine_of){ .host = sim_host("mx", "192.0.2.1"),
				 .settings = engine_settings_of("mx.own.test"),
				 .fill = make_directory };
	other = sim_host("other", "192.0.2.2");
	client = sim_host("client", "192.0.2.3");
	dns_sim_name("other.test", "192.0.2.2");
	engine_of_start(&mx);
	sim_run(1000);
}

static uint64_t world_end(void)
{
	uint64_t trace = sim_trace();

	sim_hear_log(NULL, NULL);
	sim_close();
	dns_sim_forget();
	return trace;
}

static uint64_t hand_over(uint64_t seed)
{
	world_begin(seed);
	sim_start(other, "other", run_other, NULL);
	sim_start(client, "client", run_client, NULL);
	sim_run(after_ms(5000));
	check(answered == 1 && delivered == 1);
	check(counter_value(COUNT_MAILS_HANDED_OVER) == 0); /* mx counts */
	engine_of_stop(&mx);
	return world_end();
}

static void a_mail_is_handed_over(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		assert_true(hand_over(seed) == hand_over(seed));
}

/* The other system is away until a minute after mx had its power cut. */
static void keep(uint64_t seed, size_t n)
{
	world_begin(seed);
	text_lines = n;
	sim_start(client, "client", run_client, NULL);
	sim_run(after_ms(60000));
	sim_power_cut(mx.host);
	sim_power_on(mx.host);
	engine_of_start(&mx);
	sim_run(after_ms(60000));
	sim_start(other, "other", run_other, NULL);
	sim_run(after_ms(300000));
	check(answered == 1 && delivered == 1);
	world_end();
}

static void what_was_answered_outlives_a_power_cut(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		keep(seed, 1);
}

static void so_does_the_file_of_a_large_mail(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		keep(seed, 3000);
}

static void change_relay(struct changes *c, void *arg)
{
	struct setting relay = { S("relay"), S("second.test") };

	(void)arg;
	check(domain_set(c, S("own.test"), &relay, 1).outcome == CHANGE_DONE);
}

/* The first system, which is away, is not asked again before 35 s. */
static void what_waits_follows_a_change(void **state)
{
	struct sim_host *second;

	(void)state;
	world_begin(1);
	second = sim_host("second", "192.0.2.4");
	dns_sim_name("second.test", "192.0.2.4");
	sim_start(second, "other", run_other, NULL);
	sim_start(client, "client", run_client, NULL);
	sim_run(after_ms(18000));
	check(answered == 1 && delivered == 0);
	engine_of_change(&mx, change_relay, NULL);
	sim_run(after_ms(5000));
	check(delivered == 1);
	world_end();
}

static void say_so(void *arg)
{
	struct buf answer scoped(buf) = BUF_EMPTY;

	(void)arg;
	check(control_ask(mx.settings.control, S("look"), after_ms(1000),
			  &answer));
	check(str_same(buf_str(&answer), S("{}\n")));
}

/* What waits is rarely looked at by itself. */
static void what_is_told_is_followed_at_once(void **state)
{
	struct sim_host *second;

	(void)state;
	world_begin(1);
	second = sim_host("second", "192.0.2.4");
	dns_sim_name("second.test", "192.0.2.4");
	sim_start(second, "other", run_other, NULL);
	sim_start(client, "client", run_client, NULL);
	sim_run(after_ms(301000));
	check(answered == 1 && delivered == 0);
	engine_of_change(&mx, change_relay, NULL);
	engine_of_do(&mx, say_so, NULL);
	sim_run(after_ms(700));
	check(delivered == 1);
	world_end();
}

/* What is sent would come twice. */
static void a_stop_awaits_the_answer_to_what_is_sent(void **state)
{
	(void)state;
	world_begin(1);
	dot_ms = 6000;
	sim_start(other, "other", run_other, NULL);
	sim_start(client, "client", run_client, NULL);
	sim_run(after_ms(2000));
	check(delivered == 1 && answered == 0);
	engine_of_stop(&mx);
	check(answered == 1);
	dot_ms = 0;
	engine_of_start(&mx);
	sim_run(after_ms(700000));
	check(delivered == 1);
	world_end();
}

static int goodbyes;

/* Says so much, and then nothing. */
static void run_idler(void *lines)
{
	const char *const *line = lines;
	struct stream *s;
	struct inet at;

	check(inet_parse(S("192.0.2.1:25"), 0, &at));
	s = stream_dial(&at, NULL, after_ms(60000));
	check(s && client_asks(s, "") == 220);
	for (; *line; line++)
		check(client_asks(s, *line) == 250);
	goodbyes += client_asks(s, "") == 421;
	stream_close(s);
}

/* Thinks in the midst of its mail. */
static void run_thinker(void *arg)
{
	struct stream *s;
	struct inet at;

	(void)arg;
	check(inet_parse(S("192.0.2.1:25"), 0, &at));
	s = stream_dial(&at, NULL, after_ms(60000));
	check(s && client_asks(s, "") == 220);
	check(client_asks(s, "EHLO client.test\r\n") == 250);
	check(client_asks(s, "MAIL FROM:<a@client.test>\r\n") == 250);
	check(client_asks(s, "RCPT TO:<bob@own.test>\r\n") == 250);
	check(client_asks(s, "DATA\r\n") == 354);
	fiber_sleep(after_ms(10000));
	answered += say_text(s) == 250;
	stream_close(s);
}

/* Who has sent nothing loses nothing. */
static void a_stop_waits_for_no_stranger(void **state)
{
	static const char *const greeted[] = { "EHLO c.test\r\n", NULL };
	static const char *const begun[] = { "EHLO c.test\r\n",
					     "MAIL FROM:<a@c.test>\r\n", NULL };
	static const char *const named[] = { "EHLO c.test\r\n",
					     "MAIL FROM:<a@c.test>\r\n",
					     "RCPT TO:<bob@own.test>\r\n",
					     NULL };

	int64_t began_ms;

	(void)state;
	world_begin(1);
	goodbyes = 0;
	sim_start(other, "other", run_other, NULL);
	sim_start(client, "client", run_idler, (void *)greeted);
	sim_start(client, "client", run_idler, (void *)begun);
	sim_start(client, "client", run_idler, (void *)named);
	sim_run(after_ms(2000));
	began_ms = now_ms();
	engine_of_stop(&mx);
	check(goodbyes == 3 && now_ms() - began_ms < 2500);
	world_end();
}

static void but_for_a_mail_that_comes(void **state)
{
	(void)state;
	world_begin(1);
	sim_start(other, "other", run_other, NULL);
	sim_start(client, "client", run_thinker, NULL);
	sim_run(after_ms(2000));
	engine_of_stop(&mx);
	sim_run(after_ms(1000));
	check(answered == 1 && delivered == 1);
	world_end();
}

/* In an hour. */
static unsigned count_steps(void)
{
	int64_t until = now_us() + (int64_t)3600 * 1000000;
	unsigned steps = 0;

	while (sim_step(until))
		steps++;
	if (getenv("SHOW"))
		fprintf(stderr, "%u steps\n", steps);
	return steps;
}

/* What is looked at without mail is looked at rarely. */
static void an_idle_engine_sleeps(void **state)
{
	(void)state;
	world_begin(1);
	sim_run(60000);
	assert_in_range(count_steps(), 1, 5000);
	world_end();
}

/* ...and so is mail that waits for a system that is away. */
static void so_does_one_with_waiting_mail(void **state)
{
	(void)state;
	world_begin(1);
	sim_start(client, "client", run_client, NULL);
	sim_run(after_ms(300000));
	check(answered == 1 && delivered == 0);
	assert_in_range(count_steps(), 1, 20000);
	world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_is_handed_over),
		cmocka_unit_test(what_was_answered_outlives_a_power_cut),
		cmocka_unit_test(so_does_the_file_of_a_large_mail),
		cmocka_unit_test(what_waits_follows_a_change),
		cmocka_unit_test(what_is_told_is_followed_at_once),
		cmocka_unit_test(a_stop_awaits_the_answer_to_what_is_sent),
		cmocka_unit_test(a_stop_waits_for_no_stranger),
		cmocka_unit_test(but_for_a_mail_that_comes),
		cmocka_unit_test(an_idle_engine_sleeps),
		cmocka_unit_test(so_does_one_with_waiting_mail),
	};

	engines_prepare(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
