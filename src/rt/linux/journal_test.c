/* Entries of the journal and lines of syslog, as their sockets get them. */
#include "rt/linux/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/test.h"

static char folder[] = "/tmp/splitmail-journal-XXXXXX";

static const char *entry(const char *line)
{
	static char text[JOURNAL_ENTRY_BYTES + 1];
	size_t n = journal_entry(text, str_of(line));

	text[n] = '\0';
	return text;
}

#define HEAD(n, name) \
	"PRIORITY=" #n "\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=" name \
	"\nSYSLOG_PID=47\n"

static void a_fact_has_its_fields(void **state)
{
	assert_string_equal(
		entry("<6>splitmail/smtps/smtpd[47]: connect from [::1]"),
		HEAD(6, "splitmail/smtps/smtpd") "MESSAGE=connect from "
						 "[::1]\n");
	assert_string_equal(
		entry("<6>splitmail/smtp[47]: 2m4kd0000001: to=<b@own.test>, "
		      "relay=mx.test[192.0.2.1]:25, delay=0.10, dsn=2.0.0, "
		      "status=sent (250 to=<c>, relay=x, status=y)"),
		HEAD(6,
		     "splitmail/smtp") "MESSAGE=2m4kd0000001: to=<b@own.test>, "
				       "relay=mx.test[192.0.2.1]:25, delay=0.10, dsn=2.0.0, "
				       "status=sent (250 to=<c>, relay=x, status=y)\n"
				       "QUEUE_ID=2m4kd0000001\nRECIPIENT=b@own.test\n"
				       "SYSTEM=mx.test[192.0.2.1]:25\nSTATUS=sent\n");
	assert_string_equal(
		entry("<6>splitmail/qmgr[47]: 2m4kd0000001: from=<>, size=3, "
		      "nrcpt=1 (queue active)"),
		HEAD(6,
		     "splitmail/qmgr") "MESSAGE=2m4kd0000001: from=<>, size=3, nrcpt=1 (queue "
				       "active)\nQUEUE_ID=2m4kd0000001\n");
	assert_string_equal(
		entry("<3>splitmail/qmgr[47]: error: 2m4kd0000001: cannot"),
		HEAD(3,
		     "splitmail/qmgr") "MESSAGE=error: 2m4kd0000001: cannot\n"
				       "QUEUE_ID=2m4kd0000001\n");
}

/* A peer chooses the address; what stands behind it is ours. */
static void an_address_says_nothing_else(void **state)
{
	static const char *const addresses[] = {
		"\"x>, relay=evil, status=sent \"@own.test",
		"\"x\\x5C\">, relay=evil, status=sent \"@own.test",
		"\"x\\x5C\\x5C\"@own.test",
		"\"a, b\"@own.test",
	};
	char line[500], wanted[500];

	for (size_t i = 0; i < array_size(addresses); i++) {
		snprintf(line, sizeof(line),
			 "<6>splitmail/smtp[47]: 2m4kd0000001: to=<%s>, "
			 "relay=mx.test, status=deferred (no)",
			 addresses[i]);
		snprintf(wanted, sizeof(wanted),
			 "QUEUE_ID=2m4kd0000001\nRECIPIENT=%s\n"
			 "SYSTEM=mx.test\nSTATUS=deferred\n",
			 addresses[i]);
		assert_string_equal(strstr(entry(line), "QUEUE_ID="), wanted);
	}
	assert_non_null(strstr(entry("<6>splitmail/smtp[47]: 2m4kd0000001: "
				     "to=<\"never ends, status=sent"),
			       "QUEUE_ID=2m4kd0000001\n"));
	assert_null(strstr(entry("<6>splitmail/smtp[47]: 2m4kd0000001: "
				 "to=<\"never ends, status=sent"),
			   "STATUS="));
}

