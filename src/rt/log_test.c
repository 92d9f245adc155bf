/* Log lines, as they reach stderr, and what makes peers' bytes harmless. */
#include "rt/log.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/loop.h"

static char lines[65536];
static int saved;

static void capture(void)
{
	char name[] = "/tmp/rt-log-XXXXXX";
	int fd = mkstemp(name);

	check(fd >= 0);
	unlink(name);
	saved = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static const char *captured(void)
{
	ssize_t n = pread(STDERR_FILENO, lines, sizeof(lines) - 1, 0);

	check(n >= 0);
	lines[n] = '\0';
	dup2(saved, STDERR_FILENO);
	close(saved);
	return lines;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t r;

	check(regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB) == 0);
	if (regexec(&r, text, 0, NULL, 0) != 0)
		fail_msg("%s does not match %s", text, pattern);
	regfree(&r);
}

static void shaped_like_postfix(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("mx.test");
	capture();
	log_fact("smtpd", "%s: client=%s", "4f2a9", "[192.0.2.1]");
	log_warn("queue", "slow");
	assert_matches(captured(),
	               "^[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} mx.test "
	               "splitmail/smtpd\\[[0-9]+\\]: 4f2a9: "
	               "client=\\[192.0.2.1\\]\n"
	               ".*splitmail/queue\\[[0-9]+\\]: warning: slow\n$");
}

static void journal_gets_priorities(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_open("mx.test");
	capture();
	log_fact("smtpd", "fact");
	log_error("smtpd", "bad");
	assert_matches(captured(),
	               "^<6>splitmail/smtpd\\[[0-9]+\\]: fact\n"
	               "<3>splitmail/smtpd\\[[0-9]+\\]: error: bad\n$");
	unsetenv("JOURNAL_STREAM");
	log_open("mx.test");
}

static void one_call_is_one_line(void **state)
{
	char long_text[9000];
	const char *got, *end;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	capture();
	log_fact("smtpd", "a\nb\rc\033[31m\x7f");
	log_fact("smtpd", "%s", long_text);
	got = captured();
	assert_non_null(strstr(got, ": a?b?c?[31m?\n"));
	end = strchr(strchr(got, '\n') + 1, '\n');
	assert_string_equal(end, "\n");
	assert_true(strlen(got) < 4400);
}

static void talk_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++)
		log_fact("test", "number %d %0100d", i, 0);
}

static void turn_is_written_together(void **state)
{
	const char *at;
	int n = 0;

	(void)state;
	capture();
	loops_run(1, talk_much, NULL);
	for (at = captured(); (at = strchr(at, '\n')) != NULL; at++)
		n++;
	assert_int_equal(n, 300);
}

static void peers_bytes_are_harmless(void **state)
{
	struct arena *a = arena_open();

	(void)state;
	assert_string_equal(log_safe(a, S("plain <a@b>"), 100), "plain <a@b>");
	assert_string_equal(log_safe(a, S("a\r\nb\0c\033"), 100),
	                    "a\\x0D\\x0Ab\\x00c\\x1B");
	assert_string_equal(log_safe(a, S("b\xc3\xbc\xff\xc3"), 100),
	                    "b\xc3\xbc\\xFF\\xC3");
	assert_string_equal(log_safe(a, S("\\x0A"), 100), "\\x5Cx0A");
	/* overlong, surrogate, C1 control, beyond Unicode */
	assert_string_equal(log_safe(a, S("\xc0\xaf"), 100), "\\xC0\\xAF");
	assert_string_equal(log_safe(a, S("\xed\xa0\x80"), 100),
	                    "\\xED\\xA0\\x80");
	assert_string_equal(log_safe(a, S("\xc2\x9b"), 100), "\\xC2\\x9B");
	assert_string_equal(log_safe(a, S("\xf4\x90\x80\x80"), 100),
	                    "\\xF4\\x90\\x80\\x80");
	/* cut between characters, never inside one */
	assert_string_equal(log_safe(a, S("abc\xc3\xbc"), 4), "abc");
	assert_string_equal(log_safe(a, S("abc\n"), 5), "abc");
	assert_string_equal(log_safe(a, STR_NONE, 5), "");
	arena_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shaped_like_postfix),
		cmocka_unit_test(journal_gets_priorities),
		cmocka_unit_test(one_call_is_one_line),
		cmocka_unit_test(turn_is_written_together),
		cmocka_unit_test(peers_bytes_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
