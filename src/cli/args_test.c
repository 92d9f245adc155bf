/* The usage line as grammar: words, options, what is refused and how. */
#include "base/test.h"

#include "cli/args.h"

static struct arena *arena;

static const char usage[] = "NAME [MORE...] [--alias A]... [--relay HOSTS] "
			    "[--force]";

#define PARSE(line, ...) \
	args_parse(arena, &(struct command){ .usage = line, .keys = keys }, \
		   (int)array_size(((char *[]){ __VA_ARGS__ })), \
		   (char *[]){ __VA_ARGS__, NULL })

static const struct key keys[] = {
	{ "mail_system", "hosted|alternate", "" },
	{ "aliases", "NAMES", "", KEY_JOINED, "alias" },
	{ "forward_unknown", "yes|no", "" },
	{ "member", "ADDRESS", "", KEY_EACH, .later = "use `add`" },
	{ 0 },
};

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
	assert_string_equal(cause(),
			    "there is no option --bogus here; there are "
			    "--alias, --relay, --force.");
	assert_null(PARSE(usage, "a", "--force=yes"));
	assert_string_equal(cause(), "--force takes no value.");
	assert_null(PARSE("A [B]", "a", "b", "c"));
	assert_string_equal(cause(), "\"c\" is one word too many.");
	assert_null(PARSE("A --hosts H", "a"));
	assert_string_equal(cause(), "--hosts has to be given.");
}

/* "mail_system=alternate", said as an option or as a word. */
static void expect_setting(const struct args *a, size_t i, const char *name,
			   const char *value)
{
	const struct key *key;
	struct str n, v;

	assert_non_null(a);
	assert_true(args_setting(a, i, &key, &n, &v));
	assert_non_null(key);
	assert_string_equal(key->name, name);
	assert_string_equal(arena_cstr(arena, v), value);
}

static void test_a_setting_is_an_option_or_a_word(void **state)
{
	static const char set[] = "USER [SETTING]... [--force]";
	const struct key *key;
	struct str name, value;

	expect_setting(PARSE(set, "u", "mail_system=x"), 0, "mail_system", "x");
	expect_setting(PARSE(set, "u", "mail-system=x"), 0, "mail_system", "x");
	expect_setting(PARSE(set, "u", "--mail-system", "x"), 0, "mail_system",
		       "x");
	expect_setting(PARSE(set, "--mail_system=x", "u"), 0, "mail_system",
		       "x");
	expect_setting(PARSE(set, "u", "alias=x"), 0, "aliases", "x");
	expect_setting(PARSE(set, "--alias", "x", "u", "--aliases=y,z"), 1,
		       "aliases", "y,z");
	expect_setting(PARSE(set, "--forward-unknown", "u"), 0,
		       "forward_unknown", "yes");
	expect_setting(PARSE(set, "u", "--forward-unknown"), 0,
		       "forward_unknown", "yes");
	expect_setting(PARSE(set, "u", "--forward-unknown", "no"), 0,
		       "forward_unknown", "no");
	/* an address may hold a "=" */
	assert_string_equal(args_word(PARSE(set, "u=1@x", "alias=y"), 0),
			    "u=1@x");
	/* what nobody knows here, the directory refuses with its list */
	assert_true(args_setting(PARSE(set, "u", "colour=x"), 0, &key, &name,
				 &value));
	assert_null(key);
	assert_true(str_same(name, S("colour")));
}

static void test_settings_refused(void **state)
{
	static const char set[] = "USER SETTING... [--password-stdin]";

	assert_null(PARSE(set, "u"));
	assert_string_equal(cause(), "there is nothing to change: say what, "
				     "such as mail_system=hosted|alternate.");
	assert_non_null(PARSE(set, "u", "--password-stdin"));
	assert_null(PARSE(set, "u", "mail_system=x", "--mail-system=y"));
	assert_string_equal(cause(), "mail_system is given twice.");
	assert_null(PARSE(set, "u", "more"));
	assert_string_equal(cause(), "\"more\" is not of the form KEY=VALUE.");
	assert_null(PARSE(set, "u", "member=x"));
	assert_string_equal(cause(), "member is for creating: use `add`.");
	assert_null(PARSE(set, "u", "--mailsystem", "x"));
	assert_string_equal(cause(),
			    "there is no option --mailsystem here; did "
			    "you mean --mail-system?");
	assert_null(PARSE(set, "u", "mail_sytem=none"));
	assert_string_equal(cause(), "there is no setting mail_sytem here; did "
				     "you mean mail_system?");
	assert_null(PARSE(set, "u", "--alias"));
	assert_string_equal(cause(), "--aliases needs a value.");
}

static void test_globals_anywhere(void **state)
{
	char *argv[] = { "queue", "--json", "list",  "--data",
			 "/d",    "--",     "--json" };
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
		cmocka_unit_test_setup_teardown(
			test_a_setting_is_an_option_or_a_word, begin, end),
		cmocka_unit_test_setup_teardown(test_settings_refused, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
