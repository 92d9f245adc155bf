/* SPF records: what they say, and what makes them none. */
#include "wire/spf.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/test.h"

static struct arena *arena;

/* "+mx -all >b.test": terms, then where it leads; or why it is none. */
static const char *said(const char *text)
{
	struct spf_record r;
	char *out = arena_printf(arena, "%s", "");

	if (!spf_parse(str_of(text), arena, &r))
		return cause();
	for (size_t i = 0; i < r.n; i++)
		out = arena_printf(arena, "%s%s%c%d%s%.*s", out, i ? " " : "",
				   r.terms[i].qualifier, r.terms[i].kind,
				   r.terms[i].has_macro ? "%" : "",
				   STR(r.terms[i].name));
	if (!str_empty(r.redirect))
		out = arena_printf(arena, "%s>%.*s", out, STR(r.redirect));
	return out;
}

static void what_a_record_says(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "v=spf1", "" },
		{ "v=spf1 ", "" },
		{ "V=SPF1 MX -ALL", "+3 -0" },
		{ "v=spf1  a  mx ~all ", "+2 +3 ~0" },
		{ "v=spf1 +a:mail.b.test ?mx:c.test/24//64 -all",
		  "+2mail.b.test ?3c.test -0" },
		{ "v=spf1 a/24 mx//64", "+2 +3" },
		{ "v=spf1 include:_spf.google.com ~all",
		  "+1_spf.google.com ~0" },
		{ "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ip4:192.0.2.1",
		  "+5 +6 +5" },
		{ "v=spf1 ptr ptr:b.test", "+4 +4b.test" },
		{ "v=spf1 exists:%{ir}.%{v}.arpa.b.test -all",
		  "+7%%{ir}.%{v}.arpa.b.test -0" },
		{ "v=spf1 a:%{d1r/}.b.test -all", "+2%%{d1r/}.b.test -0" },
		{ "v=spf1 redirect=_spf.b.test", ">_spf.b.test" },
		{ "v=spf1 exp=why.b.test x-more=1 -all", "-0" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(said(cases[i].text), cases[i].said);
}

static void what_is_no_record(void **state)
{
	static const char *const cases[] = {
		"",
		"v=spf10 -all",
		"v=spf2 -all",
		"spf1 -all",
		"v=spf1 al",
		"v=spf1 all:b.test",
		"v=spf1 include",
		"v=spf1 include:",
		"v=spf1 a:",
		"v=spf1 a/33",
		"v=spf1 mx//129",
		"v=spf1 abc",
		"v=spf1 ip4:2001:db8::1",
		"v=spf1 ip6:192.0.2.1",
		"v=spf1 ip4:192.0.2.0/33",
		"v=spf1 ip4:192.0.2",
		"v=spf1 ip4",
		"v=spf1 -",
		"v=spf1 redirect=a.test redirect=b.test",
		"v=spf1 redirect=",
		"v=spf1 1x=y",
		"v=spf1 exp=",
		"v=spf1\tmx",
	};
	struct spf_record r;

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		if (spf_parse(str_of(cases[i]), arena, &r))
			fail_msg("%s is one", cases[i]);
}

static void blocks_and_bits(void **state)
{
	struct spf_record r;
	struct inet in, out;

	(void)state;
	assert_true(inet_parse_ip(S("192.0.2.77"), 0, &in));
	assert_true(inet_parse_ip(S("192.0.3.77"), 0, &out));
	assert_true(
		spf_parse(S("v=spf1 ip4:192.0.2.0/24 mx/20//60 a"), arena, &r));
	assert_true(inet_in_block(&in, &r.terms[0].block));
	assert_false(inet_in_block(&out, &r.terms[0].block));
	assert_int_equal(r.terms[1].bits4, 20);
	assert_int_equal(r.terms[1].bits6, 60);
	assert_int_equal(r.terms[2].bits4, 32);
	assert_int_equal(r.terms[2].bits6, 128);
	assert_null(spf_all(&r));
}

static void terms_have_an_end(void **state)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	struct spf_record r;

	(void)state;
	buf_add(&text, S("v=spf1"));
	for (int i = 0; i < LIMIT_SPF_TERMS; i++)
		buf_add(&text, S(" a"));
	assert_true(spf_parse(buf_str(&text), arena, &r));
	assert_int_equal(r.n, LIMIT_SPF_TERMS);
	buf_add(&text, S(" -all"));
	assert_false(spf_parse(buf_str(&text), arena, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_record_says),
		cmocka_unit_test(what_is_no_record),
		cmocka_unit_test(blocks_and_bits),
		cmocka_unit_test(terms_have_an_end),
	};
	int failed;

	arena = arena_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_close(arena);
	return failed;
}
