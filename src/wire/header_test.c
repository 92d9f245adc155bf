/* A message's header: header.h. */
#include "wire/header.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/test.h"

static void test_scan(void **unused)
{
	struct str text = S("Received: from a\r\n\tby b; today\r\n"
			    "RECEIVED : from c\r\n"
			    "From: <a@b>\r\n"
			    "Message-ID:\r\n  <1@x> (comment)\r\n"
			    "Subject: Received: no\r\n"
			    "authentication-Results : a; none\r\n"
			    "ARC-Authentication-Results: i=1; a; none\r\n"
			    "\r\n"
			    "Received: body\r\n");
	struct header_summary h = header_scan(text);

	assert_int_equal(h.bytes, text.n - 16);
	assert_int_equal(h.fields, 7);
	assert_int_equal(h.received, 2);
	assert_int_equal(h.results, 1);
	assert_int_equal(h.from, 1);
	assert_true(h.whole);
	assert_false(h.too_large || h.is_utf8);
	assert_true(str_same(h.message_id, S("<1@x>")));
}

static void test_odd_ends(void **unused)
{
	struct header_summary h = header_scan(S("A: b\r\nC: d"));

	assert_int_equal(h.bytes, 6);
	assert_false(h.whole);
	h = header_scan(S("A: b\r\nno field\r\nReceived: x\r\n\r\n"));
	assert_int_equal(h.bytes, 6);
	assert_int_equal(h.received, 0);
	assert_true(h.whole && h.is_broken);
	h = header_scan(S(" A: b\r\n\r\n"));
	assert_int_equal(h.bytes, 0);
	assert_true(h.whole);
	h = header_scan(S("\r\nbody\r\n"));
	assert_int_equal(h.bytes, 2);
	assert_true(h.whole && !h.is_broken);
	h = header_scan(STR_NONE);
	assert_int_equal(h.bytes, 0);
	assert_false(h.whole);
	h = header_scan(S("A: \xc3\xb6\r\n\r\n\xff"));
	assert_true(h.is_utf8);
	h = header_scan(S("A: b\r\n\r\n\xff"));
	assert_false(h.is_utf8);
}

/* Files of mail begin with it. */
static void test_line_of_an_mbox(void **unused)
{
	struct str text = S("From bob@b.example Mon Nov 23 01:34:02 2026\r\n"
			    "Received: from a\r\n"
			    "\r\n"
			    "body\r\n");
	struct header_summary h = header_scan(text);
	struct arena *arena = arena_open();
	struct str name, value;
	size_t at = 0;

	assert_true(h.has_mbox_line && h.whole);
	assert_int_equal(h.bytes, text.n - 6);
	assert_int_equal(h.received, 1);
	assert_true(header_field(text, &at, arena, &name, &value));
	assert_true(str_same(name, S("Received")));
	assert_false(header_field(text, &at, arena, &name, &value));
	assert_true(header_scan(S(">From x\r\nA: b\r\n\r\n")).has_mbox_line);
	/* a field, and texts without a header */
	h = header_scan(S("From : x\r\nA: b\r\n\r\n"));
	assert_false(h.has_mbox_line);
	assert_int_equal(h.from, 1);
	h = header_scan(S("From now on it\r\nis this: that\r\n"));
	assert_false(h.has_mbox_line);
	assert_int_equal(h.bytes, 0);
	assert_false(header_scan(S("From x\r\n\r\nA: b\r\n")).has_mbox_line);
	arena_close(arena);
}

static void test_floods(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct header_summary h;

	for (int i = 0; i <= LIMIT_HEADER_FIELDS; i++)
		buf_add(&b, S("A: b\r\n"));
	buf_add(&b, S("\r\n"));
	h = header_scan(buf_str(&b));
	assert_true(h.too_large);
	buf_take(&b, 6);
	h = header_scan(buf_str(&b));
	assert_true(h.whole);
	assert_false(h.too_large);
	buf_clear(&b);
	buf_add(&b, S("To: a@b"));
	for (int i = 0; i < 2 * LIMIT_HEADER_FIELDS; i++)
		buf_add(&b, S(",\r\n\ta@b"));
	buf_add(&b, S("\r\n\r\n"));
	h = header_scan(buf_str(&b));
	assert_true(h.whole && h.fields == 1);
	assert_false(h.too_large);
	buf_clear(&b);
	buf_printf(&b, "A: %0*d\r\n\r\n", LIMIT_HEADER_BYTES, 1);
	h = header_scan(buf_str(&b));
	assert_true(h.too_large);
	assert_false(h.whole);
	assert_true(header_scan(str_part(buf_str(&b), 0, b.n - 4)).too_large);
	buf_clear(&b);
	buf_printf(&b, "Message-ID: <%0400d@x>\r\n\r\n", 1);
	assert_int_equal(header_scan(buf_str(&b)).message_id.n, 250);
}

static void test_next(void **unused)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str text = S("X-Trail: a,\r\n b\r\nTo: x\r\n\ty\r\n"
			    "x-trail:\r\n c\r\n\r\nX-Trail: body\r\n");
	struct str value;
	size_t at = 0;

	assert_true(header_next(text, S("X-Trail"), &at, arena, &value));
	assert_true(str_same(value, S("a, b")));
	assert_true(header_next(text, S("X-Trail"), &at, arena, &value));
	assert_true(str_same(value, S("c")));
	assert_false(header_next(text, S("X-Trail"), &at, arena, &value));
	at = 0;
	assert_true(header_next(text, S("to"), &at, arena, &value));
	assert_true(str_same(value, S("x\ty")));
	at = 0;
	assert_false(header_next(text, S("y"), &at, arena, &value));
	at = 0;
	assert_false(
		header_next(S(" x\r\nTo: y\r\n"), S("To"), &at, arena, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_odd_ends),
		cmocka_unit_test(test_line_of_an_mbox),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
