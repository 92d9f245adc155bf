/*
 * What route() makes of what other systems have said (route/verify.h).
 */
#include "base/limits.h"
#include "route/allowance.h"
#include "route/route_test_world.h"
#include "route/verify.h"

static struct verification *verification;

static int with_verification(void **unused)
{
	router.verification = verification = verification_open(NULL);
	router.allowance = allowance_open();
	return 0;
}

static int without_verification(void **unused)
{
	verification_close(verification);
	allowance_close(router.allowance);
	router.allowance = NULL;
	router.verification = NULL;
	return 0;
}

static struct str key_of(const char *system)
{
	return arena_strf(arena, "%s %s",
			  strchr(system, '.') ? "relay" : "system", system);
}

static void says(const char *system, const char *key, enum verdict verdict,
		 int code, const char *text)
{
	struct reply r = { .code = code, .text = str_of(text) };

	if (verdict == VERDICT_NO)
		memcpy(r.status, "5.7.9", 6);
	verify_learn(verification, key_of(system), str_of(key), verdict, &r);
}

/* Confirmed a day ago, and refused since? */
static void knows(const char *system, const char *key, bool was_refused)
{
	struct confirmation c = { key_of(system), str_of(key), 86400000,
				  was_refused };

	verify_restore(verification, &c);
}

static void test_it_is_asked_first(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	d = decide(&q, "Bob@slave.test", "ask master.example(Bob@slave.test)");
	assert_true(str_same(d.ask_key, S("bob@slave.test")));
	/* who wants no mail kept has known addresses asked for, too */
	d = decide(&q, "Stan@alias.test", "ask strict(Stan@alias.test)");
	assert_true(str_same(d.ask_key, S("stan@alias.test")));
	expect("user:alice@own.test", "x@slave.test",
	       "ask master.example(x@slave.test)");
	/* shares and members are not */
	expect("internet", "both@own.test",
	       "both *frank *b.example(both@own.test)");
	expect("internet", "unknowns@slave.test",
	       "expand master.example(x@slave.test) sam");
	/* nor the Internet, nor for what was accepted before */
	expect("local", "x@ext.test", "relay mx:ext.test(x@ext.test)");
	q.is_retry = true;
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	decide(&q, "x@slave.test", "relay master.example(x@slave.test)");
}

/* Known by the directory, or confirmed once: accepted without the system's
 * word, until that was a no; and asked in the background when it is due. */
static void test_known_addresses_need_no_question(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	d = decide(&q, "Bob@own.test", "ask later b.example(Bob@own.test)");
	assert_true(str_same(d.ask_key, S("bob@own.test")));
	assert_true(d.legs[0].is_known);
	d = decide(&q, "x@catchbob.test", "ask later b.example(bob@own.test)");
	assert_true(str_same(d.ask_key, S("bob@own.test")));
	expect("internet", "kurt@own.test", "ask later keeper(kurt@own.test)");
	knows("master.example", "old@slave.test", false);
	d = decide(&q, "old@slave.test",
		   "ask later master.example(old@slave.test)");
	assert_string_equal(d.reasons[d.n_reasons - 2].id, "confirmed_once");
	knows("master.example", "left@slave.test", true);
	decide(&q, "left@slave.test", "ask master.example(left@slave.test)");
	verify_learn_size(verification, S("relay b.example"), 10);
	q.message_bytes = 11;
	decide(&q, "bob@own.test", "refuse 552 5.3.4");
}

static bool has_reason(const struct decision *d, const char *id)
{
	for (size_t i = 0; i < d->n_reasons; i++)
		if (!strcmp(d->reasons[i].id, id))
			return true;
	return false;
}

