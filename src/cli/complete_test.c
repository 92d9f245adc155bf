/* What the Tab key offers, by the words of a line. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "directory/changes.h"
#include "directory/database.h"

static char folder[] = "/tmp/splitmail-complete-XXXXXX";
static char out[16384], err[4096];

static int init(const struct call *c)
{
	(void)c;
	return 0;
}

static const struct process processes[] = {
	{ "init", "", "Make a folder.", "splitmail init", init },
	{ "engine", "", "Inner.", "splitmail serve", init, true },
	{ 0 },
};

static const char *offered(int argc, char **words)
{
	char empty[] = "";
	char *argv[24] = { "completion", "words", "--" };
	struct cli c = {
		.data = folder,
		.processes = processes,
		.in = fmemopen(empty, 1, "r"),
		.out = fmemopen(out, sizeof(out), "w"),
		.err = fmemopen(err, sizeof(err), "w"),
	};

	memcpy(argv + 3, words, (size_t)argc * sizeof(*words));
	memset(out, 0, sizeof(out));
	assert_int_equal(cli_run(&c, argc + 3, argv), 0);
	fclose(c.in);
	fclose(c.out);
	fclose(c.err);
	for (char *p = out; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ' ' : 0;
	return out;
}

#define OFFERED(...) \
	offered((int)array_size(((char *[]){ __VA_ARGS__ })), \
		(char *[]){ __VA_ARGS__ })

static void test_commands(void **state)
{
	assert_string_equal(OFFERED("do"), "domain");
	assert_string_equal(OFFERED("in"), "init");
	assert_string_equal(OFFERED("eng"), "");
	assert_string_equal(OFFERED("user", "s"), "set show sweep");
	assert_string_equal(OFFERED("help", "us"), "user");
	assert_string_equal(OFFERED("nonsense", ""), "");
	assert_string_equal(OFFERED("--data", folder, "sta"), "status");
	assert_string_equal(OFFERED("--data", ""), "");
	assert_string_equal(OFFERED("--json", "user", "pa"), "password");
}

static void test_names(void **state)
{
	assert_string_equal(OFFERED("user", "show", ""),
			    "alice@example.org bob@example.org");
	assert_string_equal(OFFERED("user", "set", "B"), "bob@example.org");
	assert_string_equal(OFFERED("group", "add", "t"), "team@example.org");
	assert_string_equal(OFFERED("group", "add", "team@example.org", "a"),
			    "alice@example.org");
	assert_string_equal(OFFERED("domain", "show", ""), "example.org");
	assert_string_equal(OFFERED("admin", "set", ""), "admin0");
	assert_string_equal(OFFERED("route", "t"), "team@example.org");
	assert_string_equal(OFFERED("user", "list", "--domain", ""),
			    "example.org");
	/* what is created has no name yet */
	assert_string_equal(OFFERED("user", "create", ""), "");
	assert_string_equal(OFFERED("--data", "/nowhere", "user", "show", ""),
			    "");
}

static void test_settings(void **state)
{
	assert_string_equal(OFFERED("user", "set", "x@y", "mail"),
			    "mail_system=");
	assert_string_equal(OFFERED("user", "set", "x@y", "quota=1", "mail"),
			    "mail_system=");
	assert_string_equal(OFFERED("user", "set", "x@y", "mail_system="),
			    "mail_system=hosted mail_system=alternate "
			    "mail_system=none");
	assert_string_equal(
		OFFERED("user", "create", "x@y", "--mail-system", "h"),
		"hosted");
	assert_string_equal(OFFERED("user", "create", "--mail-system", "hosted",
				    "x@y", "quo"),
			    "quota=");
	assert_string_equal(OFFERED("user", "create", "x@y", "--ma"),
			    "--mail-system");
	assert_string_equal(OFFERED("user", "create", "x@y", "--mail-system=n"),
			    "--mail-system=none");
	assert_string_equal(OFFERED("user", "create", "x@y", "--pass"),
			    "--password-stdin --password --password-hash");
	assert_string_equal(OFFERED("user", "set", "x@y", "--addr"), "");
	assert_string_equal(OFFERED("user", "create", "x@y", "--addr"),
			    "--address");
	assert_string_equal(OFFERED("admin", "create", "jane", "domain="),
			    "domain=example.org");
	assert_string_equal(OFFERED("queue", "list", "--next-hop", "r"),
			    "relay");
}

static void make(struct changes *h, struct change c)
{
	(void)h;
	if (c.outcome != CHANGE_DONE)
		fail_msg("%s", c.sentence);
}

static int begin(void **state)
{
	char path[64];
	struct changes *h;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/directory.db", folder);
	if (!directory_create(path, S("admin-secret")))
		fail_msg("%s", cause());
	h = changes_open(path, "test");
	make(h, domain_create(h, S("example.org"), NULL, 0));
	make(h, user_create(h, S("bob@example.org"), NULL, 0));
	make(h, user_create(h, S("alice@example.org"), NULL, 0));
	make(h, group_create(h, S("team@example.org"), NULL, 0));
	changes_close(h);
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
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
