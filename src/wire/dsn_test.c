/* Delivery status notifications: dsn.h. */
#include "wire/dsn.h"

#include "base/limits.h"
#include "base/test.h"

static struct dsn_recipient bob(void)
{
	return (struct dsn_recipient){
		.address = S("Bob@own.test"),
		.orcpt = S("rfc822;Bob+2Bx@own.test"),
		.action = DSN_FAILED,
		.remote_mta = S("mail.b.test"),
		.reply = { 550, "5.1.1", S("bad\nuser <b>x</b>\r\nX-Evil: 1") },
	};
}

static struct dsn_plan plan_for(const struct dsn_recipient *r, size_t n)
{
	return (struct dsn_plan){
		.reporting_mta = S("mx.own.test"),
		.queue_id = S("4F2A"),
		.to = S("a@b.test"),
		.envid = S("QQ+3D1"),
		.arrived_wall_ms = 1795398000000,
		.now_wall_ms = 1795398060000,
		.retry_until_wall_ms = 1795830060000,
		.original = S("Subject: hello\r\n\r\nthe body\r\n"),
		.original_is_whole = true,
		.recipients = r,
		.n = n,
		.boundary = 0x1234,
	};
}

static bool has(const struct buf *b, const char *what)
{
	return str_search(buf_str(b), str_of(what)) >= 0;
}

/* Every line ends with CRLF, none is too long. */
static void assert_lines(const struct buf *b)
{
	struct str rest = buf_str(b), line;

	assert_true(str_ends(rest, S("\r\n")));
	while (str_split(&rest, '\n', &line)) {
		assert_true(str_ends(line, S("\r")));
		assert_in_range(line.n, 1, 999);
	}
}

static void test_failed(void **unused)
{
	struct dsn_recipient r = bob();
	struct dsn_plan plan = plan_for(&r, 1);
	struct buf b scoped(buf) = BUF_EMPTY;
	ptrdiff_t first;

	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_true(has(&b, "\r\nTo: <a@b.test>\r\n"));
	assert_true(has(&b, "\r\nAuto-Submitted: auto-replied\r\n"));
	assert_true(has(&b, "multipart/report; report-type=delivery-status;"));
	assert_true(has(&b, "\r\nOriginal-Envelope-Id: QQ=1\r\n"));
	assert_true(has(&b, "\r\nReporting-MTA: dns; mx.own.test\r\n"));
	assert_true(has(&b, "\r\n\r\nOriginal-Recipient: rfc822; "
			    "Bob+x@own.test\r\n"
			    "Final-Recipient: rfc822; Bob@own.test\r\n"
			    "Action: failed\r\nStatus: 5.1.1\r\n"
			    "Remote-MTA: dns; mail.b.test\r\n"
			    "Diagnostic-Code: smtp; 550 5.1.1 bad user "
			    "<b>x</b>? X-Evil: 1\r\n"));
	assert_true(has(&b, "Content-Type: message/rfc822\r\n"));
	assert_true(has(&b, "\r\nthe body\r\n"));
	assert_false(has(&b, "\r\nX-Evil"));
	assert_false(has(&b, "Will-Retry-Until"));
	first = str_search(buf_str(&b), S("<b>x"));
	assert_int_equal(
		str_search(str_from(buf_str(&b), (size_t)first + 1), S("<b>x")),
		-1); /* for machines only */
}

/* Who lives in two places, and was refused in both. */
static void test_in_two_places(void **unused)
{
	struct dsn_recipient there = bob(), r = bob();
	struct dsn_plan plan = plan_for(&r, 1);
	struct buf b scoped(buf) = BUF_EMPTY;

	there.remote_mta = S("mail.c.test");
	there.reply = (struct reply){ 552, "5.2.2", S("full\r\nX-Evil: 1") };
	r.also = &there;
	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_true(has(&b, "<Bob@own.test> (mail.b.test answered"));
	assert_true(has(&b, "mail.c.test"));
	assert_true(has(&b, "5.2.2)\r\n"));
	assert_true(has(&b, "\r\nX-Splitmail-Other-MTA: dns; mail.c.test\r\n"
			    "X-Splitmail-Other-Diagnostic: smtp; 552 5.2.2 "
			    "full? X-Evil: 1\r\n"));
	assert_false(has(&b, "\r\nX-Evil"));
	r.also = NULL;
}

