/*
 * What other systems said, with a clock of its own: the sources are compiled
 * here so that they ask this one.
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
#include "route/verify_kept.c"
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
	verify_end(v, B, BOB, VERDICT_YES, NULL, clock_ms);
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

static void test_the_last_yes_or_no_is_remembered(void **unused)
{
	assert_false(found(BOB).was_refused);
	assert_true(found(BOB).is_due);
	verify_learn(v, B, BOB, VERDICT_NO, &no);
	assert_true(found(BOB).was_refused);
	assert_false(found(BOB).is_due);
	clock_ms += DAY;
	verify_learn(v, B, BOB, VERDICT_TROUBLE, &busy);
	assert_true(found(BOB).was_refused);
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	assert_false(found(BOB).was_refused);
	clock_ms += 60 * MINUTE - 1;
	assert_false(found(BOB).is_due);
	clock_ms += 1;
	assert_true(found(BOB).is_due);
}

static void test_a_system_that_is_down_is_not_dialled_again(void **unused)
{
	struct reply full = { 421, "4.3.2", { "too busy", 8 } };

	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	verify_learn(v, B, EVE, VERDICT_DOWN, &full);
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_DOWN);
	assert_true(
		str_same(found(S("new@own.test")).reply.text, S("too busy")));
	assert_int_equal(found(BOB).verdict, VERDICT_YES);
	assert_int_equal(verify_find(v, S("c.example"), EVE, arena).verdict,
			 VERDICT_NOT_ASKED);
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_NOT_ASKED);
	verify_learn(v, B, EVE, VERDICT_DOWN, NULL);
	clock_ms += 5 * SECOND;
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_NOT_ASKED);
}

/* One question that found no way in says nothing beside one that did. */
static void test_who_answers_others_is_not_down(void **unused)
{
	int64_t began_ms = clock_ms;

	assert_true(verify_begin(v, B, EVE));
	clock_ms += SECOND;
	verify_learn(v, B, BOB, VERDICT_TROUBLE, &busy);
	clock_ms += SECOND;
	verify_end(v, B, EVE, VERDICT_DOWN, NULL, began_ms);
	assert_int_equal(found(EVE).verdict, VERDICT_TROUBLE);
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_NOT_ASKED);
	clock_ms += 5 * SECOND;
	assert_true(verify_begin(v, B, EVE));
	verify_end(v, B, EVE, VERDICT_DOWN, NULL, clock_ms);
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_DOWN);
}

/* Silence about one address neither proves life nor death. */
static void test_a_lost_question_is_its_own(void **unused)
{
	verify_learn(v, B, EVE, VERDICT_DOWN, NULL);
	verify_learn(v, B, BOB, VERDICT_TROUBLE, NULL);
	assert_int_equal(found(BOB).verdict, VERDICT_TROUBLE);
	assert_int_equal(found(S("new@own.test")).verdict, VERDICT_DOWN);
}

static void test_open_questions_are_seen_by_all_loops(void **unused)
{
	struct verification *other = verification_open(tally);

	assert_true(verify_begin(v, B, BOB));
	assert_true(found(BOB).is_asked_now);
	assert_true(verify_find(other, B, BOB, arena).is_asked_now);
	assert_false(verify_begin(other, B, BOB));
	assert_false(found(EVE).is_asked_now);
	verify_end(v, B, BOB, VERDICT_NOT_ASKED, NULL, clock_ms);
	assert_false(found(BOB).is_asked_now);
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
	assert_true(verify_begin(other, B, BOB));
	assert_true(verify_is_open(v, B, BOB));
	verify_end(other, B, BOB, VERDICT_YES, NULL, clock_ms);
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
	assert_int_equal(tally_total(tally), 0);
	verification_close(other);
}

/* By another thread, since this one looked. */
static void test_what_was_just_answered_is_not_asked_again(void **unused)
{
	static const struct {
		enum verdict verdict;
		int64_t fresh_ms;
	} answers[] = { { VERDICT_YES, 10 * MINUTE },
			{ VERDICT_NO, 30000 },
			{ VERDICT_TROUBLE, 5000 } };

	for (size_t i = 0; i < array_size(answers); i++) {
		assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
		assert_true(verify_begin(v, B, BOB));
		verify_end(v, B, BOB, answers[i].verdict, NULL, clock_ms);
		assert_false(verify_begin(v, B, BOB));
		assert_false(verify_is_open(v, B, BOB));
		clock_ms += answers[i].fresh_ms;
		assert_true(verify_begin(v, B, BOB));
		verify_end(v, B, BOB, VERDICT_NOT_ASKED, NULL, clock_ms);
	}
}

