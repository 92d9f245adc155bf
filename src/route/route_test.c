/*
 * route() as a specification: what becomes of each recipient, as far as the
 * directory and the trail decide it.
 */
#include <stdio.h>

#include "route/route_test_world.h"

static void test_domain_unknown(void **unused)
{
	EXPECT_ALL(
		{ "internet", "x@ext.test", "refuse 550 5.7.1" },
		{ "user:alice@own.test", "x@Ext.test",
		  "relay mx:ext.test(x@Ext.test)" },
		{ "local", "x@ext.test", "relay mx:ext.test(x@ext.test)" },
		{ "system:exchange", "x@ext.test",
		  "relay mx:ext.test(x@ext.test)" },
		{ "system:google", "x@ext.test", "refuse 550 5.7.1" },
		{ "system:b.example", "x@ext.test", "refuse 550 5.7.1" },
		{ "internet", "x@[192.0.2.1]", "refuse 550 5.7.1" },
		{ "user:alice@own.test", "x@[192.0.2.1]", "refuse 550 5.1.2" },
		{ "user:alice@own.test", "x@localhost", "refuse 550 5.1.2" },
		{ "internet", "alice%ext.test@own.test",
		  "refuse 550 5.1.1" }, );
}

static void test_who_has_the_address(void **unused)
{
	EXPECT_ALL({ "internet", "alice@own.test", "deliver alice" },
		   { "internet", "ALICE@Own.Test", "deliver alice" },
		   { "internet", "\"alice\"@own.test", "deliver alice" },
		   { "internet", "ally@own.test", "deliver alice" },
		   { "internet", "alice+news@own.test", "deliver alice+news" },
		   { "internet", "ally+a+b@own.test", "deliver alice+a+b" },
		   { "internet", "plus+fixed@own.test", "deliver fixed" },
		   { "internet", "plus+other@own.test", "refuse 550 5.1.1" },
		   { "internet", "everywhere@alias.test", "deliver alice" },
		   { "internet", "everywhere@own.test", "deliver alice" },
		   { "internet", "ally@alias.test", "refuse 550 5.1.1" },
		   { "internet", "alice@alias.test", "deliver alice" },
		   { "internet", "info@own.test", "deliver info" },
		   { "internet", "nosuch@own.test", "refuse 550 5.1.1" },
		   { "user:alice@own.test", "nosuch@own.test",
		     "refuse 550 5.1.1" },
		   { "internet", "dis@own.test", "refuse 550 5.2.1" },
		   { "internet", "disbob@own.test", "refuse 550 5.2.1" },
		   { "internet", "disgroup@own.test", "refuse 550 5.2.1" },
		   { "internet", "nomail@own.test", "refuse 550 5.1.1" }, );
}

static void test_home(void **unused)
{
	EXPECT_ALL(
		{ "internet", "Bob@Own.test", "relay b.example(Bob@Own.test)" },
		{ "internet", "bob+x@own.test",
		  "relay b.example(bob+x@own.test)" },
		{ "internet", "bob@alias.test",
		  "relay b.example(bob@alias.test)" },
		{ "user:alice@own.test", "bob@own.test",
		  "relay b.example(bob@own.test)" },
		{ "system:exchange", "bob@own.test",
		  "relay b.example(bob@own.test)" },
		{ "internet", "gina@own.test",
		  "relay exchange(gina@own.test)" },
		{ "internet", "erin@own.test",
		  "relay b.example(erin@own.test)" },
		{ "internet", "unselected@own.test", "refuse 550 5.1.1" },
		{ "user:alice@own.test", "unselected+x@own.test",
		  "refuse 550 5.1.1" },
		{ "internet", "there@own.test",
		  "relay b.example(there@own.test)" },
		{ "internet", "both+x@own.test",
		  "both *frank+x *b.example(both+x@own.test)" },
		{ "internet", "nowhere@own.test", "refuse 550 5.1.1" }, );
}

