/*
 * What a next system could take for a route does not leave for strangers.
 */
#include "route/route_test_world.h"

static const char *const routes[] = {
	"victim%ext.test",
	"\"victim%ext.test\"",
	"victim%ext.test%own.test",
	"ext.test!victim",
	"a!b!victim",
	"\"victim@ext.test\"",
	"\"victim\\@ext.test\"",
	"\"@ext.test:victim\"",
	"\"ext.test::victim\"",
	"%",
	"!",
	"victim\xef\xbc\x85"
	"ext.test", /* U+FF05 */
	"victim\xef\xb9\xaa"
	"ext.test",                   /* U+FE6A */
	"ext.test\xef\xbc\x81victim", /* U+FF01 */
	"ext.test\xe2\x80\xbcvictim", /* U+203C */
	"victim\xef\xbc\xa0"
	"ext.test",                   /* U+FF20 */
	"ext.test\xef\xbc\x9avictim", /* U+FF1A */
};

/* ROUTES at the places PREFIX and SUFFIX make: within quotes, too. */
static const char *routed(const char *prefix, const char *route,
			  const char *suffix)
{
	return *route == '"'
		       ? arena_printf(arena, "\"%s%s%s", prefix, route + 1,
				      suffix)
		       : arena_printf(arena, "%s%s%s", prefix, route, suffix);
}

static void expect_routes(const char *asker, const char *prefix,
			  const char *suffix, const char *expected)
{
	for (size_t i = 0; i < array_size(routes); i++)
		expect(asker, routed(prefix, routes[i], suffix), expected);
}

static void test_no_route_of_a_strangers_reaches_a_system(void **unused)
{
	static const char *const strangers[] = { "internet",
						 "system:other.example",
						 "system:b.example" };

	for (size_t i = 0; i < array_size(strangers); i++) {
		const char *who = strangers[i];

		expect_routes(who, "", "@slave.test", "refuse 550 5.7.1");
		expect_routes(who, "", "@slave.test.", "refuse 550 5.7.1");
		expect_routes(who, "x+", "@slave.test", "refuse 550 5.7.1");
		expect_routes(who, "gina+", "@own.test", "refuse 550 5.7.1");
		expect_routes(who, "gina+a+", "@alias.test",
			      "refuse 550 5.7.1");
		expect_routes(who, "both+", "@own.test", "refuse 550 5.7.1");
		expect_routes(who, "fgina+", "@own.test", "refuse 550 5.7.1");
		expect(who, "IMCEASMTP-victim+40ext+2Etest@slave.test",
		       "refuse 550 5.7.1");
		/* nobody has it: said as ever, and it goes nowhere */
		expect_routes(who, "", "@plain.test", "refuse 550 5.1.1");
	}
}

/* What encloses another system's name of an address is none. */
static void test_long_local_parts_are_no_routes(void **unused)
{
	EXPECT_ALL(
		{ "internet", "IMCEAEX-_O=X_OU=Y+20Z_CN=v@slave.test",
		  "relay master.example("
		  "IMCEAEX-_O=X_OU=Y+20Z_CN=v@slave.test)" },
		{ "internet", "SRS0=a1=b2=ext.test=v@slave.test",
		  "relay master.example(SRS0=a1=b2=ext.test=v@slave.test)" },
		{ "internet", "list-bounces+v=ext.test@slave.test",
		  "relay master.example(list-bounces+v=ext.test@slave.test)" },
		{ "internet", "\"v w\"@slave.test",
		  "relay master.example(\"v w\"@slave.test)" }, );
}

static void test_routes_of_those_with_rights_are_theirs(void **unused)
{
	EXPECT_ALL({ "user:alice@own.test", "victim%ext.test@slave.test",
		     "relay master.example(victim%ext.test@slave.test)" },
		   { "system:google", "gina+a!b@own.test",
		     "relay exchange(gina+a!b@own.test)" },
		   { "local", "\"a@b\"@slave.test",
		     "relay master.example(\"a@b\"@slave.test)" },
		   { "user:alice@own.test", "a%b@ext.test",
		     "relay mx:ext.test(a%b@ext.test)" }, );
}

/* No next system; or the sender's part of the address is left behind. */
static void test_routes_that_stay_here_are_nobodys(void **unused)
{
	EXPECT_ALL(
		{ "internet", "alice+a%b@own.test", "deliver alice+a%b" },
		{ "internet", "\"alice+a@b\"@own.test", "deliver alice+a@b" },
		{ "internet", "fonly+a%b@own.test",
		  "expand mx:ext.test(ext@ext.test)" },
		{ "internet", "fcopy+a%b@own.test",
		  "expand *fcopy+a%b b.example(bob@own.test) "
		  "mx:ext.test(ext@ext.test)" },
		{ "internet", "some+a%b@own.test", "expand alice" },
		{ "internet", "a%b@catch.test", "deliver alice" },
		{ "internet", "a%b@catchbob.test",
		  "relay b.example(bob@own.test)" },
		{ "internet", "postmaster+a%b@slave.test",
		  "deliver postmaster-builtin+a%b" }, );
}

/* An address that was created so is an address; behind it, it is not. */
static void test_routes_that_are_addresses(void **unused)
{
	EXPECT_ALL(
		{ "internet", "odd%one@own.test",
		  "relay b.example(odd%one@own.test)" },
		{ "internet", "\"Odd%one\"@own.test",
		  "relay b.example(\"Odd%one\"@own.test)" },
		{ "internet", "odd%one+x@own.test", "refuse 550 5.7.1" },
		{ "internet", "odd%one%ext.test@own.test", "refuse 550 5.1.1" },
		{ "internet", "x@catchodd.test",
		  "relay b.example(odd%one@own.test)" },
		/* by whatever rule it got there */
		{ "internet", "routing@own.test",
		  "expand b.example(odd%one@own.test) alice" },
		{ "user:alice@own.test", "routing@own.test",
		  "expand b.example(odd%one@own.test) "
		  "b.example(bob+v%ext.test@own.test) "
		  "master.example(v%ext.test@slave.test) alice" },
		{ "internet", "frouting@own.test", "refuse 550 5.2.4" },
		{ "internet", "x@catchroute.test", "refuse 550 5.7.1" }, );
}

/* Not at a later attempt either, when it did not come to leave at first. */
static void test_routes_that_waited(void **unused)
{
	struct question q = { .asker = asker_of("internet"), .is_retry = true };

	decide(&q, "gina+a%b@own.test", "refuse 550 5.7.1");
	decide(&q, "a%b@slave.test", "refuse 550 5.7.1");
	q.is_split = true;
	decide(&q, "both+a%b@own.test", "deliver *frank+a%b");
	q.takes_there = true;
	decide(&q, "both+a%b@own.test", "refuse 550 5.7.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_route_of_a_strangers_reaches_a_system),
		cmocka_unit_test(test_long_local_parts_are_no_routes),
		cmocka_unit_test(test_routes_of_those_with_rights_are_theirs),
		cmocka_unit_test(test_routes_that_stay_here_are_nobodys),
		cmocka_unit_test(test_routes_that_are_addresses),
		cmocka_unit_test(test_routes_that_waited),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}
