/* What is taken for what; and that every guess is a command there is. */
#include "base/test.h"

#include "cli/guess.h"
#include "cli/help.h"

static const char *nearest(const char *word, const char *const *words)
{
	struct guesses g = guesses_begin(str_of(word));

	for (; *words; words++)
		guesses_try(&g, *words);
	return guesses_end(&g);
}

static void test_the_nearest(void **state)
{
	static const char *const verbs[] = { "create", "set",      "show",
					     "list",   "password", "delete",
					     NULL };

	assert_string_equal(nearest("crate", verbs), "create");
	assert_string_equal(nearest("craete", verbs), "create");
	assert_string_equal(nearest("SHOW", verbs), "show");
	assert_string_equal(nearest("shwo", verbs), "show");
	assert_string_equal(nearest("passwrod", verbs), "password");
	assert_string_equal(nearest("pass", verbs), "password");
	assert_string_equal(nearest("del", verbs), "delete");
	assert_null(nearest("sell", verbs));
	assert_null(nearest("x", verbs));
	assert_null(nearest("", verbs));
	assert_null(
		nearest("an-endless-word-that-nobody-would-ever-type", verbs));
}

static const char *command(const char *first, const char *second)
{
	struct meant m = guess_command(first, second);

	return m.command ? m.command : "";
}

static void test_what_the_field_calls_it(void **state)
{
	assert_string_equal(command("mailq", NULL), "queue list");
	assert_string_equal(command("users", NULL), "user list");
	assert_string_equal(command("domains", NULL), "domain list");
	assert_string_equal(command("postqueue", "-f"), "queue retry");
	assert_string_equal(command("postqueue", "-p"), "queue list");
	assert_string_equal(command("add", "user"), "user create");
	assert_string_equal(command("add", "domain"), "domain create");
	assert_string_equal(command("doveadm", "pw"), "user password");
	assert_string_equal(command("alias", NULL), "address add");
	assert_string_equal(command("nothing-like-it", NULL), "");
	assert_non_null(guess_command("stop", NULL).sentence);
	assert_non_null(guess_command("reload", NULL).sentence);
}

static const char *const processes[] = { "init", "serve", "sendmail", "help" };

static bool is_process(struct str name)
{
	for (size_t i = 0; i < array_size(processes); i++)
		if (str_same(name, str_of(processes[i])))
			return true;
	return false;
}

static void expect_command(const char *text)
{
	struct str rest = str_of(text), name;
	char noun[32];
	const struct noun *n;

	str_split(&rest, ' ', &name);
	if (is_process(name))
		return;
	snprintf(noun, sizeof(noun), "%.*s", STR(name));
	n = find_noun(noun);
	if (!n || !find_command(n, rest.n ? rest.p : ""))
		fail_msg("there is no command \"%s\"", text);
}

static void test_every_guess_is_a_command(void **state)
{
	static const char *const commands[] = {
#define GUESS(words, command) command,
#define HINT(words, sentence)
#define VERB(other, ours)
#include "cli/guesses.def"
	};

	for (size_t i = 0; i < array_size(commands); i++)
		expect_command(commands[i]);
}

static bool some_noun_has(const char *verb)
{
	for (const struct listed_noun *l = cli_nouns; l->noun || l->title; l++)
		if (l->noun && find_command(l->noun, verb))
			return true;
	return false;
}

static void test_verbs(void **state)
{
	static const char *const ours[] = {
#undef GUESS
#undef HINT
#undef VERB
#define GUESS(words, command)
#define HINT(words, sentence)
#define VERB(other, ours) ours,
#include "cli/guesses.def"
	};

	for (size_t i = 0; i < array_size(ours); i++)
		if (!some_noun_has(ours[i]))
			fail_msg("no noun has \"%s\"", ours[i]);
	assert_string_equal(guess_verb("add", 0), "create");
	assert_string_equal(guess_verb("add", 1), "set");
	assert_null(guess_verb("add", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_nearest),
		cmocka_unit_test(test_what_the_field_calls_it),
		cmocka_unit_test(test_every_guess_is_a_command),
		cmocka_unit_test(test_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