/* Asked for, in the end; he waits before (deliver_probe). */
static void test_a_client_who_guesses_is_told_why_he_waits(void **unused)
{
	struct inet client = { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	struct inet other = { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 2 } };
	struct question q = { .asker = asker_of("internet"),
			      .client = &client };
	struct decision d;

	decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	for (int i = 0; i < 2 * LIMIT_REFUSALS_OF_CLIENT; i++) {
		allowance_begin(router.allowance, &client);
		allowance_end(router.allowance, S("relay master.example"),
			      &client, true);
	}
	d = decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	assert_true(has_reason(&d, "client_is_spent"));
	/* not with what is known, nor if he has rights, nor others */
	decide(&q, "bob@own.test", "ask later b.example(bob@own.test)");
	says("master.example", "y@slave.test", VERDICT_NO, 553, "no");
	decide(&q, "y@slave.test", "refuse 553 5.7.9");
	q.asker = asker_of("user:sam@slave.test");
	decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	q.asker = asker_of("internet");
	q.client = &other;
	d = decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	assert_false(has_reason(&d, "client_is_spent"));
	for (int i = 0; i < 2 * LIMIT_REFUSALS_OF_SYSTEM; i++) {
		allowance_begin(router.allowance, &other);
		allowance_end(router.allowance, S("relay master.example"),
			      &other, true);
	}
	q.client = &(struct inet){ .ip = { 0x20, 1 } };
	d = decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	assert_false(has_reason(&d, "system_is_spent"));
	allowance_begin(router.allowance, q.client);
	allowance_end(router.allowance, S("other"), q.client, true);
	d = decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	assert_true(has_reason(&d, "system_is_spent"));
}

