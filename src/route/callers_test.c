/*
 * What hands us mail is not given it back, by the address it calls from; names
 * are resolved by a resolver of the test's.
 */
#include "route/callers.h"

#include "base/limits.h"
#include "dns/dns.h"
#include "route/route_test_world.h"
#include "rt/loop.h"

/* ---- the resolver ---- */

static struct {
	const char *name, *addresses; /* NULL: trouble */
} names[] = {
	{ "one.example", "192.0.2.1" },
	{ "many.example", "192.0.2.10 192.0.2.11 2001:db8::11" },
	{ "moves.example", "192.0.2.20" },
	{ "gone.example", "" },
	{ "broken.example", NULL },
};
static unsigned asked;

enum dns_answer dns_addresses(struct dns *d, struct str name, uint16_t port,
			      int64_t deadline_ms, struct arena *a,
			      struct inet **out, size_t *n)
{
	struct str rest, one;

	asked++;
	*n = 0;
	*out = arena_array(a, struct inet, LIMIT_HOSTS);
	for (size_t i = 0; i < array_size(names); i++) {
		if (!str_same(name, str_of(names[i].name)))
			continue;
		if (!names[i].addresses)
			return DNS_TROUBLE;
		rest = str_of(names[i].addresses);
		while (str_split(&rest, ' ', &one))
			check(inet_parse_ip(one, port, &(*out)[(*n)++]));
		return *n ? DNS_FOUND : DNS_NONE;
	}
	return DNS_NONE;
}

/* ---- the memory alone ---- */

static struct inet at(const char *ip)
{
	struct inet a;

	check(inet_parse_ip(str_of(ip), 40000, &a));
	return a;
}

static enum caller among(struct callers *c, const char *ip, const char *hosts)
{
	struct inet peer = at(ip);

	return callers_among(c, &peer, str_of(hosts), arena);
}

static void resolve(struct callers *c, const char *hosts)
{
	callers_resolve(c, str_of(hosts), NEVER);
}

static void addresses_need_no_resolver(struct callers *c)
{
	assert_int_equal(among(c, "192.0.2.1", "192.0.2.1:2525"), CALLER_YES);
	assert_int_equal(among(c, "192.0.2.2", "192.0.2.1:2525"), CALLER_NO);
	assert_int_equal(among(c, "192.0.2.2", "192.0.2.1, 192.0.2.2:26"),
			 CALLER_YES);
	assert_int_equal(among(c, "::ffff:192.0.2.1", "192.0.2.1"), CALLER_YES);
	assert_int_equal(among(c, "192.0.2.1", "[::ffff:192.0.2.1]:25"),
			 CALLER_YES);
	assert_int_equal(among(c, "2001:db8:0::1", "[2001:db8::1]"),
			 CALLER_YES);
	assert_int_equal(among(c, "192.0.2.1", ""), CALLER_NO);
	/* without a memory, too; a name is nobody's then */
	assert_int_equal(among(NULL, "192.0.2.1", "192.0.2.1"), CALLER_YES);
	assert_int_equal(among(NULL, "192.0.2.1", "one.example"), CALLER_NO);
	assert_int_equal(asked, 0);
}

static void names_are_resolved_once(struct callers *c)
{
	const char *all = "one.example:2525, many.example, 192.0.2.30";

	assert_int_equal(among(c, "192.0.2.30", all), CALLER_YES);
	assert_int_equal(among(c, "192.0.2.10", all), CALLER_UNRESOLVED);
	resolve(c, all);
	assert_int_equal(asked, 2);
	assert_int_equal(among(c, "192.0.2.10", all), CALLER_YES);
	assert_int_equal(among(c, "192.0.2.11", all), CALLER_YES);
	assert_int_equal(among(c, "2001:db8::11", all), CALLER_YES);
	assert_int_equal(among(c, "192.0.2.1", all), CALLER_YES);
	assert_int_equal(among(c, "192.0.2.31", all), CALLER_NO);
	/* at another port, or of another system, it is the same name */
	assert_int_equal(among(c, "192.0.2.1", "one.example:26"), CALLER_YES);
	resolve(c, all);
	assert_int_equal(asked, 2);
}

