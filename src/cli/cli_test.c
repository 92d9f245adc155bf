/* Whole commands, from argv to what is printed and the exit status. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "directory/database.h"

static char folder[] = "/tmp/splitmail-cli-XXXXXX";
static char out[16384], err[4096];

#define RUN(...) run_words((char *[]){ __VA_ARGS__, NULL }, NULL)
#define RUN_WITH(input, ...) run_words((char *[]){ __VA_ARGS__, NULL }, input)

static int run_words(char **words, const char *input)
{
	char empty[] = "";
	struct cli c = {
		.data = folder,
		.in = input ? fmemopen((char *)input, strlen(input), "r")
			    : fmemopen(empty, 1, "r"),
		.out = fmemopen(out, sizeof(out), "w"),
		.err = fmemopen(err, sizeof(err), "w"),
	};
	int argc = 0, status;

	while (words[argc])
		argc++;
	memset(out, 0, sizeof(out));
	memset(err, 0, sizeof(err));
	assert_true(cli_globals(&c, &argc, words));
	status = cli_run(&c, argc, words);
	fclose(c.in);
	fclose(c.out);
	fclose(c.err);
	return status;
}

#define assert_has(text, part) assert_non_null(strstr(text, part))

static void test_a_domain_and_its_users(void **state)
{
	json_t *j;

	assert_int_equal(RUN("domain", "create", "Example.ORG", "--alias",
			     "example.net", "--relay", "127.0.0.1:2525"), 0);
	assert_int_equal(RUN_WITH("secret\n", "user", "create",
				  "Alice@example.org", "--name", "Alice",
				  "--password-stdin"), 0);
	assert_int_equal(RUN("user", "create", "bob@example.net",
			     "--mail-system", "alternate", "--address",
			     "robert@example.net"), 0);
	assert_int_equal(RUN("user", "list", "--json"), 0);
	j = json_loads(out, 0, NULL);
	assert_int_equal(json_array_size(j), 2);
	json_decref(j);
	assert_int_equal(RUN("user", "list", "--mail-system", "alternate"), 0);
	assert_has(out, "bob@example.org");
	assert_has(out, "127.0.0.1:2525");
	assert_null(strstr(out, "alice"));
	assert_int_equal(RUN("user", "show", "robert@example.net"), 0);
	assert_has(out, "bob@example.org");
	assert_has(out, "robert@example.net");
	assert_int_equal(RUN("domain", "show", "example.net", "--json"), 0);
	j = json_loads(out, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(j, "name")),
			    "example.org");
	assert_int_equal(json_integer_value(json_object_get(j, "alternate")),
			 1);
	json_decref(j);
	assert_int_equal(RUN("domain", "list"), 0);
	assert_has(out, "example.org");
}

static void test_every_noun_lists(void **state)
{
	assert_int_equal(RUN("group", "create", "team@example.org", "--member",
			     "alice@example.org", "--member",
			     "out@else.example"), 0);
	assert_int_equal(RUN("group", "list"), 0);
	assert_has(out, "out@else.example");
	assert_int_equal(RUN("group", "show", "team@example.org"), 0);
	assert_int_equal(RUN("shared", "list"), 0);
	assert_has(out, "Postmaster");
	assert_int_equal(RUN("shared", "show", "abuse@example.org"), 0);
	assert_int_equal(RUN_WITH("pw\n", "system", "create", "gw", "--hosts",
				  "gw.example", "--user", "u", "--trust",
				  "192.0.2.0/24", "--password-stdin"), 0);
	assert_int_equal(RUN("system", "list"), 0);
	assert_has(out, "192.0.2.0/24");
	assert_int_equal(RUN("system", "show", "gw"), 0);
	assert_int_equal(RUN("admin", "list"), 0);
	assert_has(out, "admin0");
	assert_int_equal(RUN("address", "add", "bob@example.org", "bo@*"), 0);
	assert_int_equal(RUN("address", "set", "bo@example.org", "routed=no"),
			 0);
	assert_int_equal(RUN("address", "remove", "bo@*"), 0);
}

static void test_an_administrator_is_changed(void **state)
{
	assert_int_equal(RUN("admin", "create", "jane", "--role",
			     "superadmin"), 0);
	assert_int_equal(RUN("admin", "set", "jane", "role=delegate",
			     "domain=example.org"), 0);
	assert_int_equal(RUN_WITH("a new secret\n", "admin", "set", "jane",
				  "totp=off", "--password-stdin"), 0);
	assert_int_equal(RUN("admin", "list"), 0);
	assert_has(out, "delegate      set       off   example.org");
	assert_int_equal(RUN("admin", "set", "jane", "totp=on"), 1);
	assert_has(err, "only be switched off");
	assert_int_equal(RUN("admin", "set", "jane", "phone=lost"), 1);
	assert_has(err, "role, domain, password, totp");
	assert_int_equal(RUN("admin", "set", "jane"), 2);
	assert_has(err, "nothing to change");
	assert_int_equal(RUN("admin", "set", "nobody", "totp=off"), 1);
	assert_int_equal(RUN("admin", "set", "admin0", "totp=off"), 0);
	assert_int_equal(RUN("admin", "delete", "jane"), 0);
}

static void test_status_and_sentences(void **state)
{
	assert_int_equal(RUN("user", "create", "x@nowhere.example"), 1);
	assert_has(err, "nowhere.example");
	assert_int_equal(RUN("user", "show", "nobody@example.org"), 1);
	assert_int_equal(RUN("user", "list", "--domain", "no.example"), 1);
	assert_int_equal(RUN("domain", "set", "example.org", "relays=x"), 1);
	assert_has(err, "forward_unknown");
	assert_int_equal(RUN("domain", "set", "example.org", "relay"), 2);
	assert_int_equal(RUN("domain", "sell", "example.org"), 2);
	assert_has(err, "create");
	assert_int_equal(RUN("domain"), 2);
	assert_int_equal(RUN("nothing"), 2);
	assert_int_equal(RUN("user", "list", "--mail-system", "x"), 2);
	assert_int_equal(RUN("user", "create", "a@example.org",
			     "--password-stdin"), 1);
	assert_has(err, "standard input");
}

/* Each command's help shows its own name, in its usage and its example. */
static void test_help(void **state)
{
	static char *nouns[][2] = {
		{ "domain", "create" }, { "user", "set" }, { "group", "add" },
		{ "address", "set" },	{ "shared", "create" },
		{ "system", "create" }, { "admin", "create" },
	};

	for (size_t i = 0; i < array_size(nouns); i++) {
		assert_int_equal(RUN(nouns[i][0], nouns[i][1], "--help"), 0);
		assert_has(out, "Example:");
		assert_int_equal(RUN(nouns[i][0], "--help"), 0);
		assert_has(out, nouns[i][1]);
	}
}

static void test_terminal_is_safe(void **state)
{
	assert_int_equal(RUN("domain", "show", "a\033[31m"), 1);
	assert_null(strchr(err, '\033'));
}

static int begin(void **state)
{
	char path[64];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/directory.db", folder);
	if (!directory_create(path, S("admin-secret")))
		fail_msg("%s", cause());
	return 0;
}

static int end(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[64];

	for (size_t i = 0; i < array_size(ends); i++) {
		snprintf(path, sizeof(path), "%s/directory.db%s", folder,
			 ends[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_domain_and_its_users),
		cmocka_unit_test(test_every_noun_lists),
		cmocka_unit_test(test_an_administrator_is_changed),
		cmocka_unit_test(test_status_and_sentences),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_terminal_is_safe),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
