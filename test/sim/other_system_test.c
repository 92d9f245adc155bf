/*
 * Another system that is slow, full, silent or in a bad mood, in virtual time:
 * nothing is lost, what can be is delivered once, and its sender hears what
 * becomes of it.
 *
 * SHOW=1 in the environment: with the engine's log.
 */
#include "base/test.h"
#include "waiting_test_world.h"

enum { CROWD = 60 };

/* ---- what the other system does ---- */

static void not_now(enum moment at)
{
	struct place *p = new_place_that(
		at, (struct deed){ .says = "451 4.3.0 not now" }, 3);

	begin_hasty(1, 86400);
	new_domain("own.test", p->at);
	new_user(FAR);
	send_far(1);
	pass(30000);
	have_come_to(p, 1);
}

static void not_now_is_tried_again(void **state)
{
	(void)state;
	not_now(MOMENT_RCPT);
}

static void not_now_at_data_is_tried_again(void **state)
{
	(void)state;
	not_now(MOMENT_DATA);
}

static void not_now_behind_the_dot_is_tried_again(void **state)
{
	(void)state;
	not_now(MOMENT_DOT);
}

static void silence(enum moment at)
{
	struct place *p =
		new_place_that(at, (struct deed){ .then = THEN_SILENCE }, 1);

	begin_hasty(1, 86400);
	new_domain("own.test", p->at);
	new_user(FAR);
	assert_in_range(send_far(1), 0, 25000);
	pass(600000);
	have_come_to(p, 1);
}

static void silence_when_it_is_greeted(void **state)
{
	(void)state;
	silence(MOMENT_CONNECT);
}

static void silence_at_rcpt(void **state)
{
	(void)state;
	silence(MOMENT_RCPT);
}

/* Nobody knows whether it has it: tried again. */
static void lost_behind_the_dot(void **state)
{
	struct place *p = new_place_that(
		MOMENT_DOT, (struct deed){ .takes = true, .then = THEN_CLOSE },
		1);

	(void)state;
	begin_hasty(1, 86400);
	new_domain("own.test", p->at);
	new_user(FAR);
	send_far(1);
	pass(30000);
	have_come_to(p, 2);
}

/* The client hears 250 at the limit; the attempt goes on and settles it. */
static void an_answer_after_half_a_minute(void **state)
{
	struct place *p = new_place_that(MOMENT_DOT,
					 (struct deed){ .wait_ms = 30000 }, 0);

	(void)state;
	begin_hasty(1, 86400);
	new_domain("own.test", p->at);
	new_user(FAR);
	assert_in_range(send_far(1), 19000, 21000);
	assert_int_equal(queue().recipients, 1);
	pass(11000);
	have_come_to(p, 1);
	pass(60000);
	have_come_to(p, 1);
}

/* ---- power ---- */

/* It lost power while it had a mail of ours: until the kernel finds that out the
 * answer to that one is waited for, which is no reason to leave the next ones
 * lying. */
static void one_that_lost_power_is_back(void **state)
{
	struct place *p = new_place_that(
		MOMENT_DOT, (struct deed){ .then = THEN_SILENCE }, 1);

	(void)state;
	begin_hasty(5, 86400);
	new_domain("own.test", p->at);
	new_user(FAR);
	send_far(1);
	sim_power_cut(p->host);
	send_far(1);
	pass(15000);
	sim_power_on(p->host);
	rises(p);
	send_far(1);
	pass(15000);
	have_come_to(p, 3);
}

/* ---- what it takes at once ---- */

/* Nothing is put off for minutes, and no more connections are tried than it
 * takes to see the limit. */
static void use_all_connections(unsigned limit, struct deed beyond)
{
	struct place *p = new_place();

	p->conduct.connections = limit;
	p->conduct.beyond = beyond;
	begin();
	wait_for(p, CROWD);
	rises(p);
	retry_all();
	pass(60000);
	have_come_to(p, CROWD);
	assert_in_range(sim_peer_figures(p->peer).most_open, 1, limit);
	assert_in_range(sim_peer_figures(p->peer).sent_away, 0, 10 + limit);
}