/* After RCPT was said, and soon. */
static void test_a_question_may_come_back_for_a_while(void **unused)
{
	assert_true(verify_begin(v, B, BOB));
	assert_false(found(BOB).may_come_back);
	clock_ms += 5 * MINUTE; /* until there was a connection */
	verify_said(v, B, BOB);
	assert_true(found(BOB).may_come_back);
	assert_false(found(EVE).may_come_back);
	clock_ms += LIMIT_PROBE_WAIT_MS - 1;
	assert_true(found(BOB).may_come_back);
	clock_ms += 1;
	assert_false(found(BOB).may_come_back);
	assert_true(found(BOB).is_asked_now);
	verify_said(v, B, BOB);
	verify_end(v, B, BOB, VERDICT_NOT_ASKED, NULL, clock_ms);
	assert_true(verify_begin(v, B, BOB));
	assert_false(found(BOB).may_come_back);
	verify_end(v, B, BOB, VERDICT_NOT_ASKED, NULL, clock_ms);
}

static void test_the_least_used_go(void **unused)
{
	char address[32];

	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	verify_learn(v, B, EVE, VERDICT_YES, NULL);
	for (int i = 0; i < LIMIT_VERIFICATIONS; i++) {
		snprintf(address, sizeof(address), "u%d@own.test", i);
		if (i == 1000)
			found(BOB);
		verify_learn(v, B, str_of(address), VERDICT_YES, NULL);
	}
	assert_int_equal(board_notes(v->confirmed), LIMIT_VERIFICATIONS);
	assert_int_equal(found(BOB).verdict, VERDICT_YES);
	assert_int_equal(found(EVE).verdict, VERDICT_NOT_ASKED);
}

static void test_guesses_crowd_nobody_out(void **unused)
{
	char address[32];

	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	for (int i = 0; i < LIMIT_REFUSALS + 10; i++) {
		snprintf(address, sizeof(address), "u%d@own.test", i);
		verify_learn(v, B, str_of(address), VERDICT_NO, &no);
	}
	assert_int_equal(board_notes(v->rest), LIMIT_REFUSALS);
	assert_int_equal(found(BOB).verdict, VERDICT_YES);
	assert_int_equal(found(str_of(address)).verdict, VERDICT_NO);
	verify_learn(v, B, str_of(address), VERDICT_YES, NULL);
	assert_int_equal(found(str_of(address)).verdict, VERDICT_YES);
}

/* Details are made up as easily, and confirmed. */
static void test_details_crowd_nobody_out(void **unused)
{
	char address[32];

	verify_learn(v, B, EVE, VERDICT_YES, NULL);
	for (int i = 0; i < LIMIT_VERIFICATIONS + 10; i++) {
		snprintf(address, sizeof(address), "bob+%d@own.test", i);
		verify_learn(v, B, str_of(address), VERDICT_YES, NULL);
	}
	assert_int_equal(found(EVE).verdict, VERDICT_YES);
	assert_true(found(EVE).once_confirmed);
	assert_true(found(str_of(address)).once_confirmed);
	assert_int_equal(board_notes(v->confirmed), 1);
	assert_int_equal(board_notes(v->detailed), LIMIT_REFUSALS);
}

static void confirms(int n, const char *domain)
{
	char address[40];

	for (int i = 0; i < n; i++) {
		snprintf(address, sizeof(address), "u%d@%s", i, domain);
		verify_learn(v, B, str_of(address), VERDICT_YES, NULL);
	}
}

/* Some, and nobody refused: then it is asked for one that is made up, once. */
static void test_a_system_that_confirms_everybody_is_to_be_proved(void **unused)
{
	confirms(LIMIT_UNPROVED - 1, "own.test");
	assert_false(verify_wants_proof(v, B, S("own.test")));
	confirms(LIMIT_UNPROVED, "own.test"); /* one more */
	assert_true(verify_wants_proof(v, B, S("own.test")));
	assert_false(verify_wants_proof(v, B, S("own.test")));
	assert_false(verify_wants_proof(v, B, S("other.test")));
	verify_learn_made_up(v, B, S("own.test"), VERDICT_TROUBLE);
	clock_ms += 60 * MINUTE;
	assert_true(verify_wants_proof(v, B, S("own.test")));
	verify_learn_made_up(v, B, S("own.test"), VERDICT_NO);
	clock_ms += 60 * MINUTE;
	confirms(100, "own.test");
	assert_false(verify_wants_proof(v, B, S("own.test")));
	assert_true(found(S("u99@own.test")).once_confirmed);
	/* who has refused somebody has proved it */
	verify_learn(v, B, S("no@other.test"), VERDICT_NO, &no);
	confirms(100, "other.test");
	assert_false(verify_wants_proof(v, B, S("other.test")));
}

