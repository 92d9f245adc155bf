/* Replies: reply.h. */
#include "wire/reply.h"

#include "base/buf.h"
#include "base/fail.h"
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

static struct reply read_ok(struct str in)
{
	struct reply r;
	size_t used;

	if (reply_parse(in, arena, &r, &used) != REPLY_WHOLE)
		fail_msg("%.*s was not read: %s", STR(in), cause());
	assert_int_equal(used, in.n);
	return r;
}

static enum reply_state state_of(struct str in)
{
	struct reply r;
	size_t used;

	return reply_parse(in, arena, &r, &used);
}

static void test_read(void **unused)
{
	struct reply r = read_ok(S("550-5.1.1 no\r\n550 5.1.1 such user\r\n"));
	size_t used;

	assert_int_equal(r.code, 550);
	assert_string_equal(r.status, "5.1.1");
	assert_str(r.text, "no\nsuch user");
	assert_str(reply_line(&r, arena), "550 5.1.1 no such user");
	assert_true(reply_is_refusal(&r));
	r = read_ok(S("250\r\n"));
	assert_str(r.text, "");
	assert_str(reply_line(&r, arena), "250");
	r = read_ok(S("250 2.0.0\r\n"));
	assert_string_equal(r.status, "2.0.0");
	assert_str(reply_line(&r, arena), "250 2.0.0");
	r = read_ok(S("354 3.0.0 go\r\n"));
	assert_str(r.text, "3.0.0 go");
	r = read_ok(S("250 5.1.1 odd\r\n"));
	assert_string_equal(r.status, "");
	r = read_ok(S("550 5.1.1234 x\r\n"));
	assert_string_equal(r.status, "");
	r = read_ok(S("550 5.1.1x\r\n"));
	assert_string_equal(r.status, "");
	assert_int_equal(reply_parse(S("250 a\r\n250 b\r\n"), arena, &r, &used),
			 REPLY_WHOLE);
	assert_int_equal(used, 7);
}