/* Once its day is spent nobody is asked for; what is known goes there. */
static void test_a_system_that_bans_is_not_asked_too_much(void **unused)
{
	struct inet client = { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	struct question q = { .asker = asker_of("internet"),
			      .client = &client };
	struct decision d;

	allowance_limit_day(router.allowance, S("relay master.example"), false);
	decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	allowance_limit_day(router.allowance, S("relay master.example"), true);
	d = decide(&q, "x@slave.test", "later 451 4.7.1");
	assert_true(has_reason(&d, "day_is_spent"));
	q.client = NULL;
	decide(&q, "x@slave.test", "later 451 4.7.1");
	knows("master.example", "old@slave.test", false);
	decide(&q, "old@slave.test",
	       "ask later master.example(old@slave.test)");
	says("master.example", "y@slave.test", VERDICT_NO, 553, "no");
	decide(&q, "y@slave.test", "refuse 553 5.7.9");
	says("master.example", "z@slave.test", VERDICT_YES, 250, "ok");
	decide(&q, "z@slave.test", "relay master.example(z@slave.test)");
	expect("user:sam@slave.test", "x@slave.test",
	       "relay master.example(x@slave.test)");
	allowance_limit_day(router.allowance, S("system strict"), true);
	decide(&q, "stan@own.test", "later 451 4.7.1");
}

/* Later, as it said it; what it says of our connection is no word of ours. */
static void test_its_own_words_are_said(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	says("master.example", "x@slave.test", VERDICT_TROUBLE, 450,
	     "Greylisted\x07, try again");
	d = decide(&q, "x@slave.test", "later 450 4.4.1");
	assert_true(
		str_same(d.reply.text, S("<x@slave.test>: master.example said: "
					 "Greylisted?, try again")));
	says("master.example", "x@slave.test", VERDICT_TROUBLE, 421, "busy");
	d = decide(&q, "x@slave.test", "later 451 4.4.1");
	assert_true(str_ends(d.reply.text, S("master.example said: busy")));
	says("master.example", "x@slave.test", VERDICT_TROUBLE, 554, "no you");
	decide(&q, "x@slave.test", "later 451 4.4.1");
	says("master.example", "y@slave.test", VERDICT_DOWN, 421, "full");
	d = decide(&q, "z@slave.test", "later 451 4.4.1");
	assert_true(str_ends(d.reply.text, S("master.example said: full")));
	says("master.example", "y@slave.test", VERDICT_DOWN, 0, "");
	d = decide(&q, "z@slave.test", "later 451 4.4.1");
	assert_true(str_ends(d.reply.text,
			     S("master.example cannot be asked now")));
}

static void test_its_answer_counts(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	says("b.example", "bob@own.test", VERDICT_YES, 250, "ok");
	expect("internet", "bob@own.test", "relay b.example(bob@own.test)");
	says("master.example", "x@slave.test", VERDICT_YES, 250, "ok");
	d = decide(&q, "x@slave.test", "relay master.example(x@slave.test)");
	assert_true(d.legs[0].is_known);
	says("master.example", "y@slave.test", VERDICT_NO, 553,
	     "go\r\naway \x1b[31m");
	d = decide(&q, "y@slave.test", "refuse 553 5.7.9");
	assert_true(str_same(d.reply.text,
			     S("master.example said: go?\naway ?[31m")));
	expect("user:sam@slave.test", "y@slave.test", "refuse 553 5.7.9");
	says("b.example", "bob@own.test", VERDICT_NO, 550, "left");
	expect("internet", "bob@own.test", "refuse 550 5.7.9");
	says("master.example", "postmaster@slave.test", VERDICT_NO, 550, "?");
	expect("internet", "postmaster@slave.test",
	       "deliver postmaster-builtin");
}

static void test_its_size_limit_counts(void **unused)
{
	struct question q = { .asker = asker_of("internet"),
			      .message_bytes = 900 };

	verify_learn_size(verification, S("relay b.example"), 899);
	says("b.example", "bob@own.test", VERDICT_YES, 250, "ok");
	decide(&q, "bob@own.test", "refuse 552 5.3.4");
	decide(&q, "alice@own.test", "deliver alice");
	verify_learn_size(verification, S("relay b.example"), 900);
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	verify_learn_size(verification, S("relay b.example"), 10);
	q.is_retry = true;
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
}

static void test_the_system_is_down(void **unused)
{
	says("b.example", "x", VERDICT_DOWN, 0, "");
	knows("master.example", "old@slave.test", false);
	says("master.example", "old@slave.test", VERDICT_DOWN, 0, "");
	says("keeper", "x", VERDICT_DOWN, 0, "");
	says("strict", "x", VERDICT_DOWN, 0, "");
	EXPECT_ALL(
		{ "internet", "bob@own.test", "relay b.example(bob@own.test)" },
		{ "internet", "old@slave.test",
		  "relay master.example(old@slave.test)" },
		{ "internet", "x@slave.test", "later 451 4.4.1" },
		{ "system:b.example", "x@slave.test", "later 451 4.4.1" },
		{ "user:sam@slave.test", "x@slave.test",
		  "relay master.example(x@slave.test)" },
		{ "system:google", "x@slave.test",
		  "relay master.example(x@slave.test)" },
		{ "internet", "postmaster@slave.test",
		  "relay master.example(postmaster@slave.test)" },
		{ "internet", "kurt@own.test", "relay keeper(kurt@own.test)" },
		{ "internet", "stan@own.test", "later 451 4.4.1" },
		{ "user:alice@own.test", "stan@own.test",
		  "relay strict(stan@own.test)" }, );
}

static void test_a_question_that_comes_back(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct tally *tally = tally_open();

	verification_close(verification);
	router.verification = verification = verification_open(tally);
	assert_true(verify_begin(verification, S("relay master.example"),
				 S("x@slave.test")));
	assert_true(verify_begin(verification, S("relay b.example"),
				 S("bob@own.test")));
	/* others wait for its answer, too, as long as one may */
	decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	q.has_asked = true;
	decide(&q, "x@slave.test", "later 451 4.4.1");
	q.is_probe = true;
	decide(&q, "x@slave.test", "later 451 4.4.1");
	q.has_asked = false;
	/* it is not ours yet: RCPT was not said */
	decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	verify_said(verification, S("relay master.example"), S("x@slave.test"));
	verify_said(verification, S("relay b.example"), S("bob@own.test"));
	decide(&q, "x@slave.test", "refuse 550 5.1.1");
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	/* another Splitmail's question was not here before */
	q.trail = S("0123456789abcdef0123456789abcdef");
	decide(&q, "x@slave.test", "ask master.example(x@slave.test)");
	expect("user:sam@slave.test", "x@slave.test",
	       "ask master.example(x@slave.test)");
	/* the system itself is recognised before that */
	expect("system:master.example", "x@slave.test", "refuse 550 5.1.1");
	verify_end(verification, S("relay master.example"), S("x@slave.test"),
		   VERDICT_NOT_ASKED, NULL, 0);
	verify_end(verification, S("relay b.example"), S("bob@own.test"),
		   VERDICT_NOT_ASKED, NULL, 0);
	tally_close(tally);
}

int main(void)
{
#define ASKING(test) \
	cmocka_unit_test_setup_teardown(test, with_verification, \
					without_verification)
	const struct CMUnitTest tests[] = {
		ASKING(test_it_is_asked_first),
		ASKING(test_known_addresses_need_no_question),
		ASKING(test_a_client_who_guesses_is_told_why_he_waits),
		ASKING(test_a_system_that_bans_is_not_asked_too_much),
		ASKING(test_its_own_words_are_said),
		ASKING(test_its_answer_counts),
		ASKING(test_its_size_limit_counts),
		ASKING(test_the_system_is_down),
		ASKING(test_a_question_that_comes_back),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}
