/* Files as administrators have them. */
#include "base/test.h"

#include "base/buf.h"
#include "wire/aliases.h"

static struct arena *arena;
static struct aliases all;
static struct buf said;

static void hear(void *arg, size_t line, const char *what)
{
	buf_printf(arg, "%zu: %s\n", line, what);
}

static void read_text(const char *text)
{
	buf_clear(&said);
	aliases_parse(str_of(text), arena, &all, hear, &said);
	buf_add_char(&said, 0);
}

/* "a@x b" of NAME, "" when there is no such alias. */
static const char *targets(const char *name)
{
	const struct alias *a = aliases_find(&all, str_of(name));
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; a && i < a->n; i++)
		buf_printf(&b, "%s%.*s", i ? " " : "", STR(a->targets[i]));
	return arena_cstr(arena, buf_str(&b));
}

/* As Debian's Postfix and Exim make it. */
static void test_debians(void **state)
{
	read_text("# /etc/aliases\n"
		  "mailer-daemon: postmaster\n"
		  "postmaster: root\n"
		  "nobody: root\n"
		  "www: root\n"
		  "root: admin@example.org\n");
	assert_string_equal(said.p, "");
	assert_int_equal(all.n, 5);
	assert_string_equal(targets("root"), "admin@example.org");
	assert_string_equal(targets("mailer-daemon"), "postmaster");
	assert_string_equal(targets("none"), "");
}

static void test_shapes(void **state)
{
	read_text("ROOT:admin@a.example,bob\r\n"
		  "\n"
		  "  # a comment that is indented\n"
		  "\"Ops Team\" :  \"o p\"@a.example ,\n"
		  "\tCarol Roe <carol@a.example>,\n"
		  "  dave (night)\n"
		  "last: x@y");
	assert_string_equal(said.p, "");
	assert_string_equal(targets("root"), "admin@a.example bob");
	assert_string_equal(targets("ops team"),
			    "\"o p\"@a.example carol@a.example dave");
	assert_string_equal(targets("last"), "x@y");
}

static void test_what_is_unfit(void **state)
{
	read_text("vacation: \"|/usr/bin/vacation bob, alice\", bob@x\n"
		  "log: /var/log/mail\n"
		  "list: :include:/etc/list\n"
		  "bob: \\bob\n"
		  "pipe: |/bin/false\n");
	assert_string_equal(
		said.p,
		"1: \"\"|/usr/bin/vacation bob, alice\"\": no program is run "
		"here\n"
		"2: \"/var/log/mail\": no file is written here\n"
		"3: \":include:/etc/list\": no list is read here: name its "
		"members, or make it a group\n"
		"4: \"\\bob\": users of this host have no mailboxes here\n"
		"5: \"|/bin/false\": no program is run here\n");
	assert_string_equal(targets("vacation"), "bob@x");
	assert_string_equal(targets("log"), "");
	assert_int_equal(aliases_find(&all, S("log"))->unfit.n, 13);
	assert_int_equal(all.n, 5);
}

static void test_what_is_wrong(void **state)
{
	read_text("root\n"
		  ": x@y\n"
		  "a: x@y\n"
		  "b:\n"
		  "A: z@y\n"
		  "c: ,,\n");
	assert_string_equal(said.p,
			    "1: there is no \"name:\" before the addresses\n"
			    "2: there is no \"name:\" before the addresses\n"
			    "4: b: there is no address\n"
			    "6: c: there is no address\n"
			    "5: a: it stands in line 3 already\n");
	assert_string_equal(targets("a"), "x@y");
	assert_int_equal(all.n, 1);
	read_text("");
	assert_int_equal(all.n, 0);
	read_text("\"");
	assert_int_equal(all.n, 0);
}

static void test_many(void **state)
{
	enum { MANY = 5000 };
	struct buf text scoped(buf) = BUF_EMPTY;

	for (int i = 0; i < MANY; i++)
		buf_printf(&text, "n%d: a%d@x, b%d@x\n", i, i, i);
	buf_add_char(&text, 0);
	read_text(text.p);
	assert_int_equal(all.n, MANY);
	assert_string_equal(targets("n0"), "a0@x b0@x");
	assert_string_equal(targets("n4999"), "a4999@x b4999@x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debians),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_what_is_unfit),
		cmocka_unit_test(test_what_is_wrong),
		cmocka_unit_test(test_many),
	};
	int failed;

	arena = arena_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_close(arena);
	buf_free(&said);
	return failed;
}