/* "warning", "NOQUEUE" and what looks like one. */
static void other_lines_have_no_fields(void **state)
{
	static const char *const lines[] = {
		"<4>splitmail/smtpd[47]: warning: unknown[::1]: SASL PLAIN",
		"<6>splitmail/smtpd[47]: NOQUEUE: reject: RCPT from x: 550 "
		"2m4kd0000001: to=<x>",
		"<6>splitmail/engine[47]: 2m4kd00000012: status=x",
		"<6>splitmail/engine[47]: 2M4KD0000001: status=x",
		"<6>splitmail/engine[47]: counters: a=1",
		"<6>dovecot: imap-login: Login: user=<a>, method=PLAIN",
	};

	for (size_t i = 0; i < array_size(lines); i++) {
		assert_null(strstr(entry(lines[i]), "QUEUE_ID="));
		assert_null(strstr(entry(lines[i]), "\nSTATUS="));
		assert_null(strstr(entry(lines[i]), "\nRECIPIENT="));
	}
	assert_string_equal(entry(lines[5]),
			    "PRIORITY=6\nSYSLOG_FACILITY=2\n"
			    "SYSLOG_IDENTIFIER=dovecot\nMESSAGE=imap-login: "
			    "Login: user=<a>, method=PLAIN\n");
	assert_string_equal(entry("no head at all"),
			    "PRIORITY=6\nSYSLOG_FACILITY=2\n"
			    "MESSAGE=no head at all\n");
	assert_string_equal(entry(""), "PRIORITY=6\nSYSLOG_FACILITY=2\n");
}

static void the_longest_line_fits(void **state)
{
	char line[4096];
	const char *got;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "<6>splitmail/smtp[47]: 2m4kd0000001: to=<", 41);
	memcpy(line + 4000, ">, relay=y,", 11);
	got = entry(line);
	assert_non_null(strstr(got, "\nSYSTEM=y\n"));
	assert_true(strlen(strstr(got, "MESSAGE=")) > 4000);
}

/* ---- sockets ---- */

static const char *path_of(const char *name)
{
	static char paths[2][128];
	static int next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int reader(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlink(path);
	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static const char *heard(int fd)
{
	static char text[JOURNAL_ENTRY_BYTES + 1];
	ssize_t n = recv(fd, text, JOURNAL_ENTRY_BYTES, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void syslog_gets_lines_where_there_is_no_journal(void **state)
{
	const char *path = path_of("log");
	int fd = reader(path);
	struct journal j;
	const char *got;

	assert_true(journal_open(&j, "/nowhere/at/all", path));
	assert_true(
		journal_send(&j, S("<4>splitmail/smtpd[47]: warning: x"), 0));
	got = heard(fd);
	assert_memory_equal(got, "<20>", 4);
	assert_string_equal(got + 4 + strlen("Nov 23 01:34:02"),
			    " splitmail/smtpd[47]: warning: x");
	assert_true(journal_send(&j, S("<6>dovecot: auth: y"), 0));
	got = heard(fd);
	assert_memory_equal(got, "<22>", 4);
	assert_string_equal(got + 4 + strlen("Nov 23 01:34:02"),
			    " dovecot: auth: y");
	journal_close(&j);
	close(fd);
	unlink(path);
}

/* Its socket is another one then; one that is not read says so. */
static void a_journal_that_starts_anew_is_found(void **state)
{
	const char *path = path_of("socket");
	int fd = reader(path);
	struct journal j;
	struct str line = S("<6>splitmail/smtpd[47]: x");
	int sent = 0;

	assert_true(journal_open(&j, path, "/nowhere/at/all"));
	assert_true(journal_send(&j, line, 0));
	assert_non_null(strstr(heard(fd), "MESSAGE=x\n"));
	close(fd);
	assert_false(journal_send(&j, line, 0));
	fd = reader(path);
	assert_true(j.fd < 0 || journal_send(&j, line, 0));
	assert_true(journal_open(&j, path, "/nowhere/at/all"));
	close(fd);
	fd = reader(path);
	assert_true(journal_send(&j, line, 0));
	assert_non_null(strstr(heard(fd), "MESSAGE=x\n"));

	while (journal_send(&j, line, 0) && sent < 100000)
		sent++;
	assert_true(sent > 0 && sent < 100000);
	assert_non_null(strstr(heard(fd), "MESSAGE=x\n"));
	assert_true(journal_send(&j, line, 1000));
	journal_close(&j);
	close(fd);
	unlink(path);
}

static void nobody_there_is_said(void **state)
{
	struct journal j;

	assert_false(journal_open(&j, "/nowhere/a", "/nowhere/b"));
	assert_int_equal(j.fd, -1);
	journal_close(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fact_has_its_fields),
		cmocka_unit_test(an_address_says_nothing_else),
		cmocka_unit_test(other_lines_have_no_fields),
		cmocka_unit_test(the_longest_line_fits),
		cmocka_unit_test(syslog_gets_lines_where_there_is_no_journal),
		cmocka_unit_test(a_journal_that_starts_anew_is_found),
		cmocka_unit_test(nobody_there_is_said),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
