/* Packets of the milter protocol: milter.h. */
#include "wire/milter.h"

#include "base/fail.h"
#include "base/limits.h"
#include "base/test.h"

#define ARE(buf, literal) assert_true(str_same(buf_str(&(buf)), S(literal)))

/* ---- what we say ---- */

static void test_commands(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str texts[] = { S("<a@b.test>"), S("SIZE=1") };

	milter_say_options(&b);
	ARE(b, "\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x1f\xf7\xff");
	buf_clear(&b);
	milter_say_texts(&b, MILTER_MAIL, texts, 2);
	ARE(b, "\0\0\0\x13M<a@b.test>\0SIZE=1\0");
	buf_clear(&b);
	milter_say(&b, MILTER_END, S(""));
	milter_say(&b, MILTER_BODY, S("x\0y"));
	ARE(b, "\0\0\0\1E\0\0\0\4Bx\0y");
	buf_clear(&b);
	texts[0] = S("a\0b");
	milter_say_texts(&b, MILTER_HELO, texts, 1);
	ARE(b, "\0\0\0\3Ha\0");
}

static void test_connect(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct inet peer;

	assert_true(inet_parse(S("192.0.2.1:258"), 0, &peer));
	milter_say_connect(&b, S("mx"), &peer);
	ARE(b, "\0\0\0\x11"
	       "Cmx\0"
	       "4\1\2"
	       "192.0.2.1\0");
	buf_clear(&b);
	assert_true(inet_parse(S("[2001:db8::1]:25"), 0, &peer));
	milter_say_connect(&b, S("mx"), &peer);
	ARE(b, "\0\0\0\x13"
	       "Cmx\0"
	       "6\0\x19"
	       "2001:db8::1\0");
	buf_clear(&b);
	milter_say_connect(&b, S("mx"), NULL);
	ARE(b, "\0\0\0\5Cmx\0U");
}

static void test_macros(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	const struct milter_macro macros[] = {
		{ S("i"), S("x1") },
		{ S("{auth_authen}"), STR_NONE },
		{ S("v"), S("1") },
	};

	milter_say_macros(&b, MILTER_MAIL, macros, 3);
	ARE(b, "\0\0\0\x0b"
	       "DMi\0x1\0v\0"
	       "1\0");
}

static void test_what_is_agreed_on(void **unused)
{
	struct milter_options all = { .version = 6 };
	struct milter_options rspamd = { .version = 6, .steps = 0xff080 };
	struct milter_options opendkim = { .version = 6, .steps = 0x100702 };
	struct milter_options old = { .version = 2, .steps = 0x10 };

	assert_true(milter_wants(&all, MILTER_DATA));
	assert_true(milter_answers(&all, MILTER_HEADER));
	assert_false(milter_answers(&all, MILTER_ABORT));
	assert_true(milter_wants(&rspamd, MILTER_BODY));
	assert_false(milter_answers(&rspamd, MILTER_CONNECT));
	assert_false(milter_answers(&rspamd, MILTER_BODY));
	assert_true(milter_answers(&rspamd, MILTER_END));
	assert_false(milter_keeps_blanks(&rspamd));
	assert_true(milter_is_reusable(&rspamd));
	assert_false(milter_wants(&opendkim, MILTER_HELO));
	assert_false(milter_wants(&opendkim, MILTER_DATA));
	assert_true(milter_answers(&opendkim, MILTER_HEADER));
	assert_true(milter_keeps_blanks(&opendkim));
	assert_false(milter_is_reusable(&opendkim));
	assert_false(milter_wants(&old, MILTER_DATA));
	assert_false(milter_wants(&old, MILTER_BODY));
	assert_true(milter_wants(&old, MILTER_END));
	assert_false(milter_is_reusable(&old));
}

/* ---- what it answers ---- */

static struct arena *the_arena;
static struct milter_answer got;

static enum milter_state parse(struct str in)
{
	size_t used = 0;
	enum milter_state state = milter_parse(in, the_arena, &got, &used);

	if (state == MILTER_WHOLE)
		assert_int_equal(used, in.n);
	return state;
}

/* The packet of what begins with its kind. */
static enum milter_state parse_body(struct str body)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	milter_say(&b, (enum milter_command)body.p[0], str_from(body, 1));
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(parse(arena_str(the_arena,
						 str_part(buf_str(&b), 0, i))),
				 MILTER_PART);
	return parse(arena_str(the_arena, buf_str(&b)));
}

static void bad(struct str body, const char *why)
{
	assert_int_equal(parse_body(body), MILTER_BAD);
	if (!strstr(cause(), why))
		fail_msg("\"%s\" instead of \"%s\"", cause(), why);
}

static void good(struct str body)
{
	if (parse_body(body) != MILTER_WHOLE)
		fail_msg("%s", cause());
	assert_int_equal(got.kind, body.p[0]);
}

static void test_plain_answers(void **unused)
{
	const char kinds[] = "cadrt4fsp";

	for (size_t i = 0; kinds[i]; i++) {
		char body[] = { kinds[i], 'x' };

		good((struct str){ body, 1 });
		bad((struct str){ body, 2 }, "1 bytes too many");
	}
	bad(S("C"), "no answer of a filter");
	bad(S("\xff"), "no answer of a filter");
	assert_int_equal(parse(S("\0\0\0\0")), MILTER_BAD);
	assert_int_equal(parse(S("\xff\xff\xff\xff"
				 "c")),
			 MILTER_BAD);
}

