/*
 * Mail that waits, in virtual time: it follows what is changed, whatever
 * happens to the clocks, and goes as soon as the other system takes it, and not
 * before.
 *
 * SHOW=1 in the environment: with the engine's log.
 */
#include <stdio.h>

#include "base/test.h"
#include "waiting_test_world.h"

enum {
	LATER_MS = 15000, /* much less than RETRY_S */
	ITS_TIME_MS = RETRY_S * 1000 + LATER_MS,
	DAY_MS = 86400000,
	YEAR_DAYS = 365,
	MANY = 200,
};

/* ---- it follows what is changed ---- */

static void goes_to_the_new_relay(void **state)
{
	struct place *old = new_place(), *new = new_place_that_is_up();

	(void)state;
	begin();
	wait_for(old, 7);
	domain_is("own.test", "relay", new->at);
	pass(LATER_MS);
	have_come_to(new, 7);
}

static void goes_to_a_system_of_its_own(void **state)
{
	struct place *old = new_place(), *new = new_place_that_is_up();

	(void)state;
	begin();
	wait_for(old, 7);
	new_system("other", new);
	user_is(FAR, "system", "other");
	pass(LATER_MS);
	have_come_to(new, 7);
}

static void move_system(struct changes *c, void *to)
{
	struct setting hosts = { S("hosts"), str_of(to) };

	is_done(system_set(c, S("other"), &hosts, 1));
}

static void goes_to_the_systems_new_host(void **state)
{
	struct place *relay = new_place(), *old = new_place(),
		     *new = new_place_that_is_up();

	(void)state;
	begin();
	new_domain("own.test", relay->at);
	new_user(FAR);
	new_system("other", old);
	user_is(FAR, "system", "other");
	send_far(3);
	assert_int_equal(queue().recipients, 3);
	engine_of_change(&mx, move_system, new->at);
	pass(LATER_MS);
	have_come_to(new, 3);
}

static void goes_where_it_was_changed_to_while_nothing_ran(void **state)
{
	struct place *old = new_place(), *new = new_place_that_is_up();

	(void)state;
	begin();
	wait_for(old, 3);
	engine_of_stop(&mx);
	domain_is("own.test", "relay", new->at);
	engine_of_start(&mx);
	pass(LATER_MS);
	have_come_to(new, 3);
}

/* A domain's catch-all or postmaster, through one domain more, too. */
static void follow(const char *how, unsigned links)
{
	struct place *old = new_place_that(
		MOMENT_RCPT, (struct deed){ .says = "451 4.2.0 later" }, 0);
	struct place *new = new_place_that_is_up();
	const char *to = "any@front.test";

	begin();
	new_domain("own.test", old->at);
	new_user(FAR);
	new_domain("between.test", "");
	new_domain("front.test", "");
	domain_is("between.test", "postmaster", FAR);
	domain_is("front.test", how,
		  links == 1 ? FAR : "postmaster@between.test");
	if (how[0] == 'p')
		to = "postmaster@front.test";
	send_letters((struct letters){ SENDER, to, .n = 2 });
	assert_int_equal(queue().recipients, 2);
	new_system("other", new);
	user_is(FAR, "system", "other");
	pass(LATER_MS);
	have_come_to(new, 2);
}

static void follows_a_catch_all(void **state)
{
	(void)state;
	follow("catch_all", 1);
}

static void follows_a_catch_all_through_another_domain(void **state)
{
	(void)state;
	follow("catch_all", 2);
}

static void follows_a_postmaster(void **state)
{
	(void)state;
	follow("postmaster", 1);
}

static void follows_a_postmaster_through_another_domain(void **state)
{
	(void)state;
	follow("postmaster", 2);
}

static void others_do_not_stir(void **state)
{
	struct place *old = new_place(), *third = new_place();
	unsigned before;

	(void)state;
	begin();
	new_domain("third.test", third->at);
	wait_for(old, 7);
	before = queue().attempts;
	domain_is("third.test", "relay", old->at);
	new_user("more@own.test");
	pass(1500);
	assert_int_equal(queue().recipients, 7);
	/* whether the system is up is seen by one */
	assert_in_range(queue().attempts, before, before + 2);
}

static void delete_domain(struct changes *c, void *arg)
{
	(void)arg;
	is_done(user_delete(c, S(FAR)));
	is_done(domain_delete(c, S("own.test")));
}

static void make_smart_host(struct changes *c, void *arg)
{
	struct setting is_smart = { S("smart_host"), S("yes") };

	(void)arg;
	is_done(system_set(c, S("smart"), &is_smart, 1));
}

static void mail_of_a_deleted_domain_does_not_leave(void **state)
{
	struct place *old = new_place(), *smart = new_place_that_is_up();

	(void)state;
	begin();
	wait_for(old, 2);
	new_system("smart", smart);
	engine_of_change(&mx, make_smart_host, NULL);
	engine_of_change(&mx, delete_domain, NULL);
	for (int i = 0; i < 2; i++) { /* nor when it was told so before */
		retry_all();
		pass(LATER_MS);
	}
	assert_non_null(strstr(queue().reply, "no domain of this server"));
	assert_int_equal(has(smart), 0);
	assert_int_equal(queue().recipients, 2);
	new_domain("own.test", old->at); /* it was a mistake */
	new_user(FAR);
	rises(old);
	pass(LATER_MS);
	have_come_to(old, 2);
}

/* ---- when it goes ---- */

/* Without new mail, a question or an order, before the mail's own time. */
static void a_system_that_is_up_again_is_found_so(void **state)
{
	struct place *old = new_place();

	(void)state;
	begin();
	wait_for(old, 7);
	rises(old);
	pass(60000);
	have_come_to(old, 7);
}

