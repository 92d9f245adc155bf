/* Command lines and their parameters: command.h. */
#include "wire/command.h"

#include "base/limits.h"
#include "base/test.h"

static struct arena *arena;

static int begin(void **unused)
{
	arena = arena_open();
	return 0;
}

static int end(void **unused)
{
	arena_close(arena);
	return 0;
}

static void assert_str(struct str got, const char *want)
{
	assert_string_equal(arena_cstr(arena, got), want);
}

static void assert_line(struct str in, size_t max, enum line_state want,
			size_t want_used)
{
	struct str line;
	size_t used;

	assert_int_equal(command_line(in, max, &line, &used), want);
	assert_int_equal(used, want_used);
}

static void test_line(void **unused)
{
	struct str line;
	size_t used;

	assert_int_equal(command_line(S("NOOP\r\nRSET\r\n"), 100, &line, &used),
			 LINE_WHOLE);
	assert_str(line, "NOOP");
	assert_int_equal(used, 6);
	assert_line(S("\r\n"), 100, LINE_WHOLE, 2);
	assert_line(S(""), 100, LINE_PART, 0);
	assert_line(S("NOOP\r"), 100, LINE_PART, 0);
	assert_line(S("RSET\nNOOP\r\n"), 100, LINE_MALFORMED, 5);
	assert_line(S("\nNOOP\r\n"), 100, LINE_MALFORMED, 1);
	assert_line(S("NOOP\rRSET\r\n"), 100, LINE_MALFORMED, 11);
	assert_line(S("NOOP\r\r\n"), 100, LINE_MALFORMED, 7);
	assert_line(S("MA\0IL\r\n"), 100, LINE_MALFORMED, 7);
	assert_line(S("1234\r\n"), 4, LINE_WHOLE, 6);
	assert_line(S("1234\r"), 4, LINE_PART, 0);
	assert_line(S("12345\r\n"), 4, LINE_TOO_LONG, 6);
	assert_line(S("12345\n"), 4, LINE_MALFORMED, 6);
	assert_line(S("123456"), 4, LINE_TOO_LONG, 6);
	assert_line(S("12345"), 4, LINE_PART, 0);
}

static void test_split(void **unused)
{
	struct str verb, arguments;

	assert_true(command_split(S("RCPT TO:<a@b> "), &verb, &arguments));
	assert_str(verb, "RCPT");
	assert_str(arguments, "TO:<a@b>");
	assert_true(command_split(S("QUIT"), &verb, &arguments));
	assert_str(arguments, "");
	assert_false(command_split(S(""), &verb, &arguments));
	assert_false(command_split(S(" QUIT"), &verb, &arguments));
	assert_false(command_split(S("QU1T"), &verb, &arguments));
	assert_false(command_split(S("ABCDEFGHIJK"), &verb, &arguments));
	assert_false(command_split(S("RCPT\tTO:<a@b>"), &verb, &arguments));
}

static void assert_mail(const char *arguments, enum parse want)
{
	struct mail_command m;
	enum parse got = mail_parse(str_of(arguments), arena, &m);

	if (got != want)
		fail_msg("MAIL %s: %d instead of %d: %s", arguments, got, want,
			 cause());
}

static void assert_rcpt(const char *arguments, enum parse want)
{
	struct rcpt_command r;
	enum parse got = rcpt_parse(str_of(arguments), arena, &r);

	if (got != want)
		fail_msg("RCPT %s: %d instead of %d: %s", arguments, got, want,
			 cause());
}