static void test_who_accepts_everything_confirms_nobody(void **unused)
{
	verify_learn(v, B, S("bob@other.test"), VERDICT_YES, NULL);
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	confirms(LIMIT_UNPROVED, "own.test");
	assert_true(verify_wants_proof(v, B, S("own.test")));
	verify_learn_made_up(v, B, S("own.test"), VERDICT_YES);
	assert_false(found(BOB).once_confirmed);
	assert_true(found(S("bob@other.test")).once_confirmed);
	confirms(1000, "own.test");
	assert_true(board_notes(v->confirmed) < 100);
	assert_int_equal(found(S("u999@own.test")).verdict, VERDICT_YES);
	clock_ms += 10 * MINUTE;
	assert_int_equal(found(S("u999@own.test")).verdict, VERDICT_NOT_ASKED);
	assert_false(found(S("u999@own.test")).once_confirmed);
	/* it has changed its mind */
	verify_learn(v, B, S("no@own.test"), VERDICT_NO, &no);
	assert_true(found(BOB).once_confirmed);
	assert_false(found(S("u999@own.test")).once_confirmed);
	confirms(1000, "own.test");
	assert_true(found(S("u999@own.test")).once_confirmed);
}

struct told_to {
	char text[500];
};

static void note_down(void *arg, const struct confirmation *c)
{
	struct told_to *t = arg;
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof(t->text) - n, "%.*s %.*s %lld%s\n",
		 STR(c->system), STR(c->address_key), (long long)c->age_ms,
		 c->was_refused ? " no" : "");
}

static void expect_told(bool news, const char *want)
{
	struct told_to t = { "" };

	if (news)
		verify_each_news(v, note_down, &t);
	else
		verify_each_confirmed(v, note_down, &t);
	assert_string_equal(t.text, want);
}

static void test_what_is_worth_writing_down(void **unused)
{
	verify_learn(v, B, EVE, VERDICT_NO, &no);
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	clock_ms += 7;
	expect_told(true, "b.example bob@own.test 7\n");
	expect_told(true, "");
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	verify_learn(v, B, BOB, VERDICT_TROUBLE, &busy);
	verify_learn(v, B, BOB, VERDICT_DOWN, NULL);
	expect_told(true, "");
	clock_ms += 6 * 60 * MINUTE;
	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	expect_told(true, "b.example bob@own.test 0\n");
	verify_learn(v, B, BOB, VERDICT_NO, &no);
	expect_told(true, "b.example bob@own.test 0 no\n");
	verify_learn(v, B, BOB, VERDICT_NO, &no);
	expect_told(true, "");
	verify_learn(v, B, EVE, VERDICT_YES, NULL);
	expect_told(false, "b.example bob@own.test 0 no\n"
			   "b.example eve@own.test 0\n");
}

static void test_what_was_written_down_counts(void **unused)
{
	struct confirmation c = { B, BOB, 5 * MINUTE, false };

	verify_restore(v, &c);
	assert_int_equal(found(BOB).verdict, VERDICT_YES);
	clock_ms += 5 * MINUTE;
	assert_int_equal(found(BOB).verdict, VERDICT_NOT_ASKED);
	assert_true(found(BOB).once_confirmed);
	c = (struct confirmation){ B, EVE, DAY, true };
	verify_restore(v, &c);
	assert_true(found(EVE).was_refused && found(EVE).once_confirmed);
	expect_told(true, "");
	c = (struct confirmation){ B, S("old@own.test"), 7 * DAY, false };
	verify_restore(v, &c);
	assert_false(found(S("old@own.test")).once_confirmed);
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
	verify_learn(v, B, BOB, VERDICT_DOWN, NULL);
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
		EACH(test_the_last_yes_or_no_is_remembered),
		EACH(test_a_system_that_is_down_is_not_dialled_again),
		EACH(test_who_answers_others_is_not_down),
		EACH(test_a_lost_question_is_its_own),
		EACH(test_open_questions_are_seen_by_all_loops),
		EACH(test_what_was_just_answered_is_not_asked_again),
		EACH(test_a_question_may_come_back_for_a_while),
		EACH(test_the_least_used_go),
		EACH(test_guesses_crowd_nobody_out),
		EACH(test_details_crowd_nobody_out),
		EACH(test_a_system_that_confirms_everybody_is_to_be_proved),
		EACH(test_who_accepts_everything_confirms_nobody),
		EACH(test_what_is_worth_writing_down),
		EACH(test_what_was_written_down_counts),
		EACH(test_what_is_said_is_cut),
		EACH(test_the_size_a_system_takes_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
