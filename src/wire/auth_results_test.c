/* Authentication-Results: whose it says to be, and what it says. */
#include "wire/auth_results.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/test.h"

static struct arena *arena;

static void whose_it_says_to_be(void **state)
{
	static const char *const ours[] = {
		" mx.a.test; spf=pass",
		"mx.a.test;spf=pass",
		" MX.a.Test; none",
		" mx.a.test 1; dkim=pass",
		"\r\n\tmx.a.test;\r\n\tdkim=pass",
		" (a (b) \\) mx.b.test) mx.a.test (c); spf=none",
		" \"mx.a.test\"; spf=pass",
		" \"mx\\.a.test\"; spf=pass",
		" mx.a.test.; spf=pass",
		" mx.a.test/1; spf=pass",
		" mx.a.test",
		" mx.a.test spf=pass", /* not as it is written, but read so */
	};
	static const char *const others[] = {
		"",
		" ",
		" mx.b.test; spf=pass smtp.mailfrom=mx.a.test",
		" xmx.a.test; spf=pass",
		" mx.a.test.b.test; spf=pass",
		" spf=pass (mx.a.test)",
		" (mx.a.test; spf=pass",
		" (mx.a.test) mx.b.test; spf=pass",
		" \"mx.a.test; spf=pass",
		" ; mx.a.test",
	};

	(void)state;
	for (size_t i = 0; i < array_size(ours); i++)
		if (!auth_results_claims(str_of(ours[i]), S("mx.a.test")))
			fail_msg("not ours: %s", ours[i]);
	for (size_t i = 0; i < array_size(others); i++)
		if (auth_results_claims(str_of(others[i]), S("mx.a.test")))
			fail_msg("ours: %s", others[i]);
}

/* "spf:pass:b.test, dkim:other:", or why not. */
static const char *said(const char *value)
{
	static const char *const methods[] = { "spf", "dkim", "dmarc", "else" };
	static const char *const results[] = { "pass", "temperror", "other" };
	const struct auth_found *list;
	struct buf b scoped(buf) = BUF_EMPTY;
	size_t n;

	if (!auth_results_parse(str_of(value), arena, &list, &n))
		return cause();
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s:%s:%.*s", i ? ", " : "",
			   methods[list[i].method], results[list[i].result],
			   STR(list[i].domain));
	return arena_cstr(arena, buf_str(&b));
}

static void what_it_says(void **state)
{
	static const struct {
		const char *value, *said;
	} cases[] = {
		/* Rspamd's */
		{ " mx.a.test;\n\tdkim=pass header.d=b.test header.s=one "
		  "header.b=\"Ab/+=;\";\n\tdkim=fail (\"headers rsa verify "
		  "failed\") header.d=c.test;\n\tspf=pass (mx.a.test: domain "
		  "of bob@b.test designates 192.0.2.1 as permitted sender) "
		  "smtp.mailfrom=bob@b.test;\n\tdmarc=pass (policy=reject) "
		  "header.from=b.test",
		  "dkim:pass:b.test, dkim:other:c.test, spf:pass:b.test, "
		  "dmarc:pass:b.test" },
		{ " mx.a.test;\n\tdkim=none;\n\tspf=softfail (x) "
		  "smtp.mailfrom=b.test;\n\tdmarc=none",
		  "dkim:other:, spf:other:b.test, dmarc:other:" },
		/* RFC 8601 B */
		{ "example.org 1; none", "" },
		{ "example.com;\r\n auth=pass (cram-md5) "
		  "smtp.auth=sender@example.net;\r\n spf=pass "
		  "smtp.mailfrom=example.net",
		  "else:pass:, spf:pass:example.net" },
		{ "example.com;\r\n dkim=pass reason=\"good signature\"\r\n "
		  "header.i=@mail-router.example.net;\r\n dkim=fail "
		  "reason=\"bad signature\"\r\n header.i=@newyork.example.com",
		  "dkim:pass:mail-router.example.net, "
		  "dkim:other:newyork.example.com" },
		{ "foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like "
		  "it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot "
		  "can go here) . (like that) expired\r\n (this surprised me) "
		  "= (as I wasn't expecting it) 1362471462",
		  "dkim:other:" },
		/* header.d wins, whatever the order */
		{ "a; dkim=pass header.i=@x.b.test header.d=b.test",
		  "dkim:pass:b.test" },
		{ "a; dkim=pass header.d=b.test header.i=@x.b.test",
		  "dkim:pass:b.test" },
		{ "a; SPF=TempError smtp.MailFrom=\"a b\"@b.test",
		  "spf:temperror:b.test" },
		/* of the greeting, not of the sender */
		{ "a; spf=pass smtp.helo=b.test", "spf:pass:" },
		{ "a; spf=pass smtp.mailfrom=\"x; dmarc=pass "
		  "header.from=b.test\"@c.test",
		  "spf:pass:c.test" },
		{ "a; dkim=pass;", "dkim:pass:" },
		{ "a", "" },
		{ "", "a value is missing" },
		{ "a; spf", "there is no '='" },
		{ "a; spf=", "a word is missing" },
		{ "a; =pass", "a word is missing" },
		{ "a; spf=pass (x", "a comment has no end" },
		{ "a; spf=pass smtp.mailfrom=\"x", "a quoted text has no end" },
		{ "a; spf=pass dmarc=pass", "\"dmarc\" says nothing" },
		{ "a; spf=pass bob@b.test", "there is no '='" },
		{ "a; spf/=pass", "a method has no version" },
		{ "a b c; spf=pass", "there is no ';'" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(said(cases[i].value), cases[i].said);
}

static void there_is_an_end_to_them(void **state)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	(void)state;
	buf_add(&b, S("a"));
	for (int i = 0; i < LIMIT_AUTH_RESULTS; i++)
		buf_add(&b, S("; dkim=none"));
	assert_int_equal(said(arena_cstr(arena, buf_str(&b)))[0], 'd');
	buf_add(&b, S("; dkim=none"));
	assert_string_equal(said(arena_cstr(arena, buf_str(&b))),
			    "there are more than 100 results");
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
		cmocka_unit_test(whose_it_says_to_be),
		cmocka_unit_test(what_it_says),
		cmocka_unit_test(there_is_an_end_to_them),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
