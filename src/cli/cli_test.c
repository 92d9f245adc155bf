/* Whole commands, from argv to what is printed and the exit status. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "directory/changes.h"
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
			     "example.net", "--relay", "127.0.0.1:2525"),
			 0);
	assert_has(out,
		   "`splitmail domain set Example.ORG postmaster=ADDRESS`");
	assert_int_equal(RUN("domain", "create", "read.example",
			     "--postmaster=postmaster@example.org"),
			 0);
	assert_null(strstr(out, "Nobody reads"));
	assert_int_equal(RUN("domain", "delete", "read.example", "--yes"), 0);
	assert_int_equal(
		RUN_WITH("a secret\n", "user", "create", "Alice@example.org",
			 "--name", "Alice", "--password-stdin"),
		0);
	assert_int_equal(
		RUN("user", "create", "bob@example.net", "--mail-system",
		    "alternate", "--address", "robert@example.net"),
		0);
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
	assert_int_equal(
		RUN("group", "create", "team@example.org", "--member",
		    "alice@example.org", "--member", "out@else.example"),
		0);
	assert_int_equal(RUN("group", "list"), 0);
	assert_has(out, "out@else.example");
	assert_int_equal(RUN("group", "show", "team@example.org"), 0);
	assert_int_equal(RUN("shared", "list"), 0);
	assert_has(out, "Postmaster");
	assert_int_equal(RUN("shared", "show", "abuse@example.org"), 0);
	assert_int_equal(RUN_WITH("pw\n", "system", "create", "gw", "--hosts",
				  "gw.example", "--user", "u", "--trust",
				  "192.0.2.0/24", "--password-stdin"),
			 0);
	assert_int_equal(RUN("system", "list"), 0);
	assert_has(out, "192.0.2.0/24");
	assert_int_equal(RUN("system", "show", "gw"), 0);
	assert_int_equal(RUN("system", "show", "127.0.0.1:2525"), 1);
	assert_has(err, "`splitmail domain show example.org`");
	assert_int_equal(RUN("admin", "list"), 0);
	assert_has(out, "admin0");
	assert_int_equal(RUN("address", "add", "bob@example.org", "bo@*"), 0);
	assert_int_equal(RUN("address", "set", "bo@example.org", "routed=no"),
			 0);
	assert_int_equal(RUN("address", "remove", "bo@*"), 0);
}

static void test_an_administrator_is_changed(void **state)
{
	assert_int_equal(RUN("admin", "create", "jane", "--role", "superadmin"),
			 0);
	assert_int_equal(RUN("admin", "set", "jane", "role=delegate",
			     "domain=example.org"),
			 0);
	assert_int_equal(RUN_WITH("a new secret\n", "admin", "set", "jane",
				  "totp=off", "--password-stdin"),
			 0);
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
	assert_int_equal(RUN("admin", "delete", "jane", "--yes"), 0);
}

static void test_status_and_sentences(void **state)
{
	assert_int_equal(RUN("user", "create", "x@nowhere.example"), 1);
	assert_has(err, "nowhere.example");
	assert_int_equal(RUN("user", "show", "nobody@example.org"), 1);
	assert_int_equal(RUN("user", "list", "--domain", "no.example"), 1);
	assert_int_equal(RUN("domain", "set", "example.org", "relays=x"), 2);
	assert_has(err, "did you mean relay?");
	assert_int_equal(RUN("domain", "set", "example.org", "colour=x"), 1);
	assert_has(err, "forward_unknown");
	assert_int_equal(RUN("domain", "set", "example.org", "relay"), 2);
	assert_int_equal(RUN("domain", "sell", "example.org"), 2);
	assert_has(err, "create");
	assert_int_equal(RUN("domain"), 2);
	assert_int_equal(RUN("nothing"), 2);
	assert_int_equal(RUN("user", "list", "--mail-system", "x"), 2);
	assert_int_equal(
		RUN("user", "create", "a@example.org", "--password-stdin"), 1);
	assert_has(err, "standard input");
}

/* What may be set is the directory's to say: the keys of the help are those of
 * its refusal. */
static void expect_keys(const char *noun, const char *which)
{
	const struct command *set = find_command(find_noun(noun), "set");
	struct str rest, known;
	const char *list;
	size_t n = 0;

	assert_int_equal(RUN((char *)noun, "set", (char *)which, "colour=x"),
			 1);
	list = strstr(err, "the keys are ");
	if (!list)
		fail_msg("%s set: %s", noun, err);
	rest = str_of(list + strlen("the keys are "));
	rest.n = (size_t)str_find(rest, '.');
	while (str_split(&rest, ',', &known)) {
		const struct key *k = set->keys;

		known = str_trim(known);
		if (str_starts(known, S("and ")))
			known = str_from(known, 4);
		while (k->name && !str_same(str_of(k->name), known))
			k++;
		if (!k->name)
			fail_msg("%s set: no help for %.*s", noun, STR(known));
		n++;
	}
	for (const struct key *k = set->keys; k->name; k++)
		n -= !k->later;
	assert_int_equal(n, 0);
}

