/*
 * What strangers may ask for, with a clock of its own: allowance.c is compiled
 * here so that it asks this one.
 */
#include <stdint.h>
#include <stdio.h>

static int64_t clock_ms;

static int64_t test_now_ms(void)
{
	return clock_ms;
}

#include "rt/clock.h"
#define now_ms test_now_ms
#include "route/allowance.c"
#undef now_ms

#include "base/test.h"

#define B S("b.example")

enum { MINUTE = 60000 };

static struct allowance *a;

static int open_all(void **unused)
{
	clock_ms = 1;
	a = allowance_open();
	return 0;
}

static int close_all(void **unused)
{
	allowance_close(a);
	return 0;
}

static struct inet ip(const char *text)
{
	struct inet at;

	check(inet_parse_ip(str_of(text), 0, &at));
	return at;
}

static struct standing look(const char *client)
{
	struct inet at = ip(client);

	return allowance_look(a, B, &at);
}

static void asks(const char *client, int n, bool refused)
{
	struct inet at = ip(client);

	for (int i = 0; i < n; i++) {
		allowance_begin(a, &at);
		allowance_end(a, B, &at, refused);
	}
}

static void test_who_is_never_refused_may_always_ask(void **unused)
{
	asks("192.0.2.1", 10 * LIMIT_REFUSALS_OF_CLIENT, false);
	for (int i = 0; i < LIMIT_REFUSALS_OF_SYSTEM; i++)
		asks("192.0.2.2", 2, true);
	assert_true(look("192.0.2.2").system_is_spent);
	assert_false(look("192.0.2.1").was_refused);
	assert_false(look("192.0.2.1").system_is_spent);
	assert_false(look("192.0.2.3").client_is_spent);
	allowance_begin(a, NULL);
	allowance_end(a, B, NULL, true);
	assert_false(allowance_look(a, B, NULL).was_refused);
}

static void test_a_client_spends_his_and_gets_it_back(void **unused)
{
	asks("192.0.2.1", LIMIT_REFUSALS_OF_CLIENT - 1, true);
	assert_true(look("192.0.2.1").was_refused);
	assert_false(look("192.0.2.1").client_is_spent);
	asks("192.0.2.1", 1, true);
	assert_true(look("192.0.2.1").client_is_spent);
	clock_ms += LIMIT_REFUSALS_OF_CLIENT_MS / LIMIT_REFUSALS_OF_CLIENT;
	assert_false(look("192.0.2.1").client_is_spent);
	asks("192.0.2.1", 1, true);
	assert_true(look("192.0.2.1").client_is_spent);
	clock_ms += LIMIT_REFUSALS_OF_CLIENT_MS - 1;
	assert_true(look("192.0.2.1").was_refused);
	clock_ms += 1;
	assert_false(look("192.0.2.1").was_refused);
}

/* The pause grows, is bounded, and shrinks again. */
static void test_who_has_spent_his_waits_longer_and_longer(void **unused)
{
	int64_t pause_ms = 0;

	asks("192.0.2.1", LIMIT_REFUSALS_OF_CLIENT - 1, true);
	assert_int_equal(look("192.0.2.1").pause_ms, 0);
	for (int i = 0; i < 10; i++) {
		asks("192.0.2.1", 1, true);
		assert_true(look("192.0.2.1").pause_ms > pause_ms);
		pause_ms = look("192.0.2.1").pause_ms;
	}
	asks("192.0.2.1", 10000, true);
	assert_int_equal(look("192.0.2.1").pause_ms, LIMIT_PAUSE_MS);
	assert_int_equal(look("192.0.2.2").pause_ms, 0);
	clock_ms += LIMIT_REFUSALS_OF_CLIENT_MS - 1;
	assert_true(look("192.0.2.1").was_refused);
	assert_int_equal(look("192.0.2.1").pause_ms, 0);
}

/* Each for himself is far from his own limit.  Then they wait for turns, one
 * for each refusal that has leaked away. */
static void test_many_clients_spend_the_systems(void **unused)
{
	char client[32];
	int refused = 0;

	for (int round = 0; round < 20; round++)
		for (int i = 0; i < 20; i++) {
			snprintf(client, sizeof(client), "192.0.2.%d", i);
			if (look(client).system_is_spent)
				continue;
			asks(client, 1, true);
			refused++;
		}
	assert_int_equal(refused, LIMIT_REFUSALS_OF_SYSTEM);
	assert_false(look("192.0.2.99").system_is_spent);
	assert_false(allowance_look(a, S("c.example"), &(struct inet){ 0 })
			     .system_is_spent);
	assert_false(allowance_take(a, B));
	assert_true(allowance_take(a, S("c.example")));
	clock_ms += LIMIT_REFUSALS_OF_SYSTEM_MS / LIMIT_REFUSALS_OF_SYSTEM;
	assert_false(look("192.0.2.1").system_is_spent);
	assert_true(allowance_take(a, B));
	asks("192.0.2.1", 1, true);
	allowance_give_back(a, B);
	assert_false(allowance_take(a, B));
}

static void test_questions_at_once_count_before_they_are_answered(void **unused)
{
	struct inet at = ip("192.0.2.1");

	asks("192.0.2.1", 1, true);
	for (int i = 1; i < LIMIT_REFUSALS_OF_CLIENT; i++) {
		assert_false(look("192.0.2.1").client_is_spent);
		allowance_begin(a, &at);
	}
	assert_int_equal(look("192.0.2.1").open, LIMIT_REFUSALS_OF_CLIENT - 1);
	assert_true(look("192.0.2.1").client_is_spent);
	for (int i = 1; i < LIMIT_REFUSALS_OF_CLIENT; i++)
		allowance_end(a, B, &at, false);
	assert_false(look("192.0.2.1").client_is_spent);
}

