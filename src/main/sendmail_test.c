/* Options as other programs give them, and what becomes of their mail. */
#include "base/test.h"

#include <stdio.h>

#include "main/sendmail.h"

static struct sendmail o;

#define OPTIONS(...) \
	sendmail_options( \
		(int)array_size(((char *[]){ "sendmail", __VA_ARGS__ })), \
		(char *[]){ "sendmail", __VA_ARGS__, NULL }, &o)

static void test_callers(void **state)
{
	/* Debian's cron */
	assert_true(
		OPTIONS("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"));
	assert_string_equal(o.full_name, "CronDaemon");
	assert_true(!o.dot_ends && o.mail_errors && o.n == 1);
	assert_string_equal(o.recipients[0], "root");
	/* PHP, and PHP with a fifth argument of mail() */
	assert_true(OPTIONS("-t", "-i"));
	assert_true(o.from_header && !o.dot_ends && o.n == 0);
	assert_true(OPTIONS("-t", "-i", "-fwww@a.example"));
	assert_string_equal(o.sender, "www@a.example");
	/* Python's, git's, mutt's, mailx's */
	assert_true(OPTIONS("-oi", "-f", "a@x", "b@x"));
	assert_true(OPTIONS("-oem", "-oi", "-f", "a@x", "--", "b@x", "c@x"));
	assert_true(o.n == 2 && !o.from_header);
	assert_true(OPTIONS("-i", "-r", "a@x", "--", "-b@x"));
	assert_string_equal(o.recipients[0], "-b@x");
	assert_true(OPTIONS("-it"));
	assert_true(o.from_header && !o.dot_ends);
	assert_true(OPTIONS("-N", "never", "-R", "hdrs", "-V", "id1", "b@x"));
	assert_string_equal(o.notify, "never");
	assert_true(OPTIONS("-O", "DeliveryMode=b", "-odi", "-Am", "-v", "-m",
			    "-U", "-G", "-n", "-h", "5", "b@x"));
	assert_int_equal(o.job, SENDMAIL_SEND);
	assert_true(OPTIONS("-f", "", "b@x"));
	assert_string_equal(o.sender, "");
	assert_true(OPTIONS("b@x", "-t"));
	assert_int_equal(o.n, 2);
}

static void test_other_jobs(void **state)
{
	assert_true(OPTIONS("-bp"));
	assert_int_equal(o.job, SENDMAIL_LIST);
	assert_true(OPTIONS("-q"));
	assert_int_equal(o.job, SENDMAIL_RETRY);
	assert_true(OPTIONS("-q15m"));
	assert_int_equal(o.job, SENDMAIL_RETRY);
	assert_true(OPTIONS("-bi"));
	assert_int_equal(o.job, SENDMAIL_ALIASES);
	assert_true(OPTIONS("-bs"));
	assert_int_equal(o.job, SENDMAIL_TALK);
	assert_true(OPTIONS("-bv", "b@x"));
	assert_int_equal(o.job, SENDMAIL_VERIFY);
	assert_true(OPTIONS("-bm", "b@x"));
	assert_int_equal(o.job, SENDMAIL_SEND);
}

static void test_refused(void **state)
{
	assert_false(OPTIONS("-i"));
	assert_string_equal(cause(), "no recipient; -t takes them from To, Cc "
				     "and Bcc");
	assert_false(OPTIONS("-Z", "b@x"));
	assert_string_equal(cause(), "there is no option -Z");
	assert_false(OPTIONS("-f"));
	assert_string_equal(cause(), "-f needs a value");
	assert_false(OPTIONS("-N", "never\r\nRSET", "b@x"));
	assert_false(OPTIONS("-V", "a b", "b@x"));
	assert_false(OPTIONS("-bd"));
	assert_false(OPTIONS("-bv"));
	assert_false(OPTIONS("-bt", "b@x"));
}

/* ---- letters ---- */

static struct buf in, out;

static void finish(const char *text, bool dot_ends, bool without_bcc)
{
	const struct writer w = { S("bob@mx.example"), S("Bob \"B\" Roe"),
				  S("mx.example") };
	FILE *f = fmemopen((char *)text, strlen(text), "r");

	buf_clear(&in);
	buf_clear(&out);
	assert_true(letter_read(&in, f, dot_ends));
	fclose(f);
	letter_finish(&out, buf_str(&in), &w, without_bcc);
	buf_add_char(&out, 0);
}

#define FROM "From: \"Bob \\\"B\\\" Roe\" <bob@mx.example>\r\n"

static void expect(const char *text, const char *wanted)
{
	finish(text, false, true);
	assert_string_equal(out.p, wanted);
}