static void test_help_has_every_key(void **state)
{
	expect_keys("user", "alice@example.org");
	expect_keys("domain", "example.org");
	expect_keys("group", "team@example.org");
	assert_int_equal(RUN("shared", "create", "office@example.org"), 0);
	expect_keys("shared", "office@example.org");
	expect_keys("system", "gw");
	expect_keys("admin", "admin0");
	expect_keys("address", "alice@example.org");
}

static void test_one_spelling(void **state)
{
	static char *ways[] = { "mail_system=alternate",
				"mail-system=alternate",
				"--mail-system=alternate",
				"--mail_system=alternate" };

	for (size_t i = 0; i < array_size(ways); i++) {
		assert_int_equal(RUN("user", "set", "alice@example.org",
				     "mail_system=hosted"),
				 0);
		assert_int_equal(
			RUN("user", "set", "alice@example.org", ways[i]), 0);
		assert_int_equal(RUN("user", "show", "alice@example.org"), 0);
		assert_has(out, "to 127.0.0.1:2525");
		assert_int_equal(RUN("user", "create", "way@example.org",
				     ways[i], "quota=2GiB"),
				 0);
		assert_int_equal(RUN("user", "show", "way@example.org"), 0);
		assert_has(out, "alternate");
		assert_has(out, "2 GiB");
		assert_int_equal(
			RUN("user", "delete", "way@example.org", "--yes"), 0);
	}
	assert_int_equal(
		RUN("user", "set", "alice@example.org", "mail_system=hosted"),
		0);
	assert_int_equal(
		RUN("domain", "set", "example.org", "--forward-unknown"), 0);
	assert_int_equal(
		RUN("domain", "set", "example.org", "--forward-unknown=no",
		    "--alias", "example.net", "--alias", "example.com"),
		0);
	assert_int_equal(RUN("domain", "show", "example.org"), 0);
	assert_has(out, "example.com, example.net");
	assert_has(out, "the server's limit");
	assert_int_equal(RUN_WITH("pw of hers\n", "user", "set",
				  "alice@example.org", "--password-stdin"),
			 0);
	assert_int_equal(RUN("user", "set", "alice@example.org", "address=x@*"),
			 2);
	assert_has(err, "splitmail address add");
	assert_int_equal(RUN("user", "set", "alice@example.org", "quota=5ZB"),
			 1);
	assert_has(err, "500 MB");
}

static void test_a_pasted_address(void **state)
{
	assert_int_equal(
		RUN("user", "create", "\"Fred Doe\" <fred@example.org>"), 0);
	assert_int_equal(RUN("user", "list", "fr*"), 0);
	assert_has(out, "Fred Doe");
	assert_null(strstr(out, "alice"));
	assert_int_equal(RUN("user", "list", "DOE"), 0);
	assert_has(out, "fred@example.org");
	assert_int_equal(RUN("user", "list", "nobody*"), 0);
	assert_null(strstr(out, "@"));
	assert_int_equal(RUN("user", "delete", "fred@example.org", "--yes"), 0);
}

/* For each mail system: what becomes of mail to the address, in words. */
static void test_where_addresses_go(void **state)
{
	static char *bob = "bob@example.org";

	assert_int_equal(RUN("address", "add", bob, "b2@*"), 0);
	assert_int_equal(RUN("address", "set", "b2@example.org", "routed=no",
			     "home=both"),
			 0);
	assert_int_equal(RUN("user", "show", bob), 0);
	assert_has(out, "to 127.0.0.1:2525");
	assert_has(out, "refused: not routed");
	assert_null(strstr(out, "home="));
	assert_int_equal(RUN("user", "set", bob, "mail_system=hosted"), 0);
	assert_int_equal(RUN("user", "show", bob), 0);
	assert_has(out, "to his mailbox here\n");
	assert_has(out, "to his mailbox here and to the domain's relay");
	assert_null(strstr(out, "routed"));
	assert_int_equal(RUN("user", "show", bob, "--json"), 0);
	assert_has(out, "\"home_now\": \"both\"");
	assert_int_equal(RUN("user", "set", bob, "mail_system=none"), 0);
	assert_int_equal(RUN("user", "show", bob), 0);
	assert_has(out, "refused: the user has no mail");
	assert_int_equal(RUN("user", "set", bob, "enabled=no"), 0);
	assert_int_equal(RUN("user", "show", bob), 0);
	assert_has(out, "refused: the user is not enabled");
	assert_int_equal(
		RUN("user", "set", bob, "enabled=yes", "mail_system=alternate"),
		0);
	assert_int_equal(RUN("address", "remove", "b2@*"), 0);
}