static void test_forwards(void **unused)
{
	EXPECT_ALL(
		{ "internet", "fcopy@own.test",
		  "expand *fcopy b.example(bob@own.test) mx:ext.test(ext@ext.test)" },
		{ "internet", "fonly@own.test",
		  "expand mx:ext.test(ext@ext.test)" },
		{ "internet", "fthere@own.test",
		  "expand *b.example(fthere@own.test) alice" },
		{ "internet", "me@own.test", "expand *me *you" },
		{ "internet", "fdis@own.test", "refuse 550 5.2.1" },
		{ "internet", "loop1@own.test", "refuse 550 5.4.6" },
		{ "internet", "fnobody@own.test", "refuse 550 5.2.4" }, );
}

static void test_groups(void **unused)
{
	EXPECT_ALL({ "internet", "team@own.test",
		     "expand alice b.example(bob@own.test) "
		     "mx:ext.test(ext@ext.test) exchange(gina@own.test) *back "
		     "*frank *b.example(both@own.test)" },
		   { "internet", "some@own.test", "expand alice" },
		   { "internet", "fgroup@own.test",
		     "expand *fcopy alice+team b.example(bob@own.test) "
		     "mx:ext.test(ext@ext.test)" },
		   { "internet", "empty@own.test", "refuse 550 5.2.4" },
		   { "internet", "lost@own.test", "refuse 550 5.2.4" },
		   { "internet", "ring@own.test", "refuse 550 5.4.6" },
		   /* a user of B writes to a group with members on B */
		   { "system:b.example", "team@own.test",
		     "expand alice b.example(bob@own.test) "
		     "mx:ext.test(ext@ext.test) exchange(gina@own.test) *back "
		     "*frank *b.example(both@own.test)" },
		   { "internet", "unknowns@slave.test",
		     "expand master.example(x@slave.test) sam" }, );
}

static void test_postmaster(void **unused)
{
	EXPECT_ALL({ "internet", "postmaster", "deliver postmaster-builtin" },
		   { "internet", "PostMaster@own.test",
		     "deliver postmaster-builtin" },
		   { "internet", "abuse@alias.test",
		     "deliver postmaster-builtin" },
		   { "internet", "postmaster@pm.test", "deliver alice" },
		   { "internet", "abuse@pm.test", "deliver alice" },
		   { "internet", "postmaster@slave.test",
		     "relay master.example(postmaster@slave.test)" },
		   { "system:master.example", "postmaster@slave.test",
		     "deliver postmaster-builtin" },
		   { "internet", "abuse@slave.test", "deliver abuse" },
		   { "internet", "postmaster@catch.test",
		     "deliver postmaster-builtin" }, );
}

/* RFC 5321 4.5.1: mail to the very host is somebody's. */
static void test_the_hosts_own_postmaster(void **unused)
{
	EXPECT_ALL({ "internet", "postmaster@mx.host.test",
		     "refuse 550 5.7.1" }, );
	router.hostname = S("mx.host.test");
	EXPECT_ALL(
		{ "internet", "postmaster@mx.host.test",
		  "deliver postmaster-builtin" },
		{ "internet", "PostMaster@MX.Host.test.",
		  "deliver postmaster-builtin" },
		{ "internet", "Root@mx.host.test",
		  "deliver postmaster-builtin" },
		{ "internet", "root+cron@mx.host.test",
		  "deliver postmaster-builtin" },
		{ "internet", "root@own.test", "refuse 550 5.1.1" },
		{ "internet", "roots@mx.host.test", "refuse 550 5.7.1" },
		{ "user:alice@own.test", "roots@mx.host.test",
		  "refuse 550 5.1.1" },
		{ "internet", "postmaster+x@mx.host.test",
		  "deliver postmaster-builtin+x" },
		{ "internet", "abuse@mx.host.test",
		  "deliver postmaster-builtin" },
		{ "user:alice@own.test", "postmaster@mx.host.test",
		  "deliver postmaster-builtin" },
		{ "internet", "alice@mx.host.test", "refuse 550 5.7.1" },
		{ "internet", "postmaster@host.test", "refuse 550 5.7.1" }, );
	/* a domain of ours of the same name has its own */
	router.hostname = S("slave.test");
	EXPECT_ALL({ "internet", "postmaster@slave.test",
		     "relay master.example(postmaster@slave.test)" },
		   { "internet", "abuse@slave.test", "deliver abuse" }, );
	router.hostname = S("");
}

