/* TLSA records: which of them count. */
#include "base/tlsa.h"

#include "base/test.h"

static bool is_usable(const char *head, size_t bytes)
{
	char data[128] = { 0 };
	struct tlsa t;

	memcpy(data, head, 3);
	check(tlsa_parse((struct str){ data, 3 + bytes }, &t));
	return tlsa_is_usable(&t);
}

static void digests_have_their_length(void **state)
{
	(void)state;
	assert_true(is_usable("\3\1\1", 32));
	assert_true(is_usable("\2\0\2", 64));
	assert_true(is_usable("\3\0\0", 100));
	assert_false(is_usable("\3\1\1", 31));
	assert_false(is_usable("\3\1\2", 32));
}

static void what_smtp_does_not_use(void **state)
{
	(void)state;
	assert_false(is_usable("\0\0\1", 32));
	assert_false(is_usable("\1\1\1", 32));
	assert_false(is_usable("\4\1\1", 32));
	assert_false(is_usable("\3\2\1", 32));
	assert_false(is_usable("\3\1\3", 32));
	assert_false(is_usable("\377\377\377", 32));
}

static void too_short_is_no_record(void **state)
{
	struct tlsa t;

	(void)state;
	assert_false(tlsa_parse(S(""), &t));
	assert_false(tlsa_parse(S("\3\1\1"), &t));
	assert_true(tlsa_parse(S("\3\1\1x"), &t));
	assert_true(t.data.n == 1 && t.data.p[0] == 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_have_their_length),
		cmocka_unit_test(what_smtp_does_not_use),
		cmocka_unit_test(too_short_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
