/* MTA-STS: records, policies, and whose hosts are meant. */
#include "wire/mta_sts.h"

#include "base/limits.h"
#include "base/test.h"

static struct arena *arena;

static const char *id_of(const char *one, const char *other)
{
	struct str texts[] = { str_of(one), str_of(other) }, id;

	if (!sts_record_parse(texts, other ? 2 : 1, &id))
		return "none";
	return arena_cstr(arena, id);
}

static void a_record_has_an_id(void **state)
{
	(void)state;
	assert_string_equal(id_of("v=STSv1; id=20160831085700Z;", NULL),
			    "20160831085700Z");
	assert_string_equal(id_of("v=STSv1;id=1", NULL), "1");
	assert_string_equal(id_of("v=STSv1; more=x; id=a ;", NULL), "a");
	assert_string_equal(id_of("v=spf1 -all", "v=STSv1; id=b"), "b");
	assert_string_equal(id_of("v=STSv1; id=a", "v=STSv1; id=b"), "none");
	assert_string_equal(id_of("v=STSv1", NULL), "none");
	assert_string_equal(id_of("v=STSv1; id=", NULL), "none");
	assert_string_equal(id_of("v=STSv1; id=a-b", NULL), "none");
	assert_string_equal(
		id_of("v=STSv1; id=123456789012345678901234567890123", NULL),
		"none");
	assert_string_equal(id_of("v=STSv2; id=a", NULL), "none");
	assert_string_equal(id_of("", NULL), "none");
}

/* "enforce 86400 mx.a.test *.b.test", or why it is none. */
static const char *policy_of(const char *text)
{
	static const char *const modes[] = { "none", "testing", "enforce" };
	struct sts_policy p;
	char *said;

	if (!sts_policy_parse(str_of(text), arena, &p))
		return cause();
	said = arena_printf(arena, "%s %lld", modes[p.mode],
			    (long long)p.max_age_s);
	for (size_t i = 0; i < p.n; i++)
		said = arena_printf(arena, "%s %.*s", said, STR(p.mx[i]));
	return said;
}

static void what_a_policy_says(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "version: STSv1\r\nmode: enforce\r\nmx: MX.a.test\r\n"
		  "mx: *.b.test\r\nmax_age: 86400\r\n",
		  "enforce 86400 mx.a.test *.b.test" },
		{ "version:STSv1\nmode:testing \nmx:\ta.test\nmax_age:1",
		  "testing 1 a.test" },
		{ "version: STSv1\nmode: none\nmax_age: 0", "none 0" },
		{ "mx: a.test\nmax_age: 9\nmode: enforce\nversion: STSv1\n\n",
		  "enforce 9 a.test" },
		{ "version: STSv1\nmode: none\nmode: enforce\nmax_age: 5\n"
		  "max_age: 6\nversion: x",
		  "none 5" },
		{ "version: STSv1\nmode: none\nmax_age: 9999999999",
		  "none 31557600" },
		{ "version: STSv1\nfuture: x\nmode: none\nmax_age: 5",
		  "none 5" },
		{ "version: STSv2\nmode: none\nmax_age: 5",
		  "version is \"STSv2\"" },
		{ "version: STSv1\nmode: hard\nmax_age: 5",
		  "mode is \"hard\"" },
		{ "version: STSv1\nmode: none\nmax_age: -5",
		  "max_age is \"-5\"" },
		{ "version: STSv1\nmode: none\nmax_age: 12345678901",
		  "max_age is \"12345678901\"" },
		{ "version: STSv1\nmode: enforce\nmax_age: 5",
		  "it names no host" },
		{ "version: STSv1\nmode: none",
		  "it lacks version, mode or max_age" },
		{ "", "it lacks version, mode or max_age" },
		{ "<html>", "a line is no \"name: value\"" },
		{ "version: STSv1\nmode: enforce\nmax_age: 5\nmx: a.*.test",
		  "mx is \"a.*.test\"" },
		{ "version: STSv1\nmode: enforce\nmax_age: 5\nmx: *",
		  "mx is \"*\"" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(policy_of(cases[i].text), cases[i].said);
}

static void so_many_hosts(void **state)
{
	const char *text = "version: STSv1\nmode: enforce\nmax_age: 5\n";

	(void)state;
	for (int i = 0; i < LIMIT_STS_HOSTS; i++)
		text = arena_printf(arena, "%smx: a%d.test\n", text, i);
	assert_true(str_starts(str_of(policy_of(text)), S("enforce 5 a0.")));
	text = arena_printf(arena, "%smx: more.test\n", text);
	assert_string_equal(policy_of(text), "it names more than 64 hosts");
}

static void a_star_is_one_label(void **state)
{
	struct sts_policy p;

	(void)state;
	assert_true(
		sts_policy_parse(S("version: STSv1\nmode: enforce\nmax_age: 5\n"
				   "mx: mx.a.test\nmx: *.b.test\n"),
				 arena, &p));
	assert_true(sts_allows(&p, S("mx.a.test")));
	assert_true(sts_allows(&p, S("MX.A.test")));
	assert_true(sts_allows(&p, S("one.b.test")));
	assert_false(sts_allows(&p, S("b.test")));
	assert_false(sts_allows(&p, S("one.two.b.test")));
	assert_false(sts_allows(&p, S("a.test")));
	assert_false(sts_allows(&p, S("mx.mx.a.test")));
	assert_false(sts_allows(&p, S(".b.test")));
	assert_false(sts_allows(&p, S("")));
}

static int open_arena(void **state)
{
	(void)state;
	arena = arena_open();
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_has_an_id),
		cmocka_unit_test(what_a_policy_says),
		cmocka_unit_test(so_many_hosts),
		cmocka_unit_test(a_star_is_one_label),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
