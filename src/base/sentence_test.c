/* Sentences and their values: sentence.h. */
#include "base/limits.h"
#include "base/sentence.h"
#include "base/test.h"

static struct arena *arena;

static void assert_said(const char *sentence, const struct value *values,
			const char *wanted)
{
	struct str got = sentence_fill(str_of(sentence), values, arena);

	assert_string_equal(arena_cstr(arena, got), wanted);
}

static void test_values(void **unused)
{
	const char *text = "bob";
	size_t most = 7;

	assert_said("Done.", VALUES(), "Done.");
	assert_said("", VALUES(), "");
	assert_said("{a}", VALUES(V("a", S("alice"))), "alice");
	assert_said("{a} and {b}{a}.", VALUES(V("a", text), V("b", "")),
		    "bob and bob.");
	assert_said("At most {most}, {least}.",
		    VALUES(V("most", most), V("least", -1)), "At most 7, -1.");
	assert_said("\"{given}\"", VALUES(V("given", STR_NONE)), "\"\"");
	/* What a value holds is no sentence. */
	assert_said("{a}", VALUES(V("a", "{b}|c")), "{b}|c");
}

static void test_one_and_other(void **unused)
{
	static const char users[] = "{n} user waits.|{n} users wait.";

	assert_said(users, VALUES(V("n", 0)), "0 users wait.");
	assert_said(users, VALUES(V("n", 1)), "1 user waits.");
	assert_said(users, VALUES(V("n", 2)), "2 users wait.");
}

static void test_lists(void **unused)
{
	struct str names[] = { S("a"), S("b"), S("c") };

	assert_said("{x}!", VALUES(V("x", ((struct texts){ names, 3 }))),
		    "a, b, c!");
	assert_said("{x}!", VALUES(V("x", ((struct texts){ names, 0 }))), "!");
	assert_said("{n}: {x}.",
		    VALUES(V("n", 34), V("x", ((struct texts){ names, 3 }))),
		    "34: a, b, c and 31 more.");
	assert_said("{n}: {x}.",
		    VALUES(V("n", 3), V("x", ((struct texts){ names, 3 }))),
		    "3: a, b, c.");
}

static void test_kept_values_are_their_own(void **unused)
{
	char text[] = "before";
	struct str names[] = { { text, 3 } };
	const struct value *kept =
		values_keep(VALUES(V("text", (const char *)text), V("n", 5),
				   V("list", ((struct texts){ names, 1 }))),
			    arena);

	memcpy(text, "behind", sizeof(text));
	names[0] = S("");
	assert_said("{text} {n} {list}", kept, "before 5 bef and 4 more");
	assert_null(value_find(kept, "nosuch"));
	assert_null(value_find(NULL, "nosuch"));
}

static void test_long_values_are_cut(void **unused)
{
	char *text = arena_alloc(arena, 2 * LIMIT_VALUE_BYTES);
	struct str long_one = { text, 2 * LIMIT_VALUE_BYTES };
	const struct value *kept;

	memset(text, 'x', long_one.n);
	kept = values_keep(VALUES(V("a", long_one)), arena);
	assert_int_equal(kept->text.n, LIMIT_VALUE_BYTES);
	/* A character that stands across the cut is left out. */
	memcpy(text + LIMIT_VALUE_BYTES - 1, "\xc3\xa9", 2);
	kept = values_keep(VALUES(V("a", long_one)), arena);
	assert_int_equal(kept->text.n, LIMIT_VALUE_BYTES - 1);
}

static int begin(void **state)
{
	arena = arena_open();
	return 0;
}

static int end(void **state)
{
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_one_and_other),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_kept_values_are_their_own),
		cmocka_unit_test(test_long_values_are_cut),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
