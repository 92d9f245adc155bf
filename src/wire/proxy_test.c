/* The PROXY protocol: what proxies say, and what is none of it (proxy.h). */
#include "wire/proxy.h"

#include "base/arena.h"
#include "base/test.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* Of IN, which may be followed by more. */
static void is_client(struct str in, const char *client, const char *server)
{
	struct proxied p;
	size_t used = 0;

	if (proxy_header_parse(in, &p, &used) != PROXY_CLIENT)
		fail_msg("%.*s: %s", STR(in), cause());
	assert_string_equal(inet_text(&p.client).c, client);
	assert_string_equal(inet_text(&p.server).c, server);
	/* not before its last octet has come, and no further is read */
	for (size_t n = 0; n < used; n++) {
		size_t more = 0;

		assert_int_equal(
			proxy_header_parse(str_part(in, 0, n), &p, &more),
			PROXY_PART);
		assert_in_range(more, 1, used - n);
	}
}

static void is_itself(struct str in, size_t bytes)
{
	struct proxied p;
	size_t used = 0;

	assert_int_equal(proxy_header_parse(in, &p, &used), PROXY_ITSELF);
	assert_int_equal(used, bytes);
}

static void is_not(struct str in, const char *why)
{
	struct proxied p;
	size_t used = 0;

	assert_int_equal(proxy_header_parse(in, &p, &used), PROXY_NOT);
	assert_non_null(strstr(cause(), why));
}

static void test_a_line(void **state)
{
	is_client(S("PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\nEHLO x\r\n"),
		  "192.0.2.7:40000", "198.51.100.1:25");
	is_client(S("PROXY TCP6 2001:db8::7 2001:db8::1 65535 0\r\n"),
		  "[2001:db8::7]:65535", "[2001:db8::1]:0");
	/* the longest there is */
	is_client(S("PROXY TCP6 ffff:f:f:f:f:f:f:ffff ffff:f:f:f:f:f:f:ffff "
		    "65535 65535\r\n"),
		  "[ffff:f:f:f:f:f:f:ffff]:65535",
		  "[ffff:f:f:f:f:f:f:ffff]:65535");
	is_itself(S("PROXY UNKNOWN\r\nEHLO x\r\n"), 15);
	is_itself(S("PROXY UNKNOWN ffff:f:f:f:f:f:f:ffff any words\r\n"), 47);
}

static void test_no_such_line(void **state)
{
	static const char *const wrong[] = {
		"PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25 1\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25 \r\n",
		"PROXY TCP4  192.0.2.7 198.51.100.1 40000 25\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 -1 25\r\n",
		"PROXY TCP4 2001:db8::7 2001:db8::1 1 25\r\n",
		"PROXY TCP6 192.0.2.7 198.51.100.1 1 25\r\n",
		"PROXY TCP4 mx.example.org 198.51.100.1 1 25\r\n",
		"PROXY UDP4 192.0.2.7 198.51.100.1 1 25\r\n",
		"PROXY tcp4 192.0.2.7 198.51.100.1 1 25\r\n",
		"PROXY \r\n",
		"proxy TCP4 192.0.2.7 198.51.100.1 1 25\r\n",
		"PROXZ",
		"EHLO client.example\r\n",
		"\r\n\r\nx",
		"\x16\x03\x01",
	};

	for (size_t i = 0; i < array_size(wrong); i++)
		is_not(str_of(wrong[i]), "is no PROXY header");
	is_not(S("PROXY UNKNOWN 456789012345678901234567890123456789012345678"
		 "901234567890123456789012345678901234567890123456\r\n"),
	       "does not end within 107 octets");
}

static void test_binary(void **state)
{
	is_client(S(V2 "\x21\x11\0\x0c"
		       "\xc0\0\x02\x07\xc6\x33\x64\x01\x9c\x40\0\x19"
		       "EHLO x\r\n"),
		  "192.0.2.7:40000", "198.51.100.1:25");
	is_client(S(V2 "\x21\x21\0\x24"
		       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
		       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		       "\0\x01\xff\xff"),
		  "[2001:db8::7]:1", "[2001:db8::1]:65535");
	/* with more that is told: a unique id */
	is_client(S(V2 "\x21\x11\0\x13"
		       "\xc0\0\x02\x07\xc6\x33\x64\x01\x9c\x40\0\x19"
		       "\x05\0\x04"
		       "abcd"),
		  "192.0.2.7:40000", "198.51.100.1:25");
	is_itself(S(V2 "\x20\0\0\0"
		       "EHLO x\r\n"),
		  16);
	is_itself(S(V2 "\x20\x11\0\x0c"
		       "\xc0\0\x02\x07\xc6\x33\x64\x01\x9c\x40\0\x19"),
		  28);
	is_itself(S(V2 "\x21\0\0\x03"
		       "abc"),
		  19);
}

static void test_nothing_binary(void **state)
{
	is_not(S(V2 "\x21\x11\0\x0b"
		    "\xc0\0\x02\x07\xc6\x33\x64\x01\x9c\x40\0"),
	       "too short for its addresses");
	is_not(S(V2 "\x21\x21\0\x0c"
		    "\xc0\0\x02\x07\xc6\x33\x64\x01\x9c\x40\0\x19"),
	       "too short for its addresses");
	is_not(S(V2 "\x21\x12\0\0"), "family 0x12");
	is_not(S(V2 "\x22\x11\0\0"), "command 0x22");
	is_not(S(V2 "\x11\x11\0\0"), "command 0x11");
	is_not(S(V2 "\x21\x11\xff\xff"), "has 65551 octets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line),
		cmocka_unit_test(test_no_such_line),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_nothing_binary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