static void what_has_no_address_is_nobodys(struct callers *c)
{
	asked = 0;
	assert_int_equal(among(c, "192.0.2.1", "gone.example, broken.example"),
			 CALLER_UNRESOLVED);
	resolve(c, "gone.example, broken.example");
	assert_int_equal(among(c, "192.0.2.1", "gone.example, broken.example"),
			 CALLER_NO);
	resolve(c, "gone.example, broken.example");
	assert_int_equal(asked, 2);
}

/* However many there are, and a thousand more. */
static void it_is_bounded(struct callers *c)
{
	for (int i = 0; i < LIMIT_CALLER_NAMES + 1000; i++)
		resolve(c, arena_printf(arena, "n%d.example", i));
	assert_int_equal(among(c, "192.0.2.1", "n0.example"),
			 CALLER_UNRESOLVED);
	assert_int_equal(among(c, "192.0.2.1",
			       arena_printf(arena, "n%d.example",
					    LIMIT_CALLER_NAMES + 999)),
			 CALLER_NO);
}

static void remember(void *unused)
{
	struct callers *c = callers_open(NULL);

	asked = 0;
	addresses_need_no_resolver(c);
	names_are_resolved_once(c);
	what_has_no_address_is_nobodys(c);
	it_is_bounded(c);
	callers_close(c);
}

static void test_what_is_remembered(void **unused)
{
	loops_run(1, remember, NULL);
}

/* ---- in decisions ---- */

static const struct line systems[] = {
	{ system_create, "named",
	  "hosts=one.example:2525,many.example trust=198.51.100.7" },
	{ system_create, "numbered", "hosts=[2001:db8::5]:25" },
	/* two ports of one machine, which also is a system of its own */
	{ domain_create, "one.test", "relay=192.0.2.77:2525" },
	{ domain_create, "two.test",
	  "relay=192.0.2.77:2526 forward_unknown=yes" },
	{ system_create, "both-of-them", "hosts=192.0.2.77:2527" },
	{ domain_create, "byname.test",
	  "relay=many.example forward_unknown=yes" },
	{ domain_create, "bynobody.test",
	  "relay=broken.example forward_unknown=yes" },
	{ user_create, "both@one.test", "" },
	{ address_set, "both@one.test", "home=both" },
	{ user_create, "both@two.test", "" },
	{ address_set, "both@two.test", "home=both" },
	{ user_create, "there@two.test", "mail_system=alternate" },
	{ domain_create, "catchtwo.test", "catch_all=there@two.test" },
	{ user_create, "there@one.test",
	  "mail_system=alternate system=both-of-them" },
	{ user_create, "named@one.test", "mail_system=alternate system=named" },
	{ user_create, "numbered@one.test",
	  "mail_system=alternate system=numbered" },
	{ group_create, "all@one.test",
	  "member=both@one.test member=there@two.test" },
};

struct call {
	const char *from, *asker, *recipient, *expected;
};

static void expect_call(const struct call *c)
{
	struct inet peer = at(c->from);
	struct address a = address_of(c->recipient);
	struct question q = { .recipient = &a,
			      .asker = asker_of(c->asker),
			      .peer = &peer };
	struct decision d = route_answer(&router, &q, arena);

	check(str_empty(d.resolve));
	decide(&q, c->recipient, c->expected);
}

