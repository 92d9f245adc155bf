/* Log lines, as they reach stderr, and what makes peers' bytes harmless. */
#include "rt/log.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
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

/* What systemd says of the descriptor that it gave as stderr. */
static void say_stderr_is_journal(void)
{
	char said[64];
	struct stat st;

	check(fstat(STDERR_FILENO, &st) == 0);
	snprintf(said, sizeof(said), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", said, 1);
}

/* Where the journal has a socket test/scenario/test_log_readers.py sees to it. */
static void journal_without_a_socket_gets_priorities(void **state)
{
	(void)state;
	if (access("/run/systemd/journal/socket", F_OK) == 0 ||
	    access("/dev/log", F_OK) == 0)
		skip();
	capture();
	say_stderr_is_journal();
	log_open("mx.test");
	log_fact("smtpd", "fact");
	log_error("smtpd", "bad");
	log_pass("dovecot",
		 S("Nov  3 01:34:02 imap-login: Info: Login: user=<a>"));
	log_pass("dovecot", S("Nov 23 01:34:02 auth: Error: no"));
	log_pass("dovecot", S("doveconf: Fatal: Error: in line 3"));
	log_pass("dovecot", S("Fatal: open"));
	log_pass("dovecot", S("Nov 23 01:34:02"));
	log_pass("dovecot", S(""));
	assert_matches(captured(),
		       "^<6>splitmail/smtpd\\[[0-9]+\\]: fact\n"
		       "<3>splitmail/smtpd\\[[0-9]+\\]: error: bad\n"
		       "<6>dovecot: imap-login: Login: user=<a>\n"
		       "<3>dovecot: auth: Error: no\n"
		       "<2>dovecot: doveconf: Fatal: Error: in line 3\n"
		       "<2>dovecot: Fatal: open\n"
		       "<6>dovecot: Nov 23 01:34:02\n"
		       "<6>dovecot: \n$");
	unsetenv("JOURNAL_STREAM");
	log_open("mx.test");
}

/* Started by what systemd had started, and its stderr is another's. */
static void a_stream_of_another_is_no_journal(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_open("mx.test");
	capture();
	log_fact("smtpd", "fact");
	assert_matches(captured(), "^[A-Z][a-z]{2} .* mx.test splitmail/smtpd");
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

static void direction_is_not_turned(void **state)
{
	struct arena *a = arena_open();

	(void)state;
	assert_string_equal(log_safe(a,
				     S("a\xe2\x80\xae"
				       "b"),
				     100),
			    "a\\xE2\\x80\\xAEb");
	assert_string_equal(log_safe(a, S("\xe2\x81\xa6\xd8\x9c"), 100),
			    "\\xE2\\x81\\xA6\\xD8\\x9C");
	assert_string_equal(log_safe(a, S("\xe2\x80\xa8\xe2\x80\x8f"), 100),
			    "\\xE2\\x80\\xA8\\xE2\\x80\\x8F");
	/* a dash, a bullet, Arabic letters */
	assert_string_equal(
		log_safe(a, S("\xe2\x80\x93\xe2\x81\x83\xd8\xb4"), 100),
		"\xe2\x80\x93\xe2\x81\x83\xd8\xb4");
	arena_close(a);
}

/* What another program wrote, and what a caller forgot, is no worse. */
static void lines_of_others_are_harmless(void **state)
{
	const char *got;

	(void)state;
	capture();
	log_pass("dovecot", S("user <\xc2\x9b"
			      "2J\xe2\x80\xae\xe2\x80\x8b\xc3\xbc>\033\xff"));
	log_fact("test", "%s",
		 "a\xe2\x81\xa7"
		 "b");
	got = captured();
	assert_non_null(strstr(got, "user <??2J??????\xc3\xbc>??\n"));
	assert_non_null(strstr(got, ": a???b\n"));
}

static void what_is_not_seen_is_shown(void **state)
{
	struct arena *a = arena_open();

	(void)state;
	assert_string_equal(log_safe(a, S("a\xc2\xad\xef\xbb\xbf"), 100),
			    "a\\xC2\\xAD\\xEF\\xBB\\xBF");
	assert_string_equal(log_safe(a, S("\xe2\x80\x8b\xcd\x8f"), 100),
			    "\\xE2\\x80\\x8B\\xCD\\x8F");
	assert_string_equal(log_safe(a, S("\xf3\xa0\x81\xa1"), 100),
			    "\\xF3\\xA0\\x81\\xA1"); /* a tag */
	assert_string_equal(log_safe(a, S("\xf0\x9f\x98\x80"), 100),
			    "\xf0\x9f\x98\x80");
	arena_close(a);
}

/* ---- readers that are slow, or stop ---- */

/* A child whose stderr is a small pipe; PARENT gets its other end. */
static pid_t child_with_pipe(int *fd, void (*main)(void))
{
	int ends[2];
	pid_t pid;

	check(pipe2(ends, O_CLOEXEC) == 0);
	check(fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		main();
		_exit(0);
	}
	close(ends[1]);
	*fd = ends[0];
	return pid;
}

static void read_all(int fd, struct buf *to)
{
	char piece[1000];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_add(to, (struct str){ piece, (size_t)n });
	close(fd);
	buf_add_char(to, '\0');
}

static void say(int from, int to)
{
	for (int i = from; i < to; i++)
		log_fact("test", "number %d.", i);
}

/* Behind WORD in the line of N bytes; -1: it is not there. */
static long number_behind(const char *line, size_t n, const char *word)
{
	const char *at = memmem(line, n, word, strlen(word));

	return at ? strtol(at + strlen(word), NULL, 10) : -1;
}

/* Numbers that were said, in order; *LOST: those said to be lost. */
static int count_numbers(const char *text, long *lost)
{
	const char *end;
	long last = -1, number;
	int n = 0;

	*lost = 0;
	for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		size_t length = (size_t)(end - text);

		number = number_behind(text, length, "warning: ");
		*lost += number > 0 ? number : 0;
		number = number_behind(text, length, "number ");
		if (number < 0)
			continue;
		check(number > last);
		last = number;
		n++;
	}
	return n;
}

enum { MANY = 60000 };

static int go_on[2];

/* Far more than pipe and ring hold; then the reader wakes up. */
static void talk_to_nobody(void)
{
	char c;

	log_start();
	say(0, MANY);
	check(write(go_on[1], "x", 1) == 1 && read(go_on[1], &c, 1) == 1);
	say(MANY, MANY + 1);
	log_end();
}

static void a_reader_that_stops_stops_nobody(void **state)
{
	struct buf said scoped(buf) = BUF_EMPTY;
	int fd, status, n;
	long lost;
	pid_t pid;
	char c;

	(void)state;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, go_on) == 0);
	pid = child_with_pipe(&fd, talk_to_nobody);
	assert_int_equal(read(go_on[0], &c, 1), 1); /* it was not stopped */
	check(write(go_on[0], "x", 1) == 1);
	read_all(fd, &said);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	n = count_numbers(said.p, &lost);
	assert_true(lost > 0);
	assert_int_equal(n + lost, MANY + 1);
	close(go_on[0]);
	close(go_on[1]);
}

