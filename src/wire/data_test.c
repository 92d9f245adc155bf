/* The body on the wire: data.h. */
#include "wire/data.h"

#include "base/test.h"

/* Reads IN in pieces of STEP bytes; what was decoded is in OUT.  Returns the
 * number of bytes taken, up to and including the end when there is one. */
static size_t read_in_steps(struct data_reader *r, struct str in, size_t step,
                            struct buf *out, bool *end)
{
	size_t at = 0, arrived = 0;

	*end = false;
	while (!*end && at < in.n) {
		struct data_piece p;

		if (arrived == at)
			arrived = at + step < in.n ? at + step : in.n;
		p = data_read(r, str_part(in, at, arrived));
		assert_true(p.used > 0);
		buf_add(out, p.text);
		at += p.used;
		*end = p.end;
	}
	return at;
}

static void assert_body(struct str in, struct str text, size_t rest,
                        bool malformed)
{
	for (size_t step = 1; step <= in.n; step++) {
		struct data_reader r = DATA_READER;
		struct buf out scoped(buf) = BUF_EMPTY;
		bool end;

		assert_int_equal(read_in_steps(&r, in, step, &out, &end),
		                 in.n - rest);
		assert_true(end);
		assert_int_equal(r.malformed, malformed);
		assert_int_equal(r.why != NULL, malformed);
		if (!malformed)
			assert_true(str_same(buf_str(&out), text));
	}
}

static void test_end(void **unused)
{
	assert_body(S(".\r\n"), S(""), 0, false);
	assert_body(S(".\r\nQUIT\r\n"), S(""), 6, false);
	assert_body(S("a\r\n.\r\nMAIL"), S("a\r\n"), 4, false);
	assert_body(S("a\r\n..\r\n.\r\n"), S("a\r\n.\r\n"), 0, false);
	assert_body(S("..a\r\n.b\r\n...\r\n.\r\n"), S(".a\r\nb\r\n..\r\n"), 0,
	            false);
	assert_body(S("\r\n\r\n.\r\n"), S("\r\n\r\n"), 0, false);
	assert_body(S("x.\r\n.\r\n"), S("x.\r\n"), 0, false);
	assert_body(S("\xff\x80\r\n.\r\n"), S("\xff\x80\r\n"), 0, false);
}

/* None of these ends the data early, all make it malformed. */
static void test_smuggling(void **unused)
{
	static const char *const ends[] = {
		"\n.\n",       "\n.\r\n",   "\r\n.\n",   "\r.\r",
		"\r.\r\n",     "\r\n.\r",   "\n.\r",     "\r.\n",
		"\r\n.\r\r\n", "\n\n.\r\n", "\r\r\n.\n", "\r\n\n.\r\n",
	};
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < array_size(ends); i++) {
		buf_clear(&b);
		buf_printf(&b, "x%sMAIL FROM:<s@t>\r\ny\r\n.\r\nQUIT\r\n",
		           ends[i]);
		assert_body(buf_str(&b), STR_NONE, 6, true);
	}
	assert_body(S("x\r\n.\0\r\ny\r\n.\r\nQUIT\r\n"), STR_NONE, 6, true);
	assert_body(S("\0\r\n.\r\n"), STR_NONE, 0, true);
	assert_body(S("\n.\r\n\r\n.\r\n"), STR_NONE, 0, true);
	assert_body(S("\r\r\n.\r\n"), STR_NONE, 0, true);
	assert_body(S(".\rx\r\n.\r\n"), STR_NONE, 0, true);
	assert_body(S(".\nx\r\n.\r\n"), STR_NONE, 0, true);
}

/* A long body, and one of its CRs alone: each place is looked at. */
static void test_long(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct data_reader r;

	for (int i = 0; i < 400; i++)
		buf_printf(&b, "%0*d\r\n", 1 + i % 97, i);
	buf_add(&b, S(".\r\n"));
	assert_body(str_from(buf_str(&b), b.n - 1000),
	            str_part(buf_str(&b), b.n - 1000, b.n - 3), 0, false);
	for (size_t i = 0; i < b.n - 5; i += 61) {
		char was = b.p[i];

		b.p[i] = '\r';
		r = (struct data_reader)DATA_READER;
		data_read(&r, buf_str(&b));
		assert_int_equal(r.malformed, was != '\r');
		b.p[i] = was;
	}
	r = (struct data_reader)DATA_READER;
	assert_int_equal(data_read(&r, buf_str(&b)).used, b.n - 2);
	assert_false(r.malformed);
}

static bool is_bad_chunk(struct str text, size_t cut)
{
	struct data_reader r = DATA_READER;

	data_check(&r, str_part(text, 0, cut), false);
	data_check(&r, str_from(text, cut), true);
	return r.malformed;
}

static void test_check(void **unused)
{
	static const char *const good[] = { "", "a\r\n", "a\r\n.\r\nb\r\n",
		                            "\r\n" };
	static const char *const bad[] = { "a",        "a\r",      "a\n",
		                           "a\rb\r\n", "a\nb\r\n", "\n",
		                           "a\r\nb",   "a\r\r\n",  "a\r\n." };

	for (size_t i = 0; i < array_size(good); i++)
		for (size_t cut = 0; cut <= strlen(good[i]); cut++)
			assert_false(is_bad_chunk(str_of(good[i]), cut));
	for (size_t i = 0; i < array_size(bad); i++)
		for (size_t cut = 0; cut <= strlen(bad[i]); cut++)
			assert_true(is_bad_chunk(str_of(bad[i]), cut));
	assert_true(is_bad_chunk(S("a\0\r\n"), 2));
}

static void test_stuff(void **unused)
{
	struct str text = S(".\r\n..a\r\n.b.\r\n\r\n.\r\n");

	for (size_t cut = 0; cut <= text.n; cut++) {
		struct buf wire scoped(buf) = BUF_EMPTY;
		bool at_line_start = true;

		data_stuff(&wire, str_part(text, 0, cut), &at_line_start);
		data_stuff(&wire, str_from(text, cut), &at_line_start);
		assert_true(str_same(buf_str(&wire),
		                     S("..\r\n...a\r\n..b.\r\n\r\n..\r\n")));
		buf_add(&wire, S(".\r\n"));
		assert_body(buf_str(&wire), text, 0, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),   cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_long),  cmocka_unit_test(test_check),
		cmocka_unit_test(test_stuff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
