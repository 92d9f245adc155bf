/* Whom a From field names, whatever is written around the addresses. */
#include "base/limits.h"
#include "base/test.h"
#include "wire/authors.h"

static const struct {
	const char *value, *names; /* joined by '|' */
} read[] = {
	{ "a@x.test", "a@x.test" },
	{ " a@x.test ", "a@x.test" },
	{ "<a@x.test>", "a@x.test" },
	{ "Ann <a@x.test>", "a@x.test" },
	{ "\"Ann, <b@x.test>\" <a@x.test>", "a@x.test" },
	{ "\"b@x.test\" <a@x.test>", "a@x.test" },
	{ "=?utf-8?q?b=40x=2Etest?= <a@x.test>", "a@x.test" },
	{ "Ann <a@x.test>, Bob <b@x.test>", "a@x.test|b@x.test" },
	{ "a@x.test,b@x.test,", "a@x.test|b@x.test" },
	{ "a@x.test (b@x.test, (nested\\) ) c@x.test)", "a@x.test" },
	{ "a (x) @ (y) x.test", "a@x.test" },
	{ "a . b @ x . test", "a.b@x.test" },
	{ "team: a@x.test, Bob <b@x.test>;", "a@x.test|b@x.test" },
	{ "undisclosed:;", "" },
	{ "", "" },
	{ ", ,", "" },
	{ "<@r.test,@s.test:a@x.test>", "a@x.test" },
	{ "\"a b\"@x.test", "\"a b\"@x.test" },
	{ "<\"a<b>\\\"@c\"@x.test>", "\"a<b>\\\"@c\"@x.test" },
	{ "a@[192.0.2.1]", "a@[192.0.2.1]" },
	/* clients differ in what they show of these */
	{ "b@x.test <a@x.test>", "a@x.test|b@x.test" },
	{ "Mr b@x.test Jr <a@x.test>", "a@x.test|b@x.test" },
	{ "<a@x.test> b@x.test", "a@x.test|b@x.test" },
	{ "b@x.test: a@x.test;", "b@x.test|a@x.test" },
	{ "a@x.test b@x.test", "a@x.testb@x.test" },
	{ "Ann", "Ann" },
	{ "<>", "" },
	{ "Ann\t<a@x.test>", "a@x.test" },
};

static void names_of_a_field(void **state)
{
	for (size_t i = 0; i < array_size(read); i++) {
		struct arena *arena = arena_open();
		struct str all = S("");
		const struct str *list;
		size_t n;

		if (!authors_parse(str_of(read[i].value), arena, &list, &n))
			fail_msg("%s: %s", read[i].value, cause());
		for (size_t j = 0; j < n; j++)
			all = arena_strf(arena, "%.*s%s%.*s", STR(all),
					 j ? "|" : "", STR(list[j]));
		if (!str_same(all, str_of(read[i].names)))
			fail_msg("%s: %.*s", read[i].value, STR(all));
		arena_close(arena);
	}
}

static void what_cannot_be_told(void **state)
{
	static const char *const bad[] = {
		"\"Ann <a@x.test>", "Ann <a@x.test",         "(Ann <a@x.test>",
		"a@x.test>",        "<a@x.test> <b@x.test>", "<a@[192.0.2.1>",
		"Ann <<a@x.test>>", "<a@x.test>: b@x.test;",
	};

	for (size_t i = 0; i < array_size(bad); i++) {
		struct arena *arena = arena_open();
		const struct str *list;
		size_t n;

		if (authors_parse(str_of(bad[i]), arena, &list, &n))
			fail_msg("%s was read", bad[i]);
		arena_close(arena);
	}
}

static void so_many_and_no_more(void **state)
{
	struct arena *arena = arena_open();
	struct str text = S("a@x.test");
	const struct str *list;
	size_t n;

	for (int i = 1; i < LIMIT_AUTHORS; i++)
		text = arena_strf(arena, "%.*s,a@x.test", STR(text));
	assert_true(authors_parse(text, arena, &list, &n));
	assert_int_equal(n, LIMIT_AUTHORS);
	text = arena_strf(arena, "%.*s,a@x.test", STR(text));
	assert_false(authors_parse(text, arena, &list, &n));
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_field),
		cmocka_unit_test(what_cannot_be_told),
		cmocka_unit_test(so_many_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
