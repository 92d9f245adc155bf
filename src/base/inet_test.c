/* Network addresses as values: inet.h. */
#include "base/inet.h"
#include "base/test.h"

static void assert_reads(const char *text, const char *want)
{
	struct inet a;

	if (!inet_parse(str_of(text), 25, &a))
		fail_msg("%s was refused", text);
	assert_string_equal(inet_text(&a).c, want);
}

static void test_parse(void **unused)
{
	static const char *const bad[] = {
		"",
		":",
		":25",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.4:",
		"1.2.3.4:65536",
		"1.2.3.4:-1",
		"1.2.3.4:000025",
		"[::1",
		"::1]",
		"[::1]25",
		"[::1]:",
		"[]",
		"[]:25",
		"[[::1]]",
		"fe80::1%eth0",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1:2:3",
		"a.test",
		"1:2:3:4:5:6:7:8:9",
		"::1::",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct inet a;

	assert_reads("1.2.3.4", "1.2.3.4:25");
	assert_reads("1.2.3.4:2525", "1.2.3.4:2525");
	assert_reads("::1", "[::1]:25");
	assert_reads("[::1]", "[::1]:25");
	assert_reads("[2001:DB8:0::1]:2525", "[2001:db8::1]:2525");
	assert_reads("[10.0.0.7]:26", "10.0.0.7:26");
	assert_reads("::ffff:10.0.0.7", "10.0.0.7:25");
	for (size_t i = 0; i < array_size(bad); i++)
		if (inet_parse(str_of(bad[i]), 25, &a))
			fail_msg("%s was accepted", bad[i]);
	assert_false(inet_parse(S("1.2.3.4\0x"), 25, &a));
	assert_false(inet_parse_ip(S("1.2.3.4:25"), 25, &a));
	assert_false(inet_parse_ip(S("[::1]"), 25, &a));
}

static void test_text(void **unused)
{
	struct inet a, b;

	assert_true(inet_parse_ip(S("192.0.2.1"), 7, &a));
	assert_string_equal(inet_literal(&a).c, "[192.0.2.1]");
	assert_string_equal(inet_ip_text(&a).c, "192.0.2.1");
	assert_true(inet_is_v4(&a));
	assert_true(inet_parse_ip(S("::ffff:192.0.2.1"), 9, &b));
	assert_true(inet_same_ip(&a, &b));
	assert_true(inet_parse_ip(S("2001:db8::1"), 7, &b));
	assert_string_equal(inet_literal(&b).c, "[IPv6:2001:db8::1]");
	assert_false(inet_same_ip(&a, &b));
	assert_false(inet_is_loopback(&a));
	assert_true(inet_parse_ip(S("1111:2222:3333:4444:5555:6666:7777:8888"),
				  65535, &b));
	assert_string_equal(inet_text(&b).c,
			    "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	assert_true(inet_parse_ip(S("127.9.9.9"), 7, &a));
	assert_true(inet_is_loopback(&a));
	assert_true(inet_parse_ip(S("::1"), 7, &a));
	assert_true(inet_is_loopback(&a));
}

static bool within(const char *ip, const char *block)
{
	struct inet a;
	struct inet_block b;

	assert_true(inet_parse_ip(str_of(ip), 0, &a));
	assert_true(inet_block_parse(str_of(block), &b));
	return inet_in_block(&a, &b);
}

static void test_block(void **unused)
{
	static const char *const bad[] = { "",           "/",
					   "/8",         "1.2.3.4/",
					   "1.2.3.4/33", "::/129",
					   "1.2.3.4/-1", "1.2.3.4/8/8",
					   "x/8",        "1.2.3.4/0008" };
	struct inet_block b;

	assert_true(within("192.0.2.255", "192.0.2.0/24"));
	assert_false(within("192.0.3.0", "192.0.2.0/24"));
	assert_true(within("192.0.2.9", "192.0.2.5/24"));
	assert_true(within("192.0.2.5", "192.0.2.5"));
	assert_false(within("192.0.2.6", "192.0.2.5"));
	assert_true(within("192.0.2.130", "192.0.2.128/25"));
	assert_false(within("192.0.2.127", "192.0.2.128/25"));
	assert_true(within("8.8.8.8", "0.0.0.0/0"));
	assert_false(within("::1", "0.0.0.0/0"));
	assert_true(within("8.8.8.8", "::/0"));
	assert_true(within("2001:db8:1::9", "2001:db8::/32"));
	assert_false(within("2001:db9::9", "2001:db8::/32"));
	for (size_t i = 0; i < array_size(bad); i++)
		if (inet_block_parse(str_of(bad[i]), &b))
			fail_msg("%s was accepted", bad[i]);
	assert_true(inet_block_parse(S("192.0.2.77/24"), &b));
	assert_int_equal(b.bits, 120);
	assert_int_equal(b.ip[15], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
