/* Lists in DNS: how they are written, asked and understood. */
#include "wire/dnsbl.h"

#include "base/test.h"

static struct arena *arena;

/* "zen.example 2", or why not. */
static const char *list_of(const char *text)
{
	struct dnsbl list;

	if (!dnsbl_parse(str_of(text), arena, &list))
		return "none";
	return arena_printf(arena, "%.*s %d", STR(list.zone), list.weight);
}

static void a_list_has_a_weight(void **state)
{
	static const char *const none[] = {
		"",          "*2",         "a.test*",     "a.test*0",
		"a.test*x",  "a.test*101", "a.test*-101", "a.test*2*3",
		"a.test* 2", "a b.test",   "-.test",      "a.test*-",
		"a..test",   "a.test*1.5",
	};

	(void)state;
	assert_string_equal(list_of("zen.example"), "zen.example 1");
	assert_string_equal(list_of("ZEN.Example*2"), "zen.example 2");
	assert_string_equal(list_of("good.example*-100"), "good.example -100");
	for (size_t i = 0; i < array_size(none); i++)
		if (strcmp(list_of(none[i]), "none") != 0)
			fail_msg("a list: %s", none[i]);
}

static const char *asked(const char *address)
{
	struct inet at;

	assert_true(inet_parse_ip(str_of(address), 0, &at));
	return arena_cstr(arena, dnsbl_name(&at, S("zen.example"), arena));
}

static void what_is_asked(void **state)
{
	(void)state;
	assert_string_equal(asked("192.0.2.1"), "1.2.0.192.zen.example");
	assert_string_equal(asked("2001:db8::a5"),
			    "5.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
			    "8.b.d.0.1.0.0.2.zen.example");
}

static bool listed(const char *answer)
{
	struct inet at;

	assert_true(inet_parse_ip(str_of(answer), 0, &at));
	return dnsbl_is_listed(&at);
}

static void what_is_answered(void **state)
{
	(void)state;
	assert_true(listed("127.0.0.2"));
	assert_true(listed("127.0.0.255"));
	assert_true(listed("127.0.1.2"));
	assert_true(listed("127.1.0.1"));
	assert_true(listed("127.255.0.2"));
	assert_false(listed("127.0.0.1"));
	assert_false(listed("127.0.0.0"));
	assert_false(listed("127.255.255.252"));
	assert_false(listed("127.255.255.255"));
	assert_false(listed("192.0.2.1"));
	assert_false(listed("0.0.0.0"));
	assert_false(listed("::1"));
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
		cmocka_unit_test(a_list_has_a_weight),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(what_is_answered),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
