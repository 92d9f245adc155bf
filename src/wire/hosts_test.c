/* Next hops as administrators write them: hosts.h. */
#include "wire/hosts.h"

#include "base/limits.h"
#include "base/test.h"

static void assert_hosts(const char *text, size_t want_n, const char *want)
{
	struct arena *arena scoped(arena) = arena_open();
	struct host *h;
	struct str once;
	size_t n;

	if (!hosts_parse(str_of(text), arena, &h, &n))
		fail_msg("%s was refused: %s", text, cause());
	assert_int_equal(n, want_n);
	once = hosts_text(h, n, arena);
	assert_string_equal(once.p, want);
	assert_true(hosts_parse(once, arena, &h, &n));
	assert_true(str_same(hosts_text(h, n, arena), once));
}

static void test_good(void **unused)
{
	struct arena *arena scoped(arena) = arena_open();
	struct host *h;
	size_t n;

	assert_hosts("Mail.B.example", 1, "mail.b.example");
	assert_hosts("a.test:2525, b.test", 2, "a.test:2525, b.test");
	assert_hosts(" a.test,,b.test\tc.test, ", 3, "a.test, b.test, c.test");
	assert_hosts("10.0.0.7:2525 10.0.0.8", 2, "10.0.0.7:2525, 10.0.0.8");
	assert_hosts("[10.0.0.7]", 1, "10.0.0.7");
	assert_hosts("[2001:DB8::1]:26", 1, "[2001:db8::1]:26");
	assert_hosts("2001:db8::1", 1, "[2001:db8::1]");
	assert_hosts("m\xc3\xbcller.test", 1, "xn--mller-kva.test");
	assert_hosts("localhost:25", 1, "localhost");
	assert_true(hosts_parse(S("10.0.0.7:26,x:27"), arena, &h, &n));
	assert_true(h[0].is_ip && !h[1].is_ip);
	assert_int_equal(h[0].port, 26);
	assert_int_equal(h[0].ip.port, 26);
	assert_true(str_same(h[0].name, S("10.0.0.7")));
	assert_int_equal(h[1].port, 27);
}

static void test_bad(void **unused)
{
	static const char *const bad[] = { "",
					   " , ",
					   "a.test:0",
					   "a.test:",
					   "a.test:65536",
					   "a.test:x",
					   "a.test:25:26",
					   "10.0.0.256",
					   "10.0.0.7:0",
					   "10.0.0",
					   "[a.test]",
					   "[::1",
					   "a_b@c",
					   "a..b",
					   "a.test;b.test",
					   "a.test/24",
					   "smtp://a.test",
					   "a.test,-b",
					   "a\x1b.test" };
	struct arena *arena scoped(arena) = arena_open();
	struct host *h;
	size_t n;
	char *many = arena_printf(arena, "%0*d", 2 * LIMIT_HOSTS + 1, 0);

	for (size_t i = 0; i < array_size(bad); i++)
		if (hosts_parse(str_of(bad[i]), arena, &h, &n))
			fail_msg("%s was accepted", bad[i]);
	for (int i = 0; i <= LIMIT_HOSTS; i++)
		memcpy(many + 2 * (size_t)i, i < LIMIT_HOSTS ? "a," : "a", 1);
	for (int i = 0; i < LIMIT_HOSTS; i++)
		many[2 * i + 1] = ',';
	assert_false(hosts_parse(str_of(many), arena, &h, &n));
	assert_true(hosts_parse(str_from(str_of(many), 2), arena, &h, &n));
	assert_int_equal(n, LIMIT_HOSTS);
	assert_false(hosts_parse(S("good.test, bad..test"), arena, &h, &n));
	assert_non_null(strstr(cause(), "bad..test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