static void test_tokens(void **state)
{
	json_t *j;

	assert_int_equal(RUN("admin", "token", "create", "admin0", "import"),
			 0);
	assert_int_equal(strcspn(out, "\n"), TOKEN_CHARS);
	assert_int_equal(RUN("admin", "token", "create", "admin0", "write it",
			     "--scope", "write", "--days=7", "--json"),
			 0);
	assert_has(out, "\"token\"");
	assert_int_equal(RUN("admin", "token", "list", "--json"), 0);
	j = json_loads(out, 0, NULL);
	assert_int_equal(json_array_size(j), 2);
	json_decref(j);
	assert_int_equal(RUN("admin", "token", "list"), 0);
	assert_has(out, "write it");
	assert_int_equal(RUN("admin", "token", "delete", "1"), 0);
	assert_int_equal(RUN("admin", "token", "list", "nobody"), 0);
	assert_null(strstr(out, "write"));
	assert_int_equal(RUN("admin", "token", "create", "nobody", "x"), 1);
	assert_int_equal(RUN("admin", "token", "create", "admin0", "x",
			     "--scope", "all"),
			 2);
	assert_int_equal(RUN("admin", "token"), 2);
	assert_has(err, "token create");
	assert_int_equal(RUN("help", "admin", "token", "create"), 0);
	assert_has(out, "Bearer");
}

static void test_guesses(void **state)
{
	static const struct {
		char *first, *second;
		const char *says;
	} guesses[] = {
		{ "mailq", NULL, "splitmail queue list" },
		{ "queue", "flush", "splitmail queue retry" },
		{ "user", "add", "splitmail user create" },
		{ "user", "rm", "splitmail user delete" },
		{ "user", "crate", "splitmail user create" },
		{ "user", "bob@example.org", "splitmail user show" },
		{ "usr", "create", "splitmail user create" },
		{ "domains", NULL, "splitmail domain list" },
		{ "add", NULL, "splitmail user create" },
		{ "alias", NULL, "splitmail address add" },
		{ "group", "delete-member", "remove" },
		{ "start", NULL, "systemctl start splitmail" },
		{ "stop", NULL, "SIGTERM" },
		{ "logs", NULL, "journalctl -u splitmail" },
		{ "trace", NULL, "journalctl QUEUE_ID" },
		{ "cert", NULL, "tls/certificates" },
		{ "tls", NULL, "tls/certificates" },
		{ "reload", NULL, "SIGHUP" },
		{ "test", NULL, "splitmail status" },
		{ "check", NULL, "splitmail status" },
		{ "zzz", NULL, "--help" },
		{ "help", "usr", "splitmail user" },
	};

	for (size_t i = 0; i < array_size(guesses); i++) {
		assert_int_equal(RUN(guesses[i].first, guesses[i].second), 2);
		if (!strstr(err, guesses[i].says))
			fail_msg("%s: %s", guesses[i].first, err);
	}
	assert_int_equal(RUN("user", "create", "x@example.org", "--qota", "1"),
			 2);
	assert_has(err, "did you mean --quota?");
}

static void expect_narrow(const char *text)
{
	struct str rest = str_of(text), line;

	while (str_split(&rest, '\n', &line))
		if (line.n > 80 && !str_starts(line, S("  splitmail ")))
			fail_msg("%zu columns: %.*s", line.n, STR(line));
}

static void help_of(const struct noun *n, const struct command *m)
{
	char verb[32], *second;

	snprintf(verb, sizeof(verb), "%s", m->verb);
	second = strchr(verb, ' ');
	if (second)
		*second++ = 0;
	assert_int_equal(second ? RUN((char *)n->name, verb, second, "-h")
				: RUN((char *)n->name, verb, "-h"),
			 0);
}

/* Examples may be longer: they are there to be copied. */
static void test_help_is_narrow(void **state)
{
	assert_int_equal(RUN("--help"), 0);
	expect_narrow(out);
	for (const struct listed_noun *l = cli_nouns; l->noun || l->title;
	     l++) {
		if (!l->noun)
			continue;
		assert_int_equal(RUN("help", (char *)l->noun->name), 0);
		expect_narrow(out);
		for (size_t i = 0; i < l->noun->n; i++) {
			help_of(l->noun, &l->noun->commands[i]);
			expect_narrow(out);
			assert_has(out, "Example:");
		}
	}
}

/* Each command's help shows its own name, in its usage and its example. */
static void test_help(void **state)
{
	static char *nouns[][2] = {
		{ "domain", "create" }, { "user", "set" },
		{ "group", "add" },     { "address", "set" },
		{ "shared", "create" }, { "system", "create" },
		{ "admin", "create" },
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
	/* Nor what turns the order of letters round, or begins a line. */
	assert_int_equal(
		RUN("domain", "show", "a\u202egnp\u2066b\u2028c\u061cd"), 1);
	assert_null(strstr(err, "\xe2\x80"));
	assert_null(strstr(err, "\xe2\x81"));
	assert_null(strstr(err, "\xd8\x9c"));
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
		cmocka_unit_test(test_help_has_every_key),
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_a_pasted_address),
		cmocka_unit_test(test_where_addresses_go),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_help_is_narrow),
		cmocka_unit_test(test_terminal_is_safe),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