static void test_headers_only(void **unused)
{
	struct dsn_recipient r = bob();
	struct dsn_plan plan = plan_for(&r, 1);
	struct buf b scoped(buf) = BUF_EMPTY, big scoped(buf) = BUF_EMPTY;

	plan.ret = RET_HDRS;
	dsn_write(&b, &plan);
	assert_true(has(&b, "Content-Type: text/rfc822-headers\r\n"));
	assert_true(has(&b, "Subject: hello\r\n"));
	assert_false(has(&b, "the body"));
	for (int i = 0; i < 2000; i++)
		buf_printf(&big, "X-%d: %0100d\r\n", i, i);
	plan.original = buf_str(&big);
	plan.ret = RET_FULL;
	buf_clear(&b);
	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_true(b.n > LIMIT_BOUNCE_BYTES);
	assert_true(b.n < LIMIT_BOUNCE_BYTES + 3000);
	plan.original = STR_NONE;
	buf_clear(&b);
	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_false(has(&b, "rfc822-headers"));
}

static void test_delayed(void **unused)
{
	struct dsn_recipient r = { .address = S("c@own.test"),
				   .action = DSN_DELAYED,
				   .note = S("the other system is down") };
	struct dsn_plan plan = plan_for(&r, 1);
	struct buf b scoped(buf) = BUF_EMPTY;

	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_true(has(&b, "Subject: Delayed mail"));
	assert_true(has(&b, "Action: delayed\r\nStatus: 4.0.0\r\n"));
	assert_true(has(&b, "Will-Retry-Until: "));
	assert_true(has(&b, "<c@own.test>: the other system is down"));
	assert_false(has(&b, "the body"));
	assert_false(has(&b, "Diagnostic-Code"));
}

static void test_utf8(void **unused)
{
	struct dsn_recipient r = bob();
	struct dsn_plan plan = plan_for(&r, 1);
	struct buf b scoped(buf) = BUF_EMPTY;

	r.address = S("j\xc3\xb6rg@own.test");
	plan.original = S("Subject: \xc3\xb6\r\n\r\nx\r\n");
	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_true(has(&b, "report-type=global-delivery-status;"));
	assert_true(has(&b, "Type: message/global-delivery-status\r\n"));
	assert_true(
		has(&b, "Final-Recipient: utf-8; j\xc3\xb6rg@own.test\r\n"));
	assert_true(has(&b, "Content-Type: message/global\r\n"));
	assert_true(has(&b, "Content-Transfer-Encoding: 8bit\r\n"));
}

/* Unfolded, a field is what was put in: spaces belong to a local part. */
static void test_spaces(void **unused)
{
	struct dsn_recipient r = bob();
	struct dsn_plan plan = plan_for(&r, 1);
	struct buf b scoped(buf) = BUF_EMPTY;

	r.address = S("\"a  b   c                                      d"
		      "      eeeeeeeeeeeeeee  f\"@own.test");
	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_true(has(&b, "Final-Recipient: rfc822; \"a  b   c      "
			    "                                d\r\n"
			    "      eeeeeeeeeeeeeee  f\"@own.test\r\n"));
}

static void test_long_words(void **unused)
{
	struct dsn_recipient r = bob();
	struct dsn_plan plan = plan_for(&r, 1);
	struct buf b scoped(buf) = BUF_EMPTY, text scoped(buf) = BUF_EMPTY;

	for (int i = 0; i < 1000; i++)
		buf_add(&text, S("\xc3\xb6"));
	buf_printf(&text, "   %02000d \n \n x", 7);
	r.reply.text = buf_str(&text);
	r.note = S("a\r\n.\r\n--=_0000000000001234--\r\n\r\nb");
	dsn_write(&b, &plan);
	assert_lines(&b);
	assert_false(has(&b, "\r\n \r\n"));
	assert_int_equal(
		str_search(buf_str(&b), S("\r\n--=_0000000000001234--\r\n")),
		(ptrdiff_t)b.n - 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_in_two_places),
		cmocka_unit_test(test_headers_only),
		cmocka_unit_test(test_delayed),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_spaces),
		cmocka_unit_test(test_long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
