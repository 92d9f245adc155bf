/* Where a program listens: endpoint.h. */
#include "wire/endpoint.h"

#include "base/test.h"

static void assert_endpoint(const char *text, const char *want)
{
	struct arena *arena scoped(arena) = arena_open();
	struct endpoint e;
	struct str once;

	if (!endpoint_parse(str_of(text), arena, &e))
		fail_msg("%s was refused: %s", text, cause());
	once = endpoint_text(&e, arena);
	assert_string_equal(arena_cstr(arena, once), want);
	assert_true(endpoint_parse(once, arena, &e));
	assert_true(str_same(endpoint_text(&e, arena), once));
}

static void test_good(void **unused)
{
	assert_endpoint("unix:/run/opendkim/opendkim.sock",
			"unix:/run/opendkim/opendkim.sock");
	assert_endpoint("local:/run/a b", "unix:/run/a b");
	assert_endpoint(" INET:LocalHost:11332 ", "inet:localhost:11332");
	assert_endpoint("inet:8891@localhost", "inet:localhost:8891");
	assert_endpoint("inet:127.0.0.1:8891", "inet:127.0.0.1:8891");
	assert_endpoint("inet:[::1]:8891", "inet:[::1]:8891");
	assert_endpoint("inet6:8891@[::1]", "inet:[::1]:8891");
}

static void test_bad(void **unused)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "begins with unix: or inet:" },
		{ "/run/x.sock", "begins with unix: or inet:" },
		{ "localhost:11332", "begins with unix: or inet:" },
		{ "unix:", "absolute path" },
		{ "unix:/", "absolute path" },
		{ "unix:run/x.sock", "absolute path" },
		{ "unix:/run/\x7f", "control character" },
		{ "unix:/run/\nx", "control character" },
		{ "inet:", "no host" },
		{ "inet:localhost", "no port" },
		{ "inet:::1", "no port" },
		{ "inet:localhost:0", "bad" },
		{ "inet:8891@", "bad" },
		{ "inet:@localhost", "bad" },
		{ "inet:a.test:1, b.test:1", "more than one" },
	};
	char longest[sizeof("unix:") + 108];
	struct arena *arena scoped(arena) = arena_open();
	struct endpoint e;

	for (size_t i = 0; i < array_size(bad); i++) {
		if (endpoint_parse(str_of(bad[i].text), arena, &e))
			fail_msg("%s was taken", bad[i].text);
		if (!strstr(cause(), bad[i].why))
			fail_msg("%s: %s", bad[i].text, cause());
	}
	memset(longest, '/', sizeof(longest));
	memcpy(longest, "unix:", 5);
	assert_true(
		endpoint_parse((struct str){ longest, 5 + 107 }, arena, &e));
	assert_false(
		endpoint_parse((struct str){ longest, 5 + 108 }, arena, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
