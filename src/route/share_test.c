/*
 * Shares of a split that wait: asked about again, each keeps to its part.
 */
#include "route/recipient.h"
#include "route/route_test_world.h"

static void test_shares_are_not_split_again(void **unused)
{
	struct question q = { .asker = asker_of("internet"),
			      .is_retry = true,
			      .is_split = true };

	decide(&q, "both@own.test", "deliver *frank");
	q.takes_there = true;
	decide(&q, "both@own.test", "relay *b.example(both@own.test)");
	q.takes_there = false;
	q.is_copy = true;
	decide(&q, "fcopy@own.test", "deliver fcopy");
	decide(&q, "fthere@own.test", "relay b.example(fthere@own.test)");
}

/* The other part had it when it was accepted: it is not given it again. */
static void test_a_share_keeps_to_its_part(void **unused)
{
	struct question here = { .asker = asker_of("internet"),
				 .is_retry = true,
				 .is_split = true };
	struct question there = here, copy = here;

	there.takes_there = true;
	copy.is_copy = true;
	decide(&here, "flips@own.test", "deliver *flips");
	decide(&there, "flips@own.test", "relay *b.example(flips@own.test)");
	make(&(struct line){ address_set, "flips@own.test", "home=hosted" });
	decide(&here, "flips@own.test", "deliver *flips");
	decide(&there, "flips@own.test", "expand");
	decide(&copy, "flips@own.test", "deliver flips");
	make(&(struct line){ address_set, "flips@own.test", "home=alternate" });
	decide(&here, "flips@own.test", "expand");
	decide(&there, "flips@own.test", "relay *b.example(flips@own.test)");
	decide(&copy, "flips@own.test", "relay b.example(flips@own.test)");
	make(&(struct line){ address_set, "flips@own.test", "home=none" });
	decide(&here, "flips@own.test", "refuse 550 5.1.1");
	decide(&there, "flips@own.test", "refuse 550 5.1.1");
	make(&(struct line){ address_set, "flips@own.test", "home=both" });
	decide(&copy, "flips@own.test",
	       "both *flips *b.example(flips@own.test)");
	make(&(struct line){ user_set, "flips@own.test",
			     "mail_system=alternate" });
	decide(&here, "flips@own.test", "expand");
	decide(&there, "flips@own.test", "relay *b.example(flips@own.test)");
}

static void goes_to(enum recipient_part part, enum leg_kind kind)
{
	struct recipient r = { .address = S("both@own.test"), .part = part };
	struct waiting_mail mail = { S("internet"), NULL, 100 };
	struct decision d = route_waiting(&router, &r, &mail, arena);

	assert_int_equal(d.n, 1);
	assert_int_equal(d.legs[0].kind, kind);
}

/* As it lies in the queue. */
static void test_what_waits_is_its_part(void **unused)
{
	goes_to(PART_HERE, LEG_MAILBOX);
	goes_to(PART_THERE, LEG_SYSTEM);
}

/* A share of what stands in for the address that was given, too. */
static void test_a_share_behind_a_catch_all(void **unused)
{
	struct question q = { .asker = asker_of("internet") };

	decide(&q, "x@catchboth.test", "both *frank *b.example(both@own.test)");
	q.is_retry = q.is_split = true;
	decide(&q, "x@catchboth.test", "deliver *frank");
	q.takes_there = true;
	decide(&q, "x@catchboth.test", "relay *b.example(both@own.test)");
}

/* What a forward keeps is not the part of anybody who has both. */
static void test_a_forwards_copy_is_told_apart(void **unused)
{
	struct decision d =
		decide(&(struct question){ .asker = asker_of("internet") },
		       "fonlycopy@own.test", "expand *fonlycopy alice");

	assert_true(d.legs[0].is_copy);
	d = decide(&(struct question){ .asker = asker_of("internet") },
		   "both@own.test", "both *frank *b.example(both@own.test)");
	assert_false(d.legs[0].is_copy || d.legs[1].is_copy);
	d = decide(&(struct question){ .asker = asker_of("internet") },
		   "both2@own.test",
		   "expand *both2 *b.example(both2@own.test) alice");
	assert_false(d.legs[0].is_copy || d.legs[1].is_copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares_are_not_split_again),
		cmocka_unit_test(test_a_share_keeps_to_its_part),
		cmocka_unit_test(test_what_waits_is_its_part),
		cmocka_unit_test(test_a_share_behind_a_catch_all),
		cmocka_unit_test(test_a_forwards_copy_is_told_apart),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}