static void test_nobody_has_it(void **unused)
{
	EXPECT_ALL({ "internet", "x@catch.test", "deliver alice" },
		   { "internet", "X+y@catchbob.test",
		     "relay b.example(bob@own.test)" },
		   { "internet", "x@catchteam.test", "expand alice" },
		   { "internet", "sam@slave.test", "deliver sam" },
		   { "internet", "x+y@slave.test",
		     "relay master.example(x+y@slave.test)" },
		   { "user:sam@slave.test", "x@slave.test",
		     "relay master.example(x@slave.test)" },
		   { "system:exchange", "x@slave.test",
		     "relay master.example(x@slave.test)" },
		   { "internet", "x@plain.test", "refuse 550 5.1.1" }, );
}

static void test_never_back_to_the_system_that_asks(void **unused)
{
	EXPECT_ALL(
		{ "system:master.example", "x@slave.test", "refuse 550 5.1.1" },
		{ "system:master.example", "pam@slave.test",
		  "refuse 550 5.4.6" },
		{ "system:master.example", "sam@slave.test", "deliver sam" },
		{ "system:b.example", "bob@own.test", "refuse 550 5.4.6" },
		{ "system:b.example", "gina@own.test",
		  "relay exchange(gina@own.test)" },
		{ "system:exchange", "gina@own.test", "refuse 550 5.4.6" },
		{ "system:ex.example:2525", "gina@own.test",
		  "refuse 550 5.4.6" },
		{ "system:b.example", "both@own.test", "deliver *frank" },
		{ "system:b.example", "fthere@own.test", "expand alice" },
		{ "system:b.example", "x@catchbob.test",
		  "relay b.example(bob@own.test)" }, );
}

/* ---- the trail ---- */

static struct str trail_with(struct str trail, const char *key)
{
	return trail_add(trail, guard_entry(guard, str_of(key), arena), arena);
}

static void expect_back(const char *key, const char *recipient,
			const char *expected)
{
	struct question q = { .asker = asker_of("internet") };

	q.trail = trail_with(S("0123456789abcdef:AAAAAAAAAAAAAAAA"), key);
	decide(&q, recipient, expected);
}

static void test_never_a_second_time(void **unused)
{
	expect_back("bob@own.test", "bob@own.test", "refuse 550 5.4.6");
	expect_back("bob@own.test", "Bob@alias.test", "refuse 550 5.4.6");
	expect_back("eve@own.test", "bob@own.test",
		    "relay b.example(bob@own.test)");
	expect_back("x@slave.test", "x@slave.test", "refuse 550 5.4.6");
	expect_back("postmaster@slave.test", "postmaster@slave.test",
		    "deliver postmaster-builtin");
	expect_back("alice@own.test", "alice@own.test", "deliver alice");
	expect_back("both@own.test", "both@own.test", "deliver *frank");
	expect_back("group team@own.test", "team@own.test", "expand");
	expect_back("group inner@own.test", "team@own.test",
		    "expand alice b.example(bob@own.test) "
		    "mx:ext.test(ext@ext.test)");
	expect_back("group some@own.test", "x@catchteam.test", "expand");
	expect_back("group fonly@own.test", "fonly@own.test",
		    "refuse 550 5.4.6");
	expect_back("group fcopy@own.test", "fcopy@own.test", "deliver *fcopy");
	expect_back("group x@catchbob.test", "x@catchbob.test",
		    "refuse 550 5.4.6");
}