static void talk_and_end(void)
{
	log_start();
	say(0, 5000);
	log_end();
}

static void talk_and_crash(void)
{
	log_start();
	say(0, 5000);
	abort();
}

static void talk_in_a_turn(void *arg)
{
	say(0, 50); /* gathered, not given out yet */
	abort();
}

static void crash_in_a_turn(void)
{
	log_start();
	loops_run(1, talk_in_a_turn, NULL);
}

static void assert_all_is_said(void (*main)(void), int most, int by_signal)
{
	struct buf said scoped(buf) = BUF_EMPTY;
	int fd, status;
	long lost;
	pid_t pid = child_with_pipe(&fd, main);

	read_all(fd, &said);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(count_numbers(said.p, &lost), most);
	assert_int_equal(lost, 0);
	assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, by_signal);
}

static void the_last_lines_get_out(void **state)
{
	(void)state;
	assert_all_is_said(talk_and_end, 5000, 0);
	assert_all_is_said(talk_and_crash, 5000, SIGABRT);
	assert_all_is_said(crash_in_a_turn, 50, SIGABRT);
}

/* An end, and a crash, do not wait for ever for who does not read. */
static void nobody_is_waited_for(void **state)
{
	void (*mains[])(void) = { talk_and_end, talk_and_crash };
	int fd, status;

	(void)state;
	for (size_t i = 0; i < array_size(mains); i++) {
		pid_t pid = child_with_pipe(&fd, mains[i]);

		assert_int_equal(waitpid(pid, &status, 0), pid);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shaped_like_postfix),
		cmocka_unit_test(journal_without_a_socket_gets_priorities),
		cmocka_unit_test(a_stream_of_another_is_no_journal),
		cmocka_unit_test(one_call_is_one_line),
		cmocka_unit_test(turn_is_written_together),
		cmocka_unit_test(peers_bytes_are_harmless),
		cmocka_unit_test(direction_is_not_turned),
		cmocka_unit_test(lines_of_others_are_harmless),
		cmocka_unit_test(what_is_not_seen_is_shown),
		cmocka_unit_test(a_reader_that_stops_stops_nobody),
		cmocka_unit_test(the_last_lines_get_out),
		cmocka_unit_test(nobody_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
