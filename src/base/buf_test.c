/* The growing buffer: buf.h. */
#include "base/buf.h"
#include "base/test.h"

static void test_add(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_add(&b, STR_NONE);
	assert_true(str_empty(buf_str(&b)));
	buf_add(&b, S("MAIL FROM:<"));
	buf_printf(&b, "%.*s", STR(S("a@b")));
	buf_add_char(&b, '>');
	assert_true(str_same(buf_str(&b), S("MAIL FROM:<a@b>")));
	buf_take(&b, 5);
	assert_true(str_same(buf_str(&b), S("FROM:<a@b>")));
	buf_take(&b, b.n);
	assert_true(str_empty(buf_str(&b)));
	buf_printf(&b, "%500d", 7);
	assert_int_equal(b.n, 500);
	assert_int_equal(b.p[499], '7');
	buf_clear(&b);
	assert_int_equal(b.n, 0);
	assert_non_null(b.p);
}

static void test_growth(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, (char)i);
	assert_int_equal(b.n, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], (char)i);
	buf_reserve(&b, 1 << 20);
	assert_true(b.room - b.n >= 1 << 20);
	buf_free(&b);
	assert_null(b.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