static void test_legs_carry_the_trail_on(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	q.trail = S("0123456789abcdef:AAAAAAAAAAAAAAAA");
	d = decide(&q, "bob@alias.test", "relay b.example(bob@alias.test)");
	assert_true(str_starts(d.legs[0].trail, q.trail));
	assert_true(guard_was_here(guard, d.legs[0].trail, S("bob@own.test")));
	assert_true(d.legs[0].is_known && d.is_known);
	assert_true(str_same(d.domain, S("own.test")));

	d = decide(&q, "some@own.test", "expand alice");
	assert_true(guard_was_here(guard, d.legs[0].trail,
				   S("group some@own.test")));
	assert_true(d.legs[0].is_member);

	d = decide(&q, "x@slave.test", "relay master.example(x@slave.test)");
	assert_true(guard_was_here(guard, d.legs[0].trail, S("x@slave.test")));
	assert_false(d.legs[0].is_known || d.is_known);
}

static void test_what_was_accepted_goes_on(void **unused)
{
	struct question q = { .asker = asker_of("system:b.example"),
			      .message_bytes = 5000,
			      .is_retry = true };

	q.trail = trail_with(STR_NONE, "bob@own.test");
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	decide(&q, "ext@ext.test", "relay mx:ext.test(ext@ext.test)");
	decide(&q, "nosuch@own.test", "refuse 550 5.1.1");
	q.asker = asker_of("user:gone@gone.test");
	decide(&q, "ext@ext.test", "relay mx:ext.test(ext@ext.test)");
}

static void test_size(void **unused)
{
	struct question q = { .asker = asker_of("internet"),
			      .message_bytes = 1001 };

	decide(&q, "alice@own.test", "refuse 552 5.3.4");
	decide(&q, "bob@own.test", "refuse 552 5.3.4");
	decide(&q, "nosuch@own.test", "refuse 550 5.1.1");
	decide(&q, "sam@slave.test", "deliver sam");
	q.message_bytes = 1000;
	assert_int_equal(
		decide(&q, "alice@own.test", "deliver alice").max_message_bytes,
		1000);
}

/* ---- what the other system says ---- */

/* Who asks from the command line knows no answers; that is said. */
static void test_without_verification_it_says_so(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	d = decide(&q, "x@slave.test", "relay master.example(x@slave.test)");
	assert_string_equal(d.reasons[d.n_reasons - 1].id, "asked_at_rcpt");
	assert_true(str_same(
		reason_fact(&d.reasons[d.n_reasons - 1], arena),
		S("master.example is asked at RCPT; what it refuses is "
		  "refused")));
}

/* ---- who may write as whom ---- */

static int sender(const char *asker, const char *address)
{
	struct asker a = asker_of(asker);
	struct address from = { 0 };

	if (*address)
		from = address_of(address);
	return route_sender(&router, &a, &from, arena).code;
}

static void test_sender(void **unused)
{
	assert_int_equal(sender("user:alice@own.test", "Alice@Own.test"), 250);
	assert_int_equal(sender("user:alice@own.test", "ally+x@own.test"), 250);
	assert_int_equal(sender("user:alice@own.test", "everywhere@alias.test"),
			 250);
	assert_int_equal(sender("user:alice@own.test", ""), 250);
	assert_int_equal(sender("user:alice@own.test", "bob@own.test"), 553);
	assert_int_equal(sender("user:alice@own.test", "x@ext.test"), 553);
	assert_int_equal(sender("user:bob@own.test", "bob@own.test"), 553);
	assert_int_equal(sender("user:bob@own.test", ""), 553);
	assert_int_equal(sender("user:dis@own.test", "dis@own.test"), 553);
	assert_int_equal(sender("internet", "alice@own.test"), 250);
	assert_int_equal(sender("internet", "sam@slave.test"), 550);
	assert_int_equal(sender("internet", "x@ext.test"), 250);
	assert_int_equal(sender("internet", ""), 250);
	assert_int_equal(sender("system:google", "sam@slave.test"), 250);
	assert_int_equal(sender("system:master.example", "sam@slave.test"),
			 550);
	assert_int_equal(sender("local", "sam@slave.test"), 250);
}

