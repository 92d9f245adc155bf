/* Hosts of one hoster are its, those of its customers are not each other's. */
#include "wire/operator.h"

#include "base/test.h"

static void test_operators(void **state)
{
	static const struct {
		const char *host, *operator;
	} cases[] = {
		{ "aspmx.l.google.com", "google.com" },
		{ "alt1.aspmx.l.google.com", "google.com" },
		{ "example-org.mail.protection.outlook.com", "outlook.com" },
		{ "MX00.Ionos.De", "ionos.de" },
		{ "mx.example.co.uk", "example.co.uk" },
		{ "example.co.uk", "example.co.uk" },
		{ "a.test", "a.test" },
		{ "mx1.a.test", "a.test" },
		{ "mail.xn--bcher-kva.example", "xn--bcher-kva.example" },
		/* nobody's: each for itself */
		{ "co.uk", "co.uk" },
		{ "localhost", "localhost" },
		{ "192.0.2.25", "192.0.2.25" },
		{ "2001:db8::25", "2001:db8::25" },
		{ "", "" },
	};
	struct arena *arena = arena_open();

	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(
			arena_cstr(arena,
				   operator_of(str_of(cases[i].host), arena)),
			cases[i].operator);
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