static void test_a_network_of_ipv6_is_one_client(void **unused)
{
	asks("2001:db8:1:2::1", 1, true);
	assert_true(look("2001:db8:1:2:ffff::9").was_refused);
	assert_false(look("2001:db8:1:3::1").was_refused);
	asks("192.0.2.1", 1, true);
	assert_false(look("192.0.2.2").was_refused);
}

/* A customer has 65,536 of those: he is not new in each of them.  One who
 * guesses in his own makes his neighbours no guessers. */
static void test_who_moves_about_in_his_network_is_known(void **unused)
{
	char client[40];

	asks("2001:db8:1:ffff::1", 1000, true);
	for (int i = 1; i < LIMIT_STARTS_OF_NETWORK; i++) {
		snprintf(client, sizeof(client), "2001:db8:1:%x::1", i);
		assert_false(look(client).was_refused);
		asks(client, 1, true);
	}
	assert_true(look("2001:db8:1:aaaa::1").was_refused);
	assert_false(look("2001:db8:1:aaaa::1").client_is_spent);
	assert_false(look("2001:db8:2:aaaa::1").was_refused);
	clock_ms += LIMIT_REFUSALS_OF_CLIENT_MS / LIMIT_STARTS_OF_NETWORK;
	assert_false(look("2001:db8:1:aaaa::1").was_refused);
	for (int i = 0; i < 2000; i++) { /* IPv4 has no such networks */
		snprintf(client, sizeof(client), "198.51.%d.%d", i / 200,
			 i % 200);
		asks(client, 1, true);
	}
	assert_false(look("198.51.100.200").was_refused);
}

/* A ban would be for all mail: so many a day, however they come. */
static void test_a_system_that_bans_is_asked_little(void **unused)
{
	int64_t began_ms = clock_ms;
	int refused = 0, before;

	for (int i = 0; i < 100; i++) {
		assert_true(allowance_begin_today(a, B));
		allowance_end_today(a, B, true);
	}
	allowance_limit_day(a, B, false);
	assert_false(allowance_day_is_spent(a, B, NULL));
	assert_false(allowance_day_is_spent(a, S("c.example"), NULL));
	while (clock_ms < began_ms + DAY_MS) {
		for (int i = 0; i < 10; i++) { /* at once */
			before = refused;
			while (refused - before < 20 &&
			       allowance_begin_today(a, B))
				refused++;
			for (; before < refused; before++)
				allowance_end_today(a, B, true);
		}
		clock_ms += MINUTE;
	}
	assert_true(refused >= LIMIT_REFUSALS_A_DAY);
	assert_true(refused <= 2 * LIMIT_REFUSALS_A_DAY);
	while (allowance_begin_today(a, B))
		allowance_end_today(a, B, true);
	assert_true(allowance_day_is_spent(a, B, NULL));
	/* found again, it is no news */
	allowance_limit_day(a, B, false);
	assert_true(allowance_day_is_spent(a, B, NULL));
	assert_true(allowance_begin_today(a, S("c.example")));
}

static void test_who_guesses_gets_half_of_the_day(void **unused)
{
	struct inet guesser = ip("192.0.2.1"), other = ip("192.0.2.2");

	asks("192.0.2.1", 1, true);
	allowance_limit_day(a, B, false);
	assert_true(allowance_day_is_spent(a, B, &guesser));
	assert_false(allowance_day_is_spent(a, B, &other));
	/* what exists costs nothing */
	for (int i = 0; i < 100; i++) {
		assert_true(allowance_begin_today(a, B));
		allowance_end_today(a, B, false);
	}
	assert_false(allowance_day_is_spent(a, B, &other));
	for (int i = 0; i < LIMIT_REFUSALS_A_DAY / 2; i++)
		allowance_refused_today(a, B);
	assert_true(allowance_day_is_spent(a, B, &other));
	clock_ms += DAY_MS;
	assert_false(allowance_day_is_spent(a, B, &guesser));
	allowance_limit_day(a, B, true);
	assert_true(allowance_day_is_spent(a, B, &other));
	assert_false(allowance_begin_today(a, B));
}

static void test_few_guesses_at_once(void **unused)
{
	for (int i = 0; i < LIMIT_GUESSES_AT_ONCE; i++)
		assert_true(allowance_take(a, B));
	assert_false(allowance_take(a, B));
	assert_true(allowance_take(a, S("c.example")));
	allowance_give_back(a, B);
	assert_true(allowance_take(a, B));
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
	const struct CMUnitTest tests[] = {
		EACH(test_who_is_never_refused_may_always_ask),
		EACH(test_a_client_spends_his_and_gets_it_back),
		EACH(test_who_has_spent_his_waits_longer_and_longer),
		EACH(test_many_clients_spend_the_systems),
		EACH(test_questions_at_once_count_before_they_are_answered),
		EACH(test_a_network_of_ipv6_is_one_client),
		EACH(test_who_moves_about_in_his_network_is_known),
		EACH(test_a_system_that_bans_is_asked_little),
		EACH(test_who_guesses_gets_half_of_the_day),
		EACH(test_few_guesses_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