static void test_asker_text(void **unused)
{
	static const char *const texts[] = { "internet",
					     "local",
					     "local:sam@slave.test",
					     "user:alice@own.test",
					     "system:exchange",
					     "system:b.example:2525" };
	struct asker a;

	for (size_t i = 0; i < array_size(texts); i++) {
		a = asker_of(texts[i]);
		assert_true(str_same(asker_text(&a, arena), str_of(texts[i])));
	}
	a = asker_of("system:exchange");
	assert_true(a.trusted);
	a.trusted = false;
	assert_true(
		str_same(asker_text(&a, arena), S("system:ex.example:2525")));
	assert_false(asker_of("system:b.example").trusted);
	assert_false(asker_parse(router.directory, S("root"), arena, &a));
	assert_false(asker_parse(router.directory, S("user:x"), arena, &a));
	assert_false(
		asker_parse(router.directory, S("system:a b c/"), arena, &a));
}

/* ---- changes are in force at once; these come last ---- */

static void test_smart_host(void **unused)
{
	make(&(struct line){ system_create, "smart",
			     "hosts=smart.example smart_host=yes" });
	EXPECT_ALL({ "internet", "x@ext.test", "refuse 550 5.7.1" },
		   { "user:alice@own.test", "x@ext.test",
		     "relay smart(x@ext.test)" },
		   { "user:alice@own.test", "x@intranet",
		     "relay smart(x@intranet)" },
		   { "internet", "fonly@own.test",
		     "expand smart(ext@ext.test)" }, );
}

static void test_in_force_at_the_next_question(void **unused)
{
	expect("internet", "alice@own.test", "deliver alice");
	make(&(struct line){ user_set, "alice@own.test",
			     "mail_system=alternate" });
	expect("internet", "alice@own.test", "relay b.example(alice@own.test)");
	make(&(struct line){ user_set, "alice@own.test", "enabled=no" });
	expect("internet", "alice@own.test", "refuse 550 5.2.1");
}

/* Every page behind the first is garbage. */
static void ruin(const char *name)
{
	FILE *f = fopen(name, "r+");
	long end;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	end = ftell(f);
	fseek(f, 4096, SEEK_SET);
	while (ftell(f) < end)
		fputc(0xa5, f);
	fclose(f);
}

static void test_a_broken_directory_is_never_a_refusal(void **unused)
{
	directory_close(router.directory);
	changes_close(changes);
	changes = NULL;
	router.directory = directory_open(world_file());
	assert_non_null(router.directory);
	ruin(world_file());
	EXPECT_ALL({ "internet", "bob@own.test", "later 451 4.3.0" },
		   { "internet", "nosuch@own.test", "later 451 4.3.0" },
		   { "internet", "x@ext.test", "later 451 4.3.0" },
		   { "internet", "postmaster", "later 451 4.3.0" }, );
	assert_int_equal(sender("user:bob@own.test", "bob@own.test"), 451);
	assert_int_equal(sender("internet", "bob@own.test"), 451);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain_unknown),
		cmocka_unit_test(test_without_verification_it_says_so),
		cmocka_unit_test(test_who_has_the_address),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_postmaster),
		cmocka_unit_test(test_the_hosts_own_postmaster),
		cmocka_unit_test(test_nobody_has_it),
		cmocka_unit_test(test_never_back_to_the_system_that_asks),
		cmocka_unit_test(test_never_a_second_time),
		cmocka_unit_test(test_legs_carry_the_trail_on),
		cmocka_unit_test(test_what_was_accepted_goes_on),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_sender),
		cmocka_unit_test(test_asker_text),
		cmocka_unit_test(test_smart_host),
		cmocka_unit_test(test_in_force_at_the_next_question),
		cmocka_unit_test(test_a_broken_directory_is_never_a_refusal),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}
