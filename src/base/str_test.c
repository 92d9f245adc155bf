/* Slices: str.h, and the error slot beside them. */
#include <errno.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/test.h"

static void test_compare(void **unused)
{
	assert_true(str_same(S("abc"), S("abc")));
	assert_false(str_same(S("abc"), S("abd")));
	assert_false(str_same(S("abc"), S("ab")));
	assert_true(str_same(STR_NONE, S("")));
	assert_true(str_same_nocase(S("RCPT"), S("rcpt")));
	assert_false(str_same_nocase(S("@"), S("`")));
	assert_true(str_starts(S("abc"), S("ab")));
	assert_false(str_starts(S("a"), S("ab")));
	assert_true(str_starts(STR_NONE, STR_NONE));
	assert_true(str_starts_nocase(S("From:<a>"), S("FROM:")));
	assert_true(str_ends(S("a.test"), S(".test")));
	assert_false(str_ends(S("test"), S("a.test")));
	assert_true(str_compare(S("a"), S("ab")) < 0);
	assert_true(str_compare(S("b"), S("ab")) > 0);
	assert_int_equal(str_compare(S(""), STR_NONE), 0);
	assert_true(str_compare(S("\xff"), S("a")) > 0);
}

static void test_find(void **unused)
{
	assert_int_equal(str_find(S("a@b@c"), '@'), 1);
	assert_int_equal(str_find_last(S("a@b@c"), '@'), 3);
	assert_int_equal(str_find(STR_NONE, '@'), -1);
	assert_int_equal(str_find_last(S("abc"), '@'), -1);
	assert_int_equal(str_search(S("one two"), S("two")), 4);
	assert_int_equal(str_search(S("one two"), S("three")), -1);
	assert_int_equal(str_search(STR_NONE, S("x")), -1);
}

static void test_cut(void **unused)
{
	struct str rest = S("a,b,,c"), head;
	char seen[16] = "";

	while (str_split(&rest, ',', &head)) {
		strncat(seen, head.p, head.n);
		strncat(seen, "|", 2);
	}
	assert_string_equal(seen, "a|b||c|");
	assert_true(str_same(str_part(S("hello"), 1, 3), S("el")));
	assert_true(str_same(str_part(S("hello"), 4, 99), S("o")));
	assert_true(str_same(str_part(S("hello"), 7, 3), S("")));
	assert_true(str_same(str_from(S("hello"), 9), S("")));
	assert_true(str_same(str_trim(S(" \t a b\t")), S("a b")));
	assert_true(str_same(str_trim(S(" \t ")), S("")));
}

static void test_cut_at_a_character(void **unused)
{
	assert_true(str_same(str_cut(S("abc"), 3), S("abc")));
	assert_true(str_same(str_cut(S("abc"), 2), S("ab")));
	assert_true(str_same(str_cut(S("abc"), 0), S("")));
	assert_true(str_same(str_cut(STR_NONE, 5), STR_NONE));
	assert_true(str_same(str_cut(S("a\xc3\xa9"), 2), S("a")));
	assert_true(str_same(str_cut(S("a\xc3\xa9z"), 3), S("a\xc3\xa9")));
	for (size_t max = 1; max <= 4; max++)
		assert_true(
			str_same(str_cut(S("a\xf0\x9f\x98\x80"), max), S("a")));
	assert_true(str_same(str_cut(S("\xc3\xa9"), 1), S("")));
	/* no UTF-8 */
	assert_true(str_same(str_cut(S("a\x80\x80\x80\x80\x80\x80"), 5),
			     S("a\x80\x80\x80\x80")));
}

static void test_number(void **unused)
{
	uint64_t n;

	assert_true(str_number(S("0"), 10, &n) && n == 0);
	assert_true(str_number(S("18446744073709551615"), UINT64_MAX, &n) &&
		    n == UINT64_MAX);
	assert_false(str_number(S("18446744073709551616"), UINT64_MAX, &n));
	assert_true(str_number(S("65535"), 65535, &n));
	assert_false(str_number(S("65536"), 65535, &n));
	assert_false(str_number(S("7"), 5, &n));
	assert_false(str_number(S(""), 5, &n));
	assert_false(str_number(S("-1"), 5, &n));
	assert_false(str_number(S(" 1"), 5, &n));
	assert_false(str_number(S("+1"), 5, &n));
}

static void test_ascii(void **unused)
{
	assert_true(str_is_ascii(S("")));
	assert_true(str_is_ascii(S("a\0\x7f")));
	assert_false(str_is_ascii(S("caf\xc3\xa9")));
	assert_false(str_is_ascii(S("\x80")));
	assert_true(str_is_ascii(S("seventeen letters")));
	assert_false(str_is_ascii(S("\xffseventeen letters")));
	assert_false(str_is_ascii(S("sevente\x80n letters")));
	assert_false(str_is_ascii(S("seventeen letter\xff")));
}

static void test_fail(void **unused)
{
	struct failure slot = { .sentence = "" };
	char long_text[2 * FAIL_SENTENCE_BYTES];

	assert_string_equal(cause(), "no cause given");
	errno = ENOENT;
	assert_false(fail("open %s: %m", "x"));
	assert_string_equal(cause(), "open x: No such file or directory");
	assert_int_equal(errno, ENOENT);
	assert_false(add_cause("queue %d", 7));
	assert_string_equal(cause(),
			    "queue 7: open x: No such file or directory");
	fail_use_slot(&slot);
	assert_string_equal(cause(), "no cause given");
	fail("of the fiber");
	fail("again: %s", cause());
	assert_string_equal(slot.sentence, "again: of the fiber");
	fail_use_slot(NULL);
	assert_true(str_starts(str_of(cause()), S("queue 7")));
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	fail("%s", long_text);
	add_cause("%s", long_text);
	assert_int_equal(strlen(cause()), FAIL_SENTENCE_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
