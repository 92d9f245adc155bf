/* Addresses that mail leaves from, and the words that are none. */
#include "wire/outgoing.h"

#include "base/fail.h"
#include "base/test.h"

static void test_one_of_each_family(void **state)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "", "" },
		{ " , ", "" },
		{ "192.0.2.25", "192.0.2.25" },
		{ "2001:DB8:0::25", "2001:db8::25" },
		{ "2001:db8::25,192.0.2.25", "192.0.2.25, 2001:db8::25" },
		{ " 192.0.2.25\t::1 ", "192.0.2.25, ::1" },
		{ "127.0.0.2", "127.0.0.2" },
	};
	struct arena *arena = arena_open();

	for (size_t i = 0; i < array_size(cases); i++) {
		struct outgoing from;

		assert_true(outgoing_parse(str_of(cases[i].text), &from));
		assert_string_equal(
			arena_cstr(arena, outgoing_text(&from, arena)),
			cases[i].canonical);
		assert_int_equal(outgoing_is_set(&from),
				 cases[i].canonical[0] != 0);
	}
	arena_close(arena);
}

static void test_what_is_none(void **state)
{
	static const char *const cases[] = {
		"mx.example.org",
		"192.0.2.25:25",
		"192.0.2.0/24",
		"0.0.0.0",
		"::",
		"224.0.0.1",
		"255.255.255.255",
		"ff02::1",
		"192.0.2.25, 192.0.2.26",
		"2001:db8::1 2001:db8::2",
		"192.0.2.25, x",
		"*",
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct outgoing from;

		assert_false(outgoing_parse(str_of(cases[i]), &from));
		assert_non_null(strstr(cause(), "addres"));
	}
}

static void test_for_whom(void **state)
{
	struct outgoing none, v4, both;
	struct inet peer4, peer6;

	assert_true(outgoing_parse(S(""), &none));
	assert_true(outgoing_parse(S("192.0.2.25"), &v4));
	assert_true(outgoing_parse(S("192.0.2.25 2001:db8::25"), &both));
	assert_true(inet_parse(S("198.51.100.1:25"), 0, &peer4));
	assert_true(inet_parse(S("[2001:db8:1::1]:25"), 0, &peer6));
	assert_null(outgoing_for(&none, &peer4));
	assert_true(outgoing_reaches(&none, &peer6));
	assert_ptr_equal(outgoing_for(&v4, &peer4), &v4.v4);
	assert_null(outgoing_for(&v4, &peer6));
	assert_false(outgoing_reaches(&v4, &peer6));
	assert_ptr_equal(outgoing_for(&both, &peer6), &both.v6);
	assert_true(outgoing_reaches(&both, &peer4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_of_each_family),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_for_whom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