static void test_mail(void **unused)
{
	struct mail_command m;

	assert_int_equal(mail_parse(S("from:<A@b.test> SIZE=100 body=8bitmime "
				      "SMTPUTF8 RET=HDRS ENVID=QQ+3D1 "
				      "AUTH=<>"),
				    arena, &m),
			 PARSE_OK);
	assert_str(m.sender.spelling, "A@b.test");
	assert_int_equal(m.size, 100);
	assert_true(m.body_said && m.body_8bit && m.utf8);
	assert_int_equal(m.ret, RET_HDRS);
	assert_str(m.envid, "QQ+3D1");
	assert_str(m.auth, "<>");
	assert_int_equal(mail_parse(S("FROM:<> BODY=7BIT"), arena, &m),
			 PARSE_OK);
	assert_true(m.body_said && !m.body_8bit && !m.utf8);
	assert_true(str_empty(m.sender.spelling));
	assert_int_equal(
		mail_parse(S("FROM:<> SIZE=99999999999999999999"), arena, &m),
		PARSE_OK);
	assert_true(m.size == UINT64_MAX);
	assert_mail("FROM: <a@b.test>", PARSE_OK);
	assert_mail("FROM:a@b.test", PARSE_OK);
	assert_mail("FROM: a@b.test SIZE=1", PARSE_OK);
	assert_int_equal(mail_parse(S("FROM:A@b.test SIZE=7"), arena, &m),
			 PARSE_OK);
	assert_str(m.sender.spelling, "A@b.test");
	assert_int_equal(m.size, 7);
	assert_mail("FROM:<a@b.test>  SIZE=1", PARSE_OK);
}

static void test_bad_mail(void **unused)
{
	assert_mail("", PARSE_BAD_SYNTAX);
	assert_mail("TO:<a@b.test>", PARSE_BAD_SYNTAX);
	assert_mail("FROM <a@b.test>", PARSE_BAD_SYNTAX);
	assert_mail("FROM:a", PARSE_BAD_ADDRESS);
	assert_mail("FROM:root SIZE=1", PARSE_BAD_ADDRESS);
	assert_mail("FROM:SIZE=1", PARSE_BAD_ADDRESS);
	assert_mail("FROM:<a@b.test", PARSE_BAD_ADDRESS);
	assert_mail("FROM:", PARSE_BAD_ADDRESS);
	assert_mail("FROM:<a@b.test> FOO=BAR", PARSE_UNKNOWN_PARAMETER);
	assert_mail("FROM:<a@b.test> NOTIFY=NEVER", PARSE_UNKNOWN_PARAMETER);
	assert_mail("FROM:<a@b.test> SIZE", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> SIZE=", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> SIZE=-1", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> SIZE=1x", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> SIZE=100000000000000000000",
		    PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> SIZE=1 size=2", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> BODY=8BITMIME BODY=7BIT",
		    PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> BODY=9BIT", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> BODY=BINARYMIME", PARSE_UNKNOWN_PARAMETER);
	assert_mail("FROM:<a@b.test> SMTPUTF8=x", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> RET=SOMETHING", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> RET", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> ENVID=+0A", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> ENVID=a=b", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> -X=1", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> =1", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test>\tSIZE=1", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test>>", PARSE_BAD_SYNTAX);
	assert_mail("FROM:<a@b.test> SIZE=1\t", PARSE_OK);
	assert_mail("FROM:<a@b.test> SIZE=1\tRET=FULL", PARSE_BAD_SYNTAX);
	assert_mail(arena_printf(arena, "FROM:<a@b.test> ENVID=%0101d", 1),
		    PARSE_BAD_SYNTAX);
}

