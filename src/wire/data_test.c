/* The body on the wire: data.h. */
#include "wire/data.h"

#include "base/test.h"

/* Reads IN in pieces of STEP bytes; what was decoded is in OUT.  Returns the
 * number of bytes taken, up to and including the end when there is one. */
static size_t read_in_steps(struct data_reader *r, struct str in, size_t step,
			    struct buf *out, bool *end)
{
	struct buf room scoped(buf) = BUF_EMPTY;
	size_t at = 0, arrived = 0;

	*end = false;
	while (!*end && at < in.n) {
		struct data_piece p;

		if (arrived == at)
			arrived = at + step < in.n ? at + step : in.n;
		p = data_read(r, str_part(in, at, arrived), &room);
		assert_true(p.end || p.used == arrived - at);
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
	struct buf room scoped(buf) = BUF_EMPTY;
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
		data_read(&r, buf_str(&b), &room);
		assert_int_equal(r.malformed, was != '\r');
		b.p[i] = was;
	}
	r = (struct data_reader)DATA_READER;
	assert_int_equal(data_read(&r, buf_str(&b), &room).used, b.n);
	assert_false(r.malformed);
}

/* Every line begins with a dot, or may be the end, wherever a block ends. */
static void test_dots(void **unused)
{
	static const char *const lines[] = { ".",   "..", "...", ".x",
					     ".x.", "",   "x",   ".\xff" };
	static const char pad[] = "0123456789abcdef0123456789abcdef"
				  "0123456789abcdef0123456789abcdef";

	for (size_t i = 0; i < array_size(lines); i++)
		for (int n = 0; n < 64; n++) {
			struct buf text scoped(buf) = BUF_EMPTY;
			struct buf wire scoped(buf) = BUF_EMPTY;
			bool at_line_start = true;

			buf_printf(&text, "%.*s\r\n", n, pad);
			for (int k = 0; k < 70; k++)
				buf_printf(&text, "%s\r\n", lines[i]);
			data_stuff(&wire, buf_str(&text), &at_line_start);
			buf_add(&wire, S(".\r\n"));
			assert_body(buf_str(&wire), buf_str(&text), 0, false);
		}
}

static void assert_why(struct str text, const char *why, unsigned line)
{
	struct buf wire scoped(buf) = BUF_EMPTY;
	struct buf out scoped(buf) = BUF_EMPTY;
	bool end;

	for (int i = 0; i < 40; i++)
		buf_printf(&wire, "%.*s\r\n", i, "any line is as good as this");
	buf_add(&wire, text);
	buf_add(&wire, S("\r\n.\r\n"));
	for (size_t step = 1; step <= wire.n; step++) {
		struct data_reader r = DATA_READER, chunk = DATA_READER;

		read_in_steps(&r, buf_str(&wire), step, &out, &end);
		assert_true(end);
		assert_ptr_equal(strstr(r.why, why), r.why);
		assert_int_equal(r.line, line);
		data_check(&chunk, str_part(buf_str(&wire), 0, step), false);
		data_check(&chunk, str_from(buf_str(&wire), step), true);
		assert_string_equal(chunk.why, r.why);
		assert_int_equal(chunk.line, line);
	}
}

static void test_says_what_is_wrong(void **unused)
{
	assert_why(S("a\nb"), "has a bare LF", 41);
	assert_why(S("a\rb"), "has a bare CR", 41);
	assert_why(S("a\0b"), "has a NUL", 41);
	assert_why(S("x\r\n\r\na\r\r\nb\0\n"), "has a bare CR", 43);
	assert_why(S("x\r\n\n\r\0"), "has a bare LF", 42);
	assert_why(S("\r\na\0\r\n\n"), "has a NUL", 42);
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
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_stuff),
		cmocka_unit_test(test_dots),
		cmocka_unit_test(test_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