static void test_part_and_bad(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	assert_int_equal(state_of(S("")), REPLY_PART);
	assert_int_equal(state_of(S("250 ok\r")), REPLY_PART);
	assert_int_equal(state_of(S("250-ok\r\n")), REPLY_PART);
	assert_int_equal(state_of(S("250-ok\r\n250")), REPLY_PART);
	assert_int_equal(state_of(S("250 ok\n")), REPLY_WHOLE);
	assert_int_equal(state_of(S("250-a\n250 ok\r\n")), REPLY_WHOLE);
	assert_int_equal(state_of(S("250\tok\r\n")), REPLY_WHOLE);
	assert_int_equal(state_of(S("250-a\nb\r\n250 ok\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("25\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("150 x\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("650 x\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("250x\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("2500 x\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("250-a\r\n550 b\r\n")), REPLY_BAD);
	assert_int_equal(state_of(S("SSH-2.0-x\r\n")), REPLY_BAD);
	for (int i = 0; i < LIMIT_REPLY_LINES; i++)
		buf_add(&b, S("250-x\r\n"));
	buf_add(&b, S("250 x\r\n"));
	assert_int_equal(state_of(buf_str(&b)), REPLY_BAD);
	buf_take(&b, 7);
	assert_int_equal(state_of(buf_str(&b)), REPLY_WHOLE);
	buf_clear(&b);
	buf_printf(&b, "250 %0*d", LIMIT_STREAM_BUFFER, 1);
	assert_int_equal(state_of(buf_str(&b)), REPLY_BAD);
}

static void test_hostile_text(void **unused)
{
	struct reply r = read_ok(S("550 a\x1b[2J\0\t\x7f\r\r\n"));
	struct buf b scoped(buf) = BUF_EMPTY;

	assert_str(r.text, "a?[2J????");
	r = read_ok(S("550 bo\xc3\xaete \xc2\x9b\r\n"));
	assert_str(r.text, "bo\xc3\xaete ?");
	r = read_ok(S("550 bo\xeete\r\n"));
	assert_str(r.text, "bo?te");
	buf_printf(&b,
		   "550-%03000d\r\n550-%03000d\r\n550-%03000d\r\n"
		   "550-%03000d\r\n550 %03000d\r\n",
		   1, 2, 3, 4, 5);
	r = read_ok(buf_str(&b));
	assert_int_equal(r.text.n, LIMIT_REPLY_BYTES);
	assert_int_equal(str_find(r.text, '\n'), LIMIT_REPLY_LINE_BYTES);
}

static void assert_written(struct reply r, const char *want)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	reply_write(&b, &r);
	assert_str(buf_str(&b), want);
}

static void test_write(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct reply r = { 250, "", S("") };

	assert_written((struct reply){ 550, "5.1.1", S("no\nuser") },
		       "550-5.1.1 no\r\n550 5.1.1 user\r\n");
	assert_written((struct reply){ 250, "", S("ok") }, "250 ok\r\n");
	assert_written((struct reply){ 250, "2.0.0", S("") }, "250 2.0.0\r\n");
	assert_written((struct reply){ 550, "", S("a\r\xc3\xb6") },
		       "550 a???\r\n");
	r.text = arena_strf(arena, "%0600d", 1);
	reply_write(&b, &r);
	assert_int_equal(b.n, 512);
	assert_true(str_ends(buf_str(&b), S("0\r\n")));
}

static void test_capabilities(void **unused)
{
	struct reply r =
		read_ok(S("250-DSN.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
			  "250-auth LOGIN PLAIN\r\n250-8BITMIME\r\n250-DSN\r\n"
			  "250-SMTPUTF8\r\n250-XTRAIL\r\n250 CHUNKING\r\n"));
	struct capabilities c;

	capabilities_parse(&r, &c);
	assert_true(c.pipelining && c.chunking && c.utf8 && c.eightbit);
	assert_true(c.dsn && c.size_said && c.xtrail);
	assert_true(c.auth_plain && c.auth_login);
	assert_false(c.starttls || c.enhanced);
	assert_int_equal(c.size, 1000);
	r = read_ok(S("250 STARTTLS\r\n"));
	capabilities_parse(&r, &c);
	assert_false(c.starttls);
	r = read_ok(S("250-a\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n"
		      "250 SIZE\r\n"));
	capabilities_parse(&r, &c);
	assert_true(c.starttls && c.size_said && c.enhanced && c.size == 0);
	assert_true(!c.most_mails && !c.most_recipients && !c.most_domains);
}

/* RFC 9422; what is not right says nothing. */
static void test_limits(void **unused)
{
	struct reply r = read_ok(S("250-a\r\n250-LIMITS RCPTMAX=20 OTHER=1 "
				   "mailmax=5 RCPTDOMAINMAX=999999\r\n"
				   "250 HELP\r\n"));
	struct capabilities c;

	capabilities_parse(&r, &c);
	assert_int_equal(c.most_recipients, 20);
	assert_int_equal(c.most_mails, 5);
	assert_int_equal(c.most_domains, 999999);
	r = read_ok(S("250-a\r\n250 LIMITS RCPTMAX=0 MAILMAX= RCPTDOMAINMAX"
		      " MAILMAX=1000000 MAILMAX=x\r\n"));
	capabilities_parse(&r, &c);
	assert_true(!c.most_mails && !c.most_recipients && !c.most_domains);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, begin, end),
		cmocka_unit_test_setup_teardown(test_part_and_bad, begin, end),
		cmocka_unit_test_setup_teardown(test_hostile_text, begin, end),
		cmocka_unit_test_setup_teardown(test_write, begin, end),
		cmocka_unit_test_setup_teardown(test_capabilities, begin, end),
		cmocka_unit_test_setup_teardown(test_limits, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