static void test_rcpt(void **unused)
{
	struct rcpt_command r;

	assert_int_equal(
		rcpt_parse(S("TO:<alice@own.test> NOTIFY=success,DELAY "
			     "ORCPT=rfc822;alice@own.test XTRAIL=ab:c-_,d:e"),
			   arena, &r),
		PARSE_OK);
	assert_int_equal(r.notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	assert_str(r.orcpt, "rfc822;alice@own.test");
	assert_str(r.trail, "ab:c-_,d:e");
	assert_rcpt("TO:<a@x> NOTIFY=NEVER", PARSE_OK);
	assert_rcpt("TO:<postmaster>", PARSE_OK);
	assert_rcpt("TO:<a@x> ORCPT=utf-8;j\xc3\xb6rg@x", PARSE_OK);
	assert_rcpt("TO:<a@x> ORCPT=utf-8;j\\x{F6}rg@x", PARSE_OK);
}

static void test_bad_rcpt(void **unused)
{
	char zs[2001];

	memset(zs, 'z', sizeof(zs) - 1);
	zs[sizeof(zs) - 1] = '\0';
	assert_rcpt("TO:<>", PARSE_BAD_ADDRESS);
	assert_rcpt("FROM:<a@x>", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> NOTIFY=NEVER,FAILURE", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> NOTIFY=FAILURE,NEVER", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> NOTIFY=DELAY,DELAY", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> NOTIFY=DELAY,", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> NOTIFY=,DELAY", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> NOTIFY=SOON", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> NOTIFY", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> ORCPT=rfc822;", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> ORCPT=;a@x", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> ORCPT=alice", PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> ORCPT=rfc822;a+0Ab", PARSE_BAD_SYNTAX);
	assert_rcpt(arena_printf(arena, "TO:<a@x> ORCPT=%s;x", zs),
		    PARSE_BAD_SYNTAX);
	assert_rcpt("TO:<a@x> SIZE=1", PARSE_UNKNOWN_PARAMETER);
	assert_rcpt(arena_printf(arena, "TO:<a@x> XTRAIL=%s", zs),
		    PARSE_BAD_SYNTAX);
}

static void test_bdat(void **unused)
{
	uint64_t n;
	bool last;

	assert_true(bdat_parse(S("1000"), &n, &last));
	assert_true(n == 1000 && !last);
	assert_true(bdat_parse(S("0 last"), &n, &last));
	assert_true(n == 0 && last);
	assert_false(bdat_parse(S(""), &n, &last));
	assert_false(bdat_parse(S("LAST"), &n, &last));
	assert_false(bdat_parse(S("-5 LAST"), &n, &last));
	assert_false(bdat_parse(S("5 LAST x"), &n, &last));
	assert_false(bdat_parse(S("5 FIRST"), &n, &last));
	assert_false(bdat_parse(S("99999999999999999999 LAST"), &n, &last));
}

static void test_xtext(void **unused)
{
	struct str s;

	assert_true(xtext_decode(S("a+2Bb+3Dc"), arena, &s));
	assert_str(s, "a+b=c");
	assert_str(xtext_encode(S("a+b=c d\xc3"), arena), "a+2Bb+3Dc+20d+C3");
	assert_false(xtext_decode(S("a+"), arena, &s));
	assert_false(xtext_decode(S("a+2"), arena, &s));
	assert_false(xtext_decode(S("a+ZZ"), arena, &s));
	assert_false(xtext_decode(S("a=b"), arena, &s));
	assert_false(xtext_decode(S("a b"), arena, &s));
	assert_false(xtext_decode(S("a+0D+0Ab"), arena, &s));
	assert_false(xtext_decode(S("a+7F"), arena, &s));
}

static void test_base64(void **unused)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "\xff\xfe", "//4=" },
	};
	static const char *const bad[] = {
		"Z",    "Zg",       "Zg=",  "Zh==",   "Zm9=", "=",
		"====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_"
	};
	struct str s;

	for (size_t i = 0; i < array_size(pairs); i++) {
		assert_true(base64_decode(str_of(pairs[i][1]), arena, &s));
		assert_str(s, pairs[i][0]);
		assert_str(base64_encode(str_of(pairs[i][0]), arena),
			   pairs[i][1]);
	}
	assert_true(base64_decode(S("AGEAYg=="), arena, &s));
	assert_true(str_same(s, S("\0a\0b")));
	for (size_t i = 0; i < array_size(bad); i++)
		if (base64_decode(str_of(bad[i]), arena, &s))
			fail_msg("%s was accepted", bad[i]);
}

static void test_base64_has_64_letters(void **unused)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
				      "nopqrstuvwxyz0123456789+/";

	for (int byte = 0; byte < 256; byte++)
		for (size_t at = 0; at < 4; at++) {
			char text[] = "Zm9v";
			bool letter = byte != 0 && strchr(letters, byte);
			struct str s;

			text[at] = (char)byte;
			if (at == 3 && byte == '=')
				continue; /* "Zm9=" is bad, "Zm8=" good */
			if (base64_decode((struct str){ text, 4 }, arena, &s) !=
			    letter)
				fail_msg("byte %d at %zu", byte, at);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, begin, end),
		cmocka_unit_test_setup_teardown(test_split, begin, end),
		cmocka_unit_test_setup_teardown(test_mail, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_mail, begin, end),
		cmocka_unit_test_setup_teardown(test_rcpt, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_rcpt, begin, end),
		cmocka_unit_test_setup_teardown(test_bdat, begin, end),
		cmocka_unit_test_setup_teardown(test_xtext, begin, end),
		cmocka_unit_test_setup_teardown(test_base64_has_64_letters,
						begin, end),
		cmocka_unit_test_setup_teardown(test_base64, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
