/* DMARC records: what they say, and what makes them none. */
#include "wire/dmarc.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/test.h"
#include "wire/tags.h"

static struct arena *arena;

/* "reject/none 50 dkim spf a@b.test", or why it is none. */
static const char *said(const char *text)
{
	struct dmarc_record r;
	char *out;

	if (!dmarc_parse(str_of(text), arena, &r))
		return cause();
	out = arena_printf(arena, "%s/%s %u%s%s", dmarc_words[r.policy],
			   dmarc_words[r.of_subdomains], r.percent,
			   r.is_strict_dkim ? " dkim" : "",
			   r.is_strict_spf ? " spf" : "");
	for (size_t i = 0; i < r.n_rua; i++)
		out = arena_printf(arena, "%s %.*s", out, STR(r.rua[i]));
	return out;
}

static void what_a_record_says(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "v=DMARC1; p=none", "none/none 100" },
		{ "v=DMARC1;p=reject;", "reject/reject 100" },
		{ " v = DMARC1 ; p = Quarantine ; sp=none; pct=50",
		  "quarantine/none 50" },
		{ "v=DMARC1; p=none; rua=mailto:a@b.test",
		  "none/none 100 a@b.test" },
		{ "v=DMARC1; p=none; rua=mailto:a@b.test!10m , "
		  "MAILTO:c@d.test,https://d.test/x",
		  "none/none 100 a@b.test c@d.test" },
		{ "v=DMARC1; p=none; adkim=s; aspf=s; fo=1; new=x",
		  "none/none 100 dkim spf" },
		{ "v=DMARC1; p=none; p=reject; pct=10; pct=x", "none/none 10" },
		{ "v=DMARC1; pct=7; p=none", "none/none 7" },
		{ "v=DMARC1", "it has no p=" },
		{ "v=DMARC1; p=", "p= is no policy" },
		{ "v=DMARC1; p=all", "p=all is no policy" },
		{ "v=DMARC1; p=none; pct=101", "pct=101 is malformed" },
		{ "v=DMARC1; p=none; sp=x", "sp=x is malformed" },
		{ "v=DMARC1; p=none; aspf=x", "aspf=x is malformed" },
		{ "v=DMARC1; p=none; rua", "\"rua\" is no tag" },
		{ "v=DMARC1; p=none; rua=a@b.test",
		  "rua=a@b.test is no mailto: address" },
		{ "p=none; v=DMARC1", "it does not begin with v=DMARC1" },
		{ "v=DMARC2; p=none", "it does not begin with v=DMARC1" },
		{ "", "it does not begin with v=DMARC1" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(said(cases[i].text), cases[i].said);
}

static void reports_have_an_end(void **state)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	(void)state;
	buf_add(&text, S("v=DMARC1; p=none; rua=mailto:a@b.test"));
	for (int i = 1; i < LIMIT_DMARC_REPORTS; i++)
		buf_add(&text, S(",mailto:a@b.test"));
	assert_non_null(strstr(said(arena_cstr(arena, buf_str(&text))),
			       "none/none 100 a@b.test a@b.test"));
	buf_add(&text, S(",mailto:a@b.test"));
	assert_string_equal(said(arena_cstr(arena, buf_str(&text))),
			    "rua has more than 16 addresses");
}

static void tags_are_found(void **state)
{
	struct str value;

	(void)state;
	assert_true(tags_find(S("v=DKIM1; k=rsa; p=AB CD=="), S("p"), &value));
	assert_true(str_same(value, S("AB CD==")));
	assert_true(tags_find(S("a;;p="), S("p"), &value));
	assert_int_equal(value.n, 0);
	assert_false(tags_find(S("a; pp=1"), S("p"), &value));
	assert_false(tags_find(S(""), S("p"), &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_record_says),
		cmocka_unit_test(reports_have_an_end),
		cmocka_unit_test(tags_are_found),
	};
	int failed;

	arena = arena_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_close(arena);
	return failed;
}
