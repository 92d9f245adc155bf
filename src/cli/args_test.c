/* The usage line as grammar: words, options, what is refused and how. */
#include "base/test.h"

#include "cli/args.h"

static struct arena *arena;

static const char usage[] = "NAME [MORE...] [--alias A]... [--relay HOSTS] "
			    "[--force]";

#define PARSE(line, ...) \
	args_parse(arena, line, \
		   (int)array_size(((char *[]){ __VA_ARGS__ })), \
		   (char *[]){ __VA_ARGS__ })

static void test_words_and_options(void **state)
{
	struct args *a = PARSE(usage, "--alias", "a", "name", "--alias=b",
			       "--force", "more", "--", "--not-an-option");
	size_t at = 0;

	assert_non_null(a);
	assert_string_equal(args_word(a, 0), "name");
	assert_string_equal(args_word(a, 1), "more");
	assert_string_equal(args_word(a, 2), "--not-an-option");
	assert_null(args_word(a, 3));
	assert_string_equal(args_next(a, "alias", &at), "a");
	assert_string_equal(args_next(a, "alias", &at), "b");
	assert_null(args_next(a, "alias", &at));
	assert_non_null(args_option(a, "force"));
	assert_null(args_option(a, "relay"));
}

static void test_refusals(void **state)
{
	assert_null(PARSE(usage, "--force"));
	assert_string_equal(cause(), "NAME is missing.");
	assert_null(PARSE(usage, "a", "--relay"));
	assert_string_equal(cause(), "--relay needs a value.");
	assert_null(PARSE(usage, "a", "--relay", "x", "--relay", "y"));
	assert_string_equal(cause(), "--relay is given twice.");
	assert_null(PARSE(usage, "a", "--bogus"));
	assert_string_equal(cause(), "there is no option --bogus here.");
	assert_null(PARSE(usage, "a", "--force=yes"));
	assert_string_equal(cause(), "--force takes no value.");
	assert_null(PARSE("A [B]", "a", "b", "c"));
	assert_string_equal(cause(), "\"c\" is one word too many.");
	assert_null(PARSE("A --hosts H", "a"));
	assert_string_equal(cause(), "--hosts has to be given.");
}

static void test_globals_anywhere(void **state)
{
	char *argv[] = { "queue", "--json", "list", "--data", "/d", "--",
			 "--json" };
	struct cli c = { 0 };
	int argc = (int)array_size(argv);

	assert_true(cli_globals(&c, &argc, argv));
	assert_int_equal(argc, 4);
	assert_string_equal(argv[1], "list");
	assert_string_equal(argv[3], "--json");
	assert_string_equal(c.data, "/d");
	assert_true(c.json);
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
		cmocka_unit_test_setup_teardown(test_words_and_options, begin,
						end),
		cmocka_unit_test_setup_teardown(test_refusals, begin, end),
		cmocka_unit_test_setup_teardown(test_globals_anywhere, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
