/*
 * What other systems said, with a clock of its own: verify.c is compiled here
 * so that it asks this one.
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
#include "route/verify.c"
#undef now_ms

#include "base/test.h"

#define B S("b.example")
#define BOB S("bob@own.test")
#define EVE S("eve@own.test")

enum { SECOND = 1000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE };

static struct arena *arena;
static struct tally *tally;
static struct verification *v;

static int open_all(void **unused)
{
	clock_ms = 50LL * DAY;
	arena = arena_open();
	tally = tally_open();
	v = verification_open(tally);
	return 0;
}

static int close_all(void **unused)
{
	verification_close(v);
	tally_close(tally);
	arena_close(arena);
	return 0;
}

static const struct reply no = { 550, "5.1.1", { "no such user", 12 } };
static const struct reply busy = { 451, "4.7.1", { "greylisted", 10 } };

static struct finding found(struct str address)
{
	return verify_find(v, B, address, arena);
}

static void test_yes_holds_ten_minutes(void **unused)
{
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
	assert_true(verify_begin(v, B, BOB));
	verify_end(v, B, BOB, VERDICT_YES, NULL);
	clock_ms += 10 * MINUTE - 1;
	assert_int_equal(found(BOB).verdict, VERDICT_YES);
	assert_int_equal(found(BOB).age_s, 599);
	assert_int_equal(found(EVE).verdict, VERDICT_NOT_ASKED);
	assert_int_equal(verify_find(v, S("c.example"), BOB, arena).verdict,
	                 VERDICT_NOT_ASKED);
	clock_ms += 1;
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
	assert_true(found(BOB).once_confirmed);
	clock_ms += 7 * DAY - 10 * MINUTE - 1;
	assert_true(found(BOB).once_confirmed);
	clock_ms += 1;
	assert_false(found(BOB).once_confirmed);
}

static void test_no_holds_thirty_seconds(void **unused)
{
	struct finding f;

	verify_learn(v, B, BOB, VERDICT_NO, &no);
	clock_ms += 30 * SECOND - 1;
	f = found(BOB);
	assert_int_equal(f.verdict, VERDICT_NO);
	assert_int_equal(f.reply.code, 550);
	assert_string_equal(f.reply.status, "5.1.1");
	assert_true(str_same(f.reply.text, S("no such user")));
	assert_false(f.once_confirmed);
	clock_ms += 1;
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
}

static void test_a_confirmed_address_stays_known(void **unused)
{
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	verify_learn(v, B, BOB, VERDICT_TROUBLE, &busy);
	assert_int_equal(found(BOB).verdict, VERDICT_TROUBLE);
	assert_true(found(BOB).once_confirmed);
	verify_learn(v, B, BOB, VERDICT_NO, &no);
	assert_int_equal(found(BOB).verdict, VERDICT_NO);
	assert_true(found(BOB).once_confirmed);
}

static void test_trouble_with_one_address_is_its_own(void **unused)
{
	verify_learn(v, B, BOB, VERDICT_TROUBLE, &busy);
	assert_int_equal(found(BOB).verdict, VERDICT_TROUBLE);
	assert_int_equal(found(EVE).verdict, VERDICT_NOT_ASKED);
	clock_ms += 5 * SECOND;
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
}

static void test_a_system_that_is_down_is_not_dialled_again(void **unused)
{
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	verify_learn(v, B, EVE, VERDICT_TROUBLE, NULL);
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_TROUBLE);
	assert_int_equal(found(BOB).verdict, VERDICT_YES);
	assert_int_equal(verify_find(v, S("c.example"), EVE, arena).verdict,
	                 VERDICT_NOT_ASKED);
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_NOT_ASKED);
	verify_learn(v, B, EVE, VERDICT_TROUBLE, NULL);
	clock_ms += 5 * SECOND;
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_NOT_ASKED);
}

static void test_open_questions_are_seen_by_all_loops(void **unused)
{
	struct verification *other = verification_open(tally);

	assert_true(verify_begin(v, B, BOB));
	assert_true(found(BOB).is_asked_now);
	assert_true(verify_find(other, B, BOB, arena).is_asked_now);
	assert_false(verify_begin(other, B, BOB));
	assert_false(found(EVE).is_asked_now);
	verify_end(v, B, BOB, VERDICT_NOT_ASKED, NULL);
	assert_false(found(BOB).is_asked_now);
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
	assert_true(verify_begin(other, B, BOB));
	verify_end(other, B, BOB, VERDICT_YES, NULL);
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
	assert_int_equal(tally_total(tally), 0);
	verification_close(other);
}

static void test_the_least_used_go(void **unused)
{
	char address[32];

	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	verify_learn(v, B, EVE, VERDICT_NO, &no);
	for (int i = 0; i < LIMIT_VERIFICATIONS - 1; i++) {
		snprintf(address, sizeof(address), "u%d@own.test", i);
		if (i == 1000)
			found(BOB);
		verify_learn(v, B, str_of(address), VERDICT_YES, NULL);
	}
	assert_int_equal(board_notes(v->board), LIMIT_VERIFICATIONS);
	assert_int_equal(found(BOB).verdict, VERDICT_YES);
	assert_int_equal(found(EVE).verdict, VERDICT_NOT_ASKED);
}

static void test_what_is_said_is_cut(void **unused)
{
	char long_text[3000];
	struct reply r = { 554, "5.7.1", { long_text, sizeof(long_text) } };
	struct str long_address = { long_text, sizeof(long_text) };

	memset(long_text, 'x', sizeof(long_text));
	verify_learn(v, B, BOB, VERDICT_NO, &r);
	assert_int_equal(found(BOB).reply.text.n, LIMIT_VERIFIED_TEXT);
	verify_learn(v, long_address, long_address, VERDICT_NO, &r);
	verify_learn(v, STR_NONE, STR_NONE, VERDICT_NO, &r);
}

static void test_the_size_a_system_takes_is_remembered(void **unused)
{
	assert_int_equal(verify_size(v, B, arena), 0);
	verify_learn_size(v, B, 0);
	verify_learn_size(v, B, 5000000000);
	assert_int_equal(verify_size(v, B, arena), 5000000000);
	assert_int_equal(verify_size(v, S("C"), arena), 0);
	verify_learn(v, B, BOB, VERDICT_TROUBLE, NULL);
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	assert_int_equal(verify_size(v, B, arena), 5000000000);
	verify_learn_size(v, B, 0);
	assert_int_equal(verify_size(v, B, arena), 0);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
	const struct CMUnitTest tests[] = {
		EACH(test_yes_holds_ten_minutes),
		EACH(test_no_holds_thirty_seconds),
		EACH(test_a_confirmed_address_stays_known),
		EACH(test_trouble_with_one_address_is_its_own),
		EACH(test_a_system_that_is_down_is_not_dialled_again),
		EACH(test_open_questions_are_seen_by_all_loops),
		EACH(test_the_least_used_go),
		EACH(test_what_is_said_is_cut),
		EACH(test_the_size_a_system_takes_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