static void test_options(void **unused)
{
	good(S("O\0\0\0\6\0\0\0\x3f\0\x0f\xf0\x80"));
	assert_int_equal(got.options.version, 6);
	assert_int_equal(got.options.actions, 0x3f);
	assert_int_equal(got.options.steps, 0xff080);
	good(S("O\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\2i {auth_authen}\0"));
	bad(S("O\0\0\0\1\0\0\0\0\0\0\0\0"), "version 1");
	bad(S("O\0\0\0\7\0\0\0\0\0\0\0\0"), "version 7");
	bad(S("O\0\0\0\6\0\0\2\0\0\0\0\0"), "actions 0x200");
	bad(S("O\0\0\0\6\0\0\0\0\x10\0\0\0"), "steps 0x10000000");
	bad(S("O\0\0\0\6\0\0\0\0\0\0\0"), "a number is missing");
	bad(S("O\0\0\0\6\0\0\0\0\0\0\0\0x"), "a number is missing");
	bad(S("O\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\1j"), "a text has no end");
}

static void test_fields(void **unused)
{
	good(S("hX-A\0 1\n\t2\0"));
	assert_true(str_same(got.name, S("X-A")));
	assert_true(str_same(got.text, S(" 1\n\t2")));
	good(S("i\0\0\1\0X-A\0\0"));
	assert_int_equal(got.index, 256);
	assert_true(got.text.p && str_empty(got.text));
	good(S("m\0\0\0\1Subject\0x\0"));
	bad(S("hX-A\0"), "a text has no end");
	bad(S("h\0x\0"), "0 bytes");
	bad(S("hX A\0x\0"), "\"X A\" is no name");
	bad(S("hX\nBcc\0x\0"), "is no name");
	bad(S("hX:\0x\0"), "is no name");
	bad(S("hX-A\0x\0y"), "1 bytes too many");
	bad(S("i\0\0X-A\0"), "");
}

static void test_addresses(void **unused)
{
	good(S("+<a@b.test>\0"));
	assert_true(str_same(got.recipient.recipient.spelling, S("a@b.test")));
	assert_int_equal(got.recipient.notify, NOTIFY_UNSAID);
	good(S("+a@b.test\0"));
	good(S("2<a@b.test>\0NOTIFY=NEVER\0"));
	assert_int_equal(got.recipient.notify, NOTIFY_NEVER);
	good(S("2<a@b.test>\0XTRAIL=x\0"));
	assert_true(str_empty(got.recipient.trail));
	good(S("-<a@b.test>\0"));
	good(S("e<>\0"));
	assert_true(str_empty(got.sender.sender.spelling));
	good(S("ea@b.test\0SIZE=1\0"));
	assert_true(str_same(got.sender.sender.spelling, S("a@b.test")));
	bad(S("+\0"), "");
	bad(S("+<a@b.test>"), "a text has no end");
	bad(S("+<a@b.test>\r\nRCPT TO:<c@d.test>\0"), "control character");
	bad(S("e<a@b.test>\0\r\n\0"), "control character");
	bad(S("-nobody at all\0"), "");
}

static void test_refusals(void **unused)
{
	good(S("y550 5.7.1 100%% no\0"));
	assert_int_equal(got.reply.code, 550);
	assert_string_equal(got.reply.status, "5.7.1");
	assert_true(str_same(got.reply.text, S("100% no")));
	good(S("y451-4.7.1 one\r\n451 4.7.1 two\r\n\0"));
	assert_true(str_same(got.reply.text, S("one\ntwo")));
	good(S("y550 5.7.1 50%\0"));
	bad(S("y250 2.0.0 fine\0"), "is no refusal");
	bad(S("y354 go on\0"), "is no refusal");
	bad(S("ynever\0"), "");
	bad(S("y550-5.7.1 one\0"), "the last line of a reply is missing");
	bad(S("y550 5.7.1 no\r\n250 yes\0"), "is no refusal");
}

static void test_large_ones(void **unused)
{
	struct buf body scoped(buf) = BUF_EMPTY, b scoped(buf) = BUF_EMPTY;

	buf_printf(&body, "%0*d", LIMIT_MILTER_PACKET_BYTES * 2, 1);
	milter_say(&b, (enum milter_command)MILTER_REPLACE_BODY,
		   buf_str(&body));
	assert_int_equal(parse(buf_str(&b)), MILTER_WHOLE);
	assert_int_equal(got.text.n, body.n);
	b.p[4] = MILTER_QUARANTINE;
	assert_int_equal(parse(buf_str(&b)), MILTER_BAD);
	assert_int_equal(parse(S("\x7f\xff\xff\xff"
				 "b")),
			 MILTER_BAD);
}

static void test_other_answers(void **unused)
{
	good(S("b"));
	assert_true(str_empty(got.text));
	good(S("qspam\0"));
	assert_true(str_same(got.text, S("spam")));
	bad(S("qspam"), "a text has no end");
	good(S("l\0\0\0\1i j\0"));
}

static void test_changes(void **unused)
{
	const char *const changes = "himbe+2-q";

	for (const char *c = "adrtyf4cspOl"; *c; c++)
		assert_false(milter_is_change((enum milter_answer_kind) * c));
	for (const char *c = changes; *c; c++)
		assert_true(milter_is_change((enum milter_answer_kind) * c));
}

static int arena_begin(void **unused)
{
	the_arena = arena_open();
	return 0;
}

static int arena_end(void **unused)
{
	arena_close(the_arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_macros),
		cmocka_unit_test(test_what_is_agreed_on),
		cmocka_unit_test(test_plain_answers),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_large_ones),
		cmocka_unit_test(test_other_answers),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}