static void all_connections_there_are_are_used(void **state)
{
	static const unsigned limits[] = { 1, 2, 10 };
	static const struct deed beyond[] = {
		{ .says = "421 4.7.0 too many connections from your host",
		  .then = THEN_CLOSE },
		{ .then = THEN_CLOSE },
		{ .then = THEN_REFUSE },
	};

	for (size_t i = 0; i < array_size(limits) * array_size(beyond); i++) {
		use_all_connections(limits[i / array_size(beyond)],
				    beyond[i % array_size(beyond)]);
		world_end(state);
		world_begin(state);
	}
}

/* ---- what its sender hears ---- */

static void who_waits_in_vain_hears_of_it(void **state)
{
	struct place *p = new_place(), *back;

	(void)state;
	begin_hasty(1, 4);
	back = new_place_of_the_sender();
	wait_for(p, 1);
	pass(30000);
	have_come_to(back, 1);
	assert_int_equal(sim_peer_mail(back->peer, 0)->sender.n, 0);
	assert_true(has_text(back, 0, "\r\nAction: failed\r\n"));
	assert_true(has_text(back, 0, "rfc822; " FAR));
}

static void nobody_hears_of_what_nobody_sent(void **state)
{
	struct place *p = new_place(), *back;

	(void)state;
	begin_hasty(1, 3);
	back = new_place_of_the_sender();
	new_domain("own.test", p->at);
	new_user(FAR);
	send_letters((struct letters){ "", FAR, .n = 1 });
	assert_int_equal(queue().recipients, 1);
	pass(40000);
	assert_int_equal(queue().recipients, 0);
	assert_int_equal(has(back), 0);
}

static size_t count_text(const struct place *p, size_t i, const char *text)
{
	struct str rest = sim_peer_mail(p->peer, i)->bytes;
	ptrdiff_t at;
	size_t n = 0;

	while ((at = str_search(rest, str_of(text))) >= 0) {
		rest = str_from(rest, (size_t)at + 1);
		n++;
	}
	return n;
}

/* One warning and one report, with all of them. */
static void two_hundred_who_are_always_busy(void **state)
{
	struct place *p = new_place_that(
		MOMENT_RCPT, (struct deed){ .says = "450 4.2.1 busy" }, 0);
	struct place *back;

	(void)state;
	mx.settings.deliver.delay_warning_s = 3;
	begin_hasty(1, 8);
	back = new_place_of_the_sender();
	new_domain("own.test", p->at);
	new_user(FAR);
	send_letters(
		(struct letters){ SENDER, FAR, .n = 1, .recipients = 200 });
	pass(60000);
	have_come_to(back, 2);
	assert_int_equal(count_text(back, 0, "\r\nAction: delayed\r\n"), 200);
	assert_int_equal(count_text(back, 1, "\r\nAction: failed\r\n"), 200);
	assert_in_range(sim_peer_figures(p->peer).most_open, 1, 3);
}

/* clang-format off */
#define TESTS(T) \
	T(not_now_is_tried_again) \
	T(not_now_at_data_is_tried_again) \
	T(not_now_behind_the_dot_is_tried_again) \
	T(silence_when_it_is_greeted) \
	T(silence_at_rcpt) \
	T(all_connections_there_are_are_used) \
	T(lost_behind_the_dot) \
	T(an_answer_after_half_a_minute) \
	T(one_that_lost_power_is_back) \
	T(who_waits_in_vain_hears_of_it) \
	T(nobody_hears_of_what_nobody_sent) \
	T(two_hundred_who_are_always_busy)
/* clang-format on */

#define ENTRY(test) \
	cmocka_unit_test_setup_teardown(test, world_begin, world_end),

int main(void)
{
	const struct CMUnitTest tests[] = { TESTS(ENTRY) };

	engines_prepare(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