static const struct call calls[] = {
	/* one machine is the relay of both domains, and a system */
	{ "192.0.2.77", "internet", "both@one.test", "deliver *both" },
	{ "192.0.2.77", "internet", "both@two.test", "deliver *both" },
	{ "::ffff:192.0.2.77", "internet", "both@two.test", "deliver *both" },
	{ "192.0.2.77", "internet", "there@two.test", "refuse 550 5.4.6" },
	{ "192.0.2.77", "internet", "there@one.test", "refuse 550 5.4.6" },
	{ "192.0.2.77", "internet", "x@two.test", "refuse 550 5.1.1" },
	{ "192.0.2.77", "internet", "postmaster@two.test",
	  "deliver postmaster-builtin" },
	{ "192.0.2.78", "internet", "both@one.test",
	  "both *both *192.0.2.77:2525(both@one.test)" },
	/* who is reached by expansion is somebody new */
	{ "192.0.2.77", "internet", "all@one.test",
	  "expand *both *192.0.2.77:2525(both@one.test) "
	  "192.0.2.77:2526(there@two.test)" },
	{ "192.0.2.77", "internet", "x@catchtwo.test",
	  "relay 192.0.2.77:2526(there@two.test)" },
	/* by a name with several addresses, one after another, IPv6, too */
	{ "192.0.2.1", "internet", "named@one.test", "refuse 550 5.4.6" },
	{ "192.0.2.11", "internet", "named@one.test", "refuse 550 5.4.6" },
	{ "2001:db8::11", "internet", "named@one.test", "refuse 550 5.4.6" },
	{ "2001:db8::12", "internet", "named@one.test",
	  "relay named(named@one.test)" },
	{ "2001:db8::5", "internet", "numbered@one.test", "refuse 550 5.4.6" },
	{ "192.0.2.10", "internet", "x@byname.test", "refuse 550 5.1.1" },
	{ "192.0.2.9", "internet", "x@byname.test",
	  "relay many.example(x@byname.test)" },
	/* a name that cannot be resolved is nobody's */
	{ "192.0.2.9", "internet", "x@bynobody.test",
	  "relay broken.example(x@bynobody.test)" },
	/* a trusted system under another name, too */
	{ "192.0.2.77", "system:named", "there@two.test", "refuse 550 5.4.6" },
	{ "198.51.100.7", "system:named", "there@two.test",
	  "relay 192.0.2.77:2526(there@two.test)" },
	/* loopback says nothing, and users are where they are */
	{ "127.0.0.1", "internet", "both@one.test",
	  "both *both *192.0.2.77:2525(both@one.test)" },
	{ "::1", "internet", "named@one.test", "relay named(named@one.test)" },
	{ "192.0.2.77", "user:both@one.test", "there@two.test",
	  "relay 192.0.2.77:2526(there@two.test)" },
	{ "192.0.2.77", "local", "there@two.test",
	  "relay 192.0.2.77:2526(there@two.test)" },
};

static void call_all(void *unused)
{
	router.callers = callers_open(NULL);
	for (size_t i = 0; i < array_size(calls); i++)
		expect_call(&calls[i]);
	callers_close(router.callers);
	router.callers = NULL;
}

static void test_never_back_to_who_calls(void **unused)
{
	for (size_t i = 0; i < array_size(systems); i++)
		make(&systems[i]);
	loops_run(1, call_all, NULL);
}

/* As the command line asks it: nothing is waited for. */
static void test_who_is_not_resolved_is_said(void **unused)
{
	struct inet peer = at("192.0.2.10");
	struct question q = { .asker = asker_of("internet"), .peer = &peer };
	struct decision d;

	router.callers = callers_open(NULL);
	d = decide(&q, "x@byname.test", "relay many.example(x@byname.test)");
	assert_true(str_same(d.resolve, S("many.example")));
	d = decide(&q, "both@one.test",
		   "both *both *192.0.2.77:2525(both@one.test)");
	assert_true(str_empty(d.resolve));
	/* nor for what was accepted before */
	q.is_retry = true;
	d = decide(&q, "x@byname.test", "relay many.example(x@byname.test)");
	assert_true(str_empty(d.resolve));
	callers_close(router.callers);
	router.callers = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_remembered),
		cmocka_unit_test(test_never_back_to_who_calls),
		cmocka_unit_test(test_who_is_not_resolved_is_said),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}