/* The first mail that gets through hurries the others. */
static void what_waits_flows_behind_the_first_that_does(void **state)
{
	struct place *old = new_place();

	(void)state;
	begin();
	wait_for(old, MANY);
	pass(60000);
	rises(old);
	for (int i = 0; i < 30 && has(old) == 0; i++)
		send_far(1);
	pass(20000);
	assert_in_range(has(old), MANY + 1, MANY + 30);
	assert_int_equal(queue().recipients, 0);
}

static void an_order_tries_what_failed_a_moment_ago(void **state)
{
	struct place *old = new_place();

	(void)state;
	begin();
	wait_for(old, 6);
	rises(old);
	retry_all();
	pass(5000);
	have_come_to(old, 6);
}

/* The system is still down: one attempt each, and no more. */
static void what_was_not_tried_is_no_attempt(void **state)
{
	struct place *old = new_place();

	(void)state;
	begin();
	wait_for(old, 3);
	retry_all();
	pass(LATER_MS);
	assert_int_equal(queue().recipients, 3);
	assert_in_range(queue().attempts, 4, 3 * 4);
}

/* The other host, while the first one is down; then the first again. */
static void mail_goes_to_the_first_host_that_is_well(void **state)
{
	struct place *first = new_place_that_is_up(),
		     *second = new_place_that_is_up();
	char both[60];

	(void)state;
	begin();
	snprintf(both, sizeof(both), "%s, %s", first->at, second->at);
	new_domain("own.test", both);
	new_user(FAR);
	send_far(1);
	falls(first);
	send_far(1);
	assert_int_equal(has(first), 1);
	assert_int_equal(has(second), 1);
	rises(first);
	pass(60000);
	send_far(1);
	assert_int_equal(has(first), 2);
}

/* ---- clocks ---- */

enum clock {
	CLOCK_OF_THE_MACHINE,
	TIMES_IN_THE_QUEUE, /* as they are when it was set back before */
};

struct jump {
	enum clock clock;
	int64_t days;
	bool while_it_runs;
};

static void set_times(int64_t days)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "UPDATE recipient SET next_attempt = next_attempt + %lld;"
		 "UPDATE message SET arrived = arrived + %lld;",
		 (long long)days * DAY_MS, (long long)days * DAY_MS);
	change_queue(text);
}

static int64_t machine_ms;

static void read_clock(void *arg)
{
	(void)arg;
	machine_ms = wall_ms();
}

static void jump(const struct jump *j)
{
	if (j->clock == TIMES_IN_THE_QUEUE) {
		set_times(j->days);
		return;
	}
	engine_of_do(&mx, read_clock, NULL);
	sim_set_wall(mx.host, machine_ms + j->days * DAY_MS);
}

/* Nothing is lost or returned, and all is tried: at once where times are seen to
 * be wrong, and else no later than it would have been. */
static void strand_nothing(const struct jump *j)
{
	struct place *back, *old = new_place();

	begin();
	back = new_place_of_the_sender();
	wait_for(old, 3);
	rises(old);
	if (!j->while_it_runs)
		engine_of_stop(&mx);
	jump(j);
	if (!j->while_it_runs)
		engine_of_start(&mx);
	pass(j->clock == TIMES_IN_THE_QUEUE ? LATER_MS : ITS_TIME_MS);
	have_come_to(old, 3);
	assert_int_equal(has(back), 0);
}

static void wrong_times_strand_nothing(void **state)
{
	static const int64_t days[] = { 1, YEAR_DAYS, -1, -YEAR_DAYS };

	for (size_t i = 0; i < 4 * array_size(days); i++) {
		struct jump j = { .clock = i & 1 ? CLOCK_OF_THE_MACHINE
						 : TIMES_IN_THE_QUEUE,
				  .while_it_runs = i & 2,
				  .days = days[i / 4] };

		strand_nothing(&j);
		world_end(state);
		world_begin(state);
	}
}

static void what_waits_expires_by_the_time_it_really_waited(void **state)
{
	struct place *old = new_place(), *back;

	(void)state;
	begin_hasty(1, 6);
	back = new_place_of_the_sender();
	wait_for(old, 1);
	set_times(YEAR_DAYS);
	pass(60000);
	have_come_to(back, 1);
	assert_true(has_text(back, 0, "\r\nAction: failed\r\n"));
}

/* clang-format off */
#define TESTS(T) \
	T(goes_to_the_new_relay) \
	T(goes_to_a_system_of_its_own) \
	T(goes_to_the_systems_new_host) \
	T(goes_where_it_was_changed_to_while_nothing_ran) \
	T(follows_a_catch_all) \
	T(follows_a_catch_all_through_another_domain) \
	T(follows_a_postmaster) \
	T(follows_a_postmaster_through_another_domain) \
	T(others_do_not_stir) \
	T(mail_of_a_deleted_domain_does_not_leave) \
	T(a_system_that_is_up_again_is_found_so) \
	T(what_waits_flows_behind_the_first_that_does) \
	T(an_order_tries_what_failed_a_moment_ago) \
	T(what_was_not_tried_is_no_attempt) \
	T(mail_goes_to_the_first_host_that_is_well) \
	T(wrong_times_strand_nothing) \
	T(what_waits_expires_by_the_time_it_really_waited)
/* clang-format on */

#define ENTRY(test) \
	cmocka_unit_test_setup_teardown(test, world_begin, world_end),

int main(void)
{
	const struct CMUnitTest tests[] = { TESTS(ENTRY) };

	engines_prepare(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
