/* Which sender leaves with what is sent on, and where what is returned to it
 * goes. */
#include "route/route_test_world.h"

#include "wire/srs.h"

static const struct line outside[] = {
	{ user_create, "away@own.test",
	  "forward=friend@ext.test forward_copy=no" },
	{ group_create, "mixed@own.test",
	  "member=alice@own.test member=friend@ext.test" },
	{ user_create, "out@slave.test",
	  "forward=friend@ext.test forward_copy=no" },
	{ domain_create, "catchout.test", "catch_all=friend@ext.test" },
};

static int open_world(void **state)
{
	world_open(state);
	for (size_t i = 0; i < array_size(outside); i++)
		make(&outside[i]);
	return 0;
}

/* As it stands in the queue: its mail may wait before it is sent on. */
#define SIEVE "local:sam@slave.test"

/* Of the only leg that leaves; "" for the mail's own. */
static struct str leaves_as(const char *asker, const char *sender,
			    const char *recipient)
{
	struct address a = address_of(recipient);
	struct str from = str_of(sender), found = S("none leaves");
	struct question q = { .recipient = &a,
			      .asker = asker_of(asker),
			      .sender = &from };
	struct decision d;

	d = route_decide(&router, &q, arena);
	for (size_t i = 0; i < d.n; i++)
		if (leg_leaves(&d.legs[i]))
			found = d.legs[i].sender;
		else if (d.legs[i].sender.n)
			fail_msg("%s: another leg has a sender", recipient);
	return found;
}

static void expect_rewritten(const char *asker, const char *recipient,
			     const char *domain)
{
	struct str s = leaves_as(asker, "news@bank.test", recipient);

	if (!str_starts(s, S("SRS0=")) || !str_ends(s, str_of(domain)) ||
	    str_search(s, S("=bank.test=news@")) < 0)
		fail_msg("%s: %.*s", recipient, STR(s));
}

static void what_is_sent_on_has_a_sender_of_ours(void **state)
{
	expect_rewritten("internet", "away@own.test", "@own.test");
	expect_rewritten("internet", "mixed@own.test", "@own.test");
	expect_rewritten("internet", "x@catchout.test", "@catchout.test");
	expect_rewritten(SIEVE, "friend@ext.test", "@slave.test");
}

static void what_may_come_from_here_stays(void **state)
{
	static const struct {
		const char *asker, *sender, *recipient;
	} lines[] = {
		{ "internet", "", "away@own.test" },
		{ "internet", "bob@own.test", "away@own.test" },
		{ "internet", "x@catchout.test", "mixed@own.test" },
		{ "user:alice@own.test", "alice@own.test", "friend@ext.test" },
		{ "local", "root@elsewhere.test", "friend@ext.test" },
		{ SIEVE, "", "friend@ext.test" },
	};

	for (size_t i = 0; i < array_size(lines); i++)
		assert_true(str_empty(leaves_as(lines[i].asker, lines[i].sender,
						lines[i].recipient)));
}

static const char *returned_with(struct str recipient, const char *sender)
{
	struct address a = address_of(arena_cstr(arena, recipient));
	struct str from = str_of(sender);
	struct question q = { .recipient = &a, .sender = &from };
	struct decision d = route_decide(&router, &q, arena);

	if (d.n == 1 && leg_leaves(&d.legs[0]) && !d.legs[0].sender.n)
		return arena_cstr(arena, d.legs[0].address);
	return arena_printf(arena, "%s %.*s", d.reply.status,
			    STR(d.reply.text));
}

static void what_is_returned_finds_the_sender(void **state)
{
	struct str s = leaves_as("internet", "News@bank.test", "away@own.test");
	char *forged = arena_cstr(arena, s);
	struct str first;

	assert_string_equal(returned_with(s, ""), "News@bank.test");
	assert_non_null(strstr(returned_with(s, "x@ext.test"), "5.7.1"));
	forged[6] = forged[6] == 'a' ? 'b' : 'a';
	assert_non_null(strstr(returned_with(str_of(forged), ""), "5.1.1"));
	/* one that another forwarder has rewritten goes back to him */
	first = leaves_as("internet", "SRS0=aaaa=bb=bank.test=news@x.test",
			  "away@own.test");
	assert_true(str_starts(first, S("SRS1=")));
	assert_string_equal(returned_with(first, ""),
			    "SRS0=aaaa=bb=bank.test=news@x.test");
}

/* To a domain whose senders have to log in. */
static void what_was_sent_on_may_come_back(void **state)
{
	static const struct asker stranger;
	struct str s =
		leaves_as("internet", "news@bank.test", "out@slave.test");
	struct address a = address_of(arena_cstr(arena, s));

	assert_true(str_ends(s, S("@slave.test")));
	assert_int_equal(route_sender(&router, &stranger, &a, arena).code, 250);
	a = address_of("SRS0=aaaaaaaa=bb=bank.test=news@slave.test");
	assert_int_equal(route_sender(&router, &stranger, &a, arena).code, 550);
}

/* Where it may be the other system that made it, it is asked. */
static void what_another_system_made_is_its_business(void **state)
{
	expect("internet", "SRS0=aaaaaaaa=bb=bank.test=news@slave.test",
	       "relay master.example(SRS0=aaaaaaaa=bb=bank.test=news@slave.test)");
	expect("internet", "SRS0=aaaaaaaa=bb=bank.test=news@own.test",
	       "refuse 550 5.1.1");
	expect("internet", "srs0@own.test", "refuse 550 5.1.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_on_has_a_sender_of_ours),
		cmocka_unit_test(what_may_come_from_here_stays),
		cmocka_unit_test(what_is_returned_finds_the_sender),
		cmocka_unit_test(what_was_sent_on_may_come_back),
		cmocka_unit_test(what_another_system_made_is_its_business),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