static void test_what_is_sent(void **state)
{
	expect("hello\n", FROM "\r\nhello\r\n");
	expect("hello", FROM "\r\nhello\r\n");
	expect("\nhello\n", FROM "\r\nhello\r\n");
	expect("Subject: x\n\nhello\n", FROM "Subject: x\r\n\r\nhello\r\n");
	expect("Subject: x\n", FROM "Subject: x\r\n\r\n");
	expect("Subject: x\nhello\n", FROM "Subject: x\r\n\r\nhello\r\n");
	expect("From: a@x\r\n\r\nhello\r\n", "From: a@x\r\n\r\nhello\r\n");
	expect("From a Mon Nov 30 00:00:00 2026\nFrom: a@x\n\n",
	       "From: a@x\r\n\r\n");
	expect("From: a@x\nBcc: c@x,\n d@x\nSubject: y\n\n",
	       "From: a@x\r\nSubject: y\r\n\r\n");
	expect("From: root (Cron Daemon)\nTo: root\n\n",
	       "From: root@mx.example (Cron Daemon)\r\n"
	       "To: root@mx.example\r\n\r\n");
	expect("From: \"root\" <root> (root)\n\n",
	       "From: \"root\" <root@mx.example> (root)\r\n\r\n");
	expect("From: \"R\" <root>\n\n",
	       "From: \"R\" <root@mx.example>\r\n\r\n");
	expect("From: a@x\nResent-To: b@x\n\n",
	       "Resent-From: \"Bob \\\"B\\\" Roe\" <bob@mx.example>\r\n"
	       "From: a@x\r\nResent-To: b@x\r\n\r\n");
	expect("", FROM "\r\n");
}

static void test_a_dot_alone(void **state)
{
	finish("From: a@x\n\none\n.\ntwo\n", true, false);
	assert_string_equal(out.p, "From: a@x\r\n\r\none\r\n");
	finish("From: a@x\n\none\n.\ntwo\n", false, false);
	assert_string_equal(out.p, "From: a@x\r\n\r\none\r\n.\r\ntwo\r\n");
	finish("From: a@x\n\none\n..\n.x\n", true, false);
	assert_string_equal(out.p, "From: a@x\r\n\r\none\r\n..\r\n.x\r\n");
	finish(".\n", true, false);
	assert_string_equal(out.p, FROM "\r\n");
}

/* Cut in two, its second half would become the body. */
static void test_a_header_too_long(void **state)
{
	enum { LINES = 20000 };
	struct buf text scoped(buf) = BUF_EMPTY;
	FILE *f;

	for (int i = 0; i < LINES; i++)
		buf_printf(&text,
			   "X-Field-%d: a line of some length, and then "
			   "some more, so that it comes to something\n",
			   i);
	f = fmemopen(text.p, text.n, "r");
	buf_clear(&in);
	assert_false(letter_read(&in, f, false));
	assert_non_null(strstr(cause(), "the header has more than"));
	fclose(f);
}

static void test_bcc_stays_without_t(void **state)
{
	finish("From: a@x\nBcc: c@x\n\n", false, false);
	assert_string_equal(out.p, "From: a@x\r\nBcc: c@x\r\n\r\n");
}

static void add(void *all, struct str address)
{
	buf_printf(all, "%.*s ", STR(address));
}

static void expect_recipients(const char *text, const char *wanted)
{
	struct arena *arena = arena_open();
	struct buf all scoped(buf) = BUF_EMPTY;

	letter_recipients(str_of(text), arena, add, &all);
	buf_add_char(&all, 0);
	assert_string_equal(all.p, wanted);
	arena_close(arena);
}

static void test_recipients(void **state)
{
	expect_recipients("To: a@x, B <b@x>\r\nCc: c@x\r\nBCC: d@x,\r\n e@x\r\n"
			  "Reply-To: f@x\r\n\r\nTo: g@x\r\n",
			  "a@x b@x c@x d@x e@x ");
	expect_recipients(
		"To: a@x\r\nResent-To: b@x\r\nResent-Bcc: c@x\r\n\r\n",
		"b@x c@x ");
	expect_recipients("Subject: none\r\n\r\n", "");
	expect_recipients("hello\r\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_callers),
		cmocka_unit_test(test_other_jobs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_what_is_sent),
		cmocka_unit_test(test_a_dot_alone),
		cmocka_unit_test(test_a_header_too_long),
		cmocka_unit_test(test_bcc_stays_without_t),
		cmocka_unit_test(test_recipients),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&in);
	buf_free(&out);
	return failed;
}
