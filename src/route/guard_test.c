#include "route/guard.h"

#include "base/limits.h"
#include "base/test.h"
#include "directory/directory.h"

#define FOREIGN "0123456789abcdef:AAAAAAAAAAAAAAAA"

static struct arena *arena;
static struct guard *g;

static int open_all(void **unused)
{
	struct node node = { .id = "feedfacecafebeef" };

	memset(node.key, 7, sizeof(node.key));
	g = guard_open(&node);
	arena = arena_open();
	return 0;
}

static int close_all(void **unused)
{
	guard_close(g);
	arena_close(arena);
	return 0;
}

static struct str entry(const char *key)
{
	return guard_entry(g, str_of(key), arena);
}

static struct str join(struct str a, const char *between, struct str b)
{
	return arena_strf(arena, "%.*s%s%.*s", STR(a), between, STR(b));
}

static void test_own_entry_is_known(void **unused)
{
	struct str bob = entry("bob@own.test");

	assert_int_equal(bob.n, 33);
	assert_true(str_starts(bob, S("feedfacecafebeef:")));
	assert_true(guard_was_here(g, bob, S("bob@own.test")));
	assert_false(guard_was_here(g, bob, S("bob@own.tes")));
	assert_false(guard_was_here(g, bob, S("group bob@own.test")));
	assert_false(guard_was_here(g, STR_NONE, S("bob@own.test")));
	assert_true(guard_was_here(g, join(S(FOREIGN), ", ", bob),
				   S("bob@own.test")));
	assert_true(guard_was_here(g, join(S(",,junk\r\n, "), ",", bob),
				   S("bob@own.test")));
	assert_false(
		guard_was_here(g, str_part(bob, 0, 32), S("bob@own.test")));
	assert_false(
		guard_was_here(g, join(bob, "", S("A")), S("bob@own.test")));
}

static void test_another_key_is_another_node(void **unused)
{
	struct node node = { .id = "feedfacecafebeef" };
	struct guard *other = guard_open(&node);

	assert_false(guard_was_here(other, entry("bob@own.test"),
				    S("bob@own.test")));
	assert_false(str_same(guard_entry(other, S("x"), arena), entry("x")));
	guard_close(other);
}

static void test_add_leaves_out_what_is_no_entry(void **unused)
{
	struct str bob = entry("bob@own.test"), t;

	t = trail_add(STR_NONE, bob, arena);
	assert_true(str_same(t, bob));
	t = trail_add(t, bob, arena);
	assert_true(str_same(t, bob));
	t = trail_add(S("x\r\nBcc: all," FOREIGN " ,0123:4,"), bob, arena);
	assert_true(str_same(t, join(S(FOREIGN), ",", bob)));
	t = trail_add(S("0123456789ABCDEF:AAAAAAAAAAAAAAAA,"
			"0123456789abcdef:AAAAAAAAAAAAAA=="),
		      bob, arena);
	assert_true(str_same(t, bob));
}

static void test_add_is_capped_and_ours_stay(void **unused)
{
	struct str bob = entry("bob@own.test"), t = bob;

	for (int i = 0; i < 40; i++)
		t = arena_strf(arena, "%.*s,%016x:BBBBBBBBBBBBBBBB", STR(t), i);
	t = trail_add(t, entry("eve@own.test"), arena);
	assert_true(t.n <= LIMIT_TRAIL_BYTES);
	assert_true(guard_was_here(g, t, S("bob@own.test")));
	assert_true(guard_was_here(g, t, S("eve@own.test")));
	assert_int_equal(str_search(t, S("0000000000000000:")), -1);
	assert_true(str_search(t, S("0000000000000027:")) > 0);
	for (int i = 0; i < 60; i++)
		t = trail_add(t, entry(arena_printf(arena, "u%d", i)), arena);
	assert_true(t.n <= LIMIT_TRAIL_BYTES);
	assert_true(guard_was_here(g, t, S("u59")));
	assert_false(guard_was_here(g, t, S("bob@own.test")));
}

static void test_join_holds_each_once(void **unused)
{
	struct str bob = entry("bob@own.test"), eve = entry("eve@own.test"), t;

	assert_true(str_empty(trail_join(STR_NONE, S("junk"), arena)));
	t = trail_join(join(bob, ",", S(FOREIGN)), join(eve, ",", bob), arena);
	assert_true(str_same(t, join(join(bob, ",", S(FOREIGN)), ",", eve)));
	t = bob;
	for (int i = 0; i < 300; i++)
		t = arena_strf(arena, "%016x:BBBBBBBBBBBBBBBB,%.*s", i, STR(t));
	t = trail_join(t, eve, arena);
	assert_int_equal(t.n, LIMIT_TRAIL_JOINED * 34 - 1);
	assert_true(guard_was_here(g, t, S("bob@own.test")));
	assert_true(guard_was_here(g, t, S("eve@own.test")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_entry_is_known),
		cmocka_unit_test(test_another_key_is_another_node),
		cmocka_unit_test(test_add_leaves_out_what_is_no_entry),
		cmocka_unit_test(test_add_is_capped_and_ours_stay),
		cmocka_unit_test(test_join_holds_each_once),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
