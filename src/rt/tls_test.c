/*
 * TLS on streams: the handshake, names, resumption, what was said before and
 * what comes after.
 */
#include "rt/tls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/loop.h"
#include "rt/stream.h"

static char folder[] = "/tmp/rt-tls-XXXXXX";
static char certificate[64], key[64];
static struct tls_context *server, *client, *strict;

static void expect(struct stream *s, const char *text)
{
	size_t n = strlen(text);

	while (stream_bytes(s).n < n)
		check(stream_fill(s, after_ms(3000)) == STREAM_MORE);
	check(memcmp(stream_bytes(s).p, text, n) == 0);
	stream_skip(s, n);
}

static void say(struct stream *s, const char *text)
{
	stream_say(s, str_of(text));
	check(stream_flush(s, after_ms(3000)));
}

/* ---- an encrypted echo ---- */

static void tls_echo(void *arg)
{
	struct stream *s = arg;

	if (stream_tls_accept(s, server, after_ms(3000)))
		while (stream_fill(s, after_ms(3000)) == STREAM_MORE) {
			stream_say(s, stream_bytes(s));
			stream_skip(s, stream_bytes(s).n);
			if (!stream_flush(s, after_ms(3000)))
				break;
		}
	stream_close(s);
}

static void connect_pair(struct stream *s[2])
{
	check(stream_pair(s));
	check(fiber_start("tls echo", tls_echo, s[1]));
}

static void run_echo(void *arg)
{
	struct stream *s[2];

	(void)arg;
	connect_pair(s);
	check(!stream_is_tls(s[0]));
	check(strcmp(stream_tls_version(s[0]), "") == 0);
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(3000)));
	check(stream_is_tls(s[0]));
	check(strcmp(stream_tls_version(s[0]), "TLSv1.3") == 0);
	check(strncmp(stream_tls_cipher(s[0]), "TLS_", 4) == 0);
	for (int i = 0; i < 50; i++) {
		say(s[0], "hello over TLS\r\n");
		expect(s[0], "hello over TLS\r\n");
	}
	stream_close(s[0]);
}

static void echo_over_tls(void **state)
{
	(void)state;
	loops_run(1, run_echo, NULL);
}

static void pour(void *arg)
{
	struct stream *s = arg;
	static char chunk[30000];

	memset(chunk, 'x', sizeof(chunk));
	check(stream_tls_accept(s, server, after_ms(3000)));
	for (int i = 0; i < 50; i++)
		stream_say(s, (struct str){ chunk, sizeof(chunk) });
	check(stream_flush(s, after_ms(10000)));
	stream_close(s);
}

static void run_pour(void *arg)
{
	struct stream *s[2];
	size_t seen = 0;

	(void)arg;
	check(stream_pair(s));
	check(fiber_start("pour", pour, s[1]));
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(3000)));
	fiber_sleep(after_ms(20));
	while (stream_fill(s[0], after_ms(3000)) == STREAM_MORE) {
		seen += stream_bytes(s[0]).n;
		stream_skip(s[0], stream_bytes(s[0]).n);
	}
	check(seen == 50 * 30000);
	stream_close(s[0]);
}

static void much_arrives_whole(void **state)
{
	(void)state;
	loops_run(1, run_pour, NULL);
}

/* ---- sessions are resumed ---- */

static bool resumed;

static bool connect_once(struct tls_context *t, const char *name)
{
	struct stream *s[2];
	bool ok;

	connect_pair(s);
	ok = stream_tls_connect(s[0], t, name, after_ms(3000));
	resumed = ok && stream_tls_resumed(s[0]);
	if (ok) {
		say(s[0], "x");
		expect(s[0], "x"); /* the ticket came before it */
		check(stream_is_quiet(s[0]));
	}
	stream_close(s[0]);
	return ok;
}

static void run_resume(void *arg)
{
	(void)arg;
	check(connect_once(client, "again.test") && !resumed);
	check(connect_once(client, "again.test") && resumed);
	check(connect_once(client, "again.test") && resumed);
	check(connect_once(client, "other.test") && !resumed);
}

static void sessions_are_resumed_by_name(void **state)
{
	struct tls_context *shared = client;

	(void)state;
	client = tls_client(TLS_ANY, NULL);
	loops_run(1, run_resume, NULL);
	tls_close(client);
	client = shared;
}

/* ---- verification ---- */

static void run_verify(void *arg)
{
	struct tls_context *system = tls_client(TLS_VERIFIED, NULL);

	(void)arg;
	check(system);
	check(!connect_once(system, "mx.test"));
	check(strstr(cause(), "self"));
	check(!connect_once(strict, "other.test"));
	check(strstr(cause(), "name mismatch"));
	check(connect_once(strict, "mx.test"));
	check(connect_once(strict, "mx.test"));
	fiber_sleep(after_ms(10));
	tls_close(system);
}

static void verified_means_chain_and_name(void **state)
{
	(void)state;
	loops_run(1, run_verify, NULL);
}

/* ---- before TLS ---- */

/* CVE-2011-0411: a command that came in clear with STARTTLS. */
static void starttls_server(void *arg)
{
	struct stream *s = arg;

	expect(s, "STARTTLS\r\n");
	while (stream_bytes(s).n < 6)
		check(stream_fill(s, after_ms(3000)) == STREAM_MORE);
	check(str_same(stream_bytes(s), S("EVIL\r\n")));
	say(s, "220 go\r\n");
	check(stream_tls_accept(s, server, after_ms(3000)));
	check(stream_bytes(s).n == 0);
	expect(s, "NOOP\r\n");
	check(stream_bytes(s).n == 0);
	say(s, "250\r\n");
	stream_close(s);
}

static void run_injection(void *arg)
{
	struct stream *s[2];

	(void)arg;
	check(stream_pair(s));
	check(fiber_start("server", starttls_server, s[1]));
	say(s[0], "STARTTLS\r\nEVIL\r\n");
	expect(s[0], "220 go\r\n");
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(3000)));
	say(s[0], "NOOP\r\n");
	expect(s[0], "250\r\n");
	check(stream_fill(s[0], after_ms(3000)) == STREAM_END);
	stream_close(s[0]);
}

static void clear_text_before_tls_is_forgotten(void **state)
{
	(void)state;
	loops_run(1, run_injection, NULL);
}

/* ---- after TLS, and garbage: a proxy that can say what it likes ---- */

/* Two streams, and the proxy's own end of each. */
struct middle {
	struct stream *to_client, *to_server;
};

static void carry(struct stream *from, struct stream *to)
{
	while (stream_fill(from, after_ms(3000)) == STREAM_MORE) {
		stream_say(to, stream_bytes(from));
		stream_skip(from, stream_bytes(from).n);
		if (!stream_flush(to, after_ms(3000)))
			break;
	}
}

static void to_server(void *arg)
{
	struct middle *m = arg;

	carry(m->to_client, m->to_server);
}

static void to_client(void *arg)
{
	struct middle *m = arg;

	carry(m->to_server, m->to_client);
}

static void middle_open(struct middle *m, struct stream *ends[2])
{
	struct stream *a[2], *b[2];

	check(stream_pair(a) && stream_pair(b));
	*m = (struct middle){ a[1], b[0] };
	ends[0] = a[0];
	ends[1] = b[1];
	check(fiber_start("to server", to_server, m));
	check(fiber_start("to client", to_client, m));
}

struct ending {
	struct stream *s;
	enum stream_state state;
	bool over;
};

static void end_server(void *arg)
{
	struct ending *e = arg;

	check(stream_tls_accept(e->s, server, after_ms(3000)));
	expect(e->s, "MAIL\r\n");
	e->state = stream_fill(e->s, after_ms(3000));
	check(stream_bytes(e->s).n == 0);
	/* Whatever is said in clear meanwhile is never read. */
	fiber_sleep(after_ms(60));
	check(stream_fill(e->s, after_ms(100)) != STREAM_MORE);
	check(stream_bytes(e->s).n == 0);
	stream_close(e->s);
	e->over = true;
}

static void after_tls(bool orderly)
{
	struct middle m;
	struct stream *ends[2];
	struct ending e;

	middle_open(&m, ends);
	e = (struct ending){ .s = ends[1] };
	check(fiber_start("server", end_server, &e));
	check(stream_tls_connect(ends[0], client, "mx.test", after_ms(3000)));
	say(ends[0], "MAIL\r\n");
	fiber_sleep(after_ms(20));
	if (orderly) {
		stream_close(ends[0]); /* close_notify */
		ends[0] = NULL;
		fiber_sleep(after_ms(20));
	}
	say(m.to_server, "RCPT in clear\r\n");
	while (!e.over)
		fiber_sleep(after_ms(5));
	check(e.state != STREAM_MORE);
	if (orderly)
		check(e.state == STREAM_END);
	stream_close(ends[0]);
	fiber_sleep(after_ms(20));
	stream_close(m.to_server);
	stream_close(m.to_client);
}

static void run_after(void *arg)
{
	(void)arg;
	after_tls(true);
	after_tls(false);
}

static void clear_text_after_tls_is_not_read(void **state)
{
	(void)state;
	loops_run(1, run_after, NULL);
}

/* The connection is cut without a close_notify. */
static void cut_server(void *arg)
{
	struct ending *e = arg;

	check(stream_tls_accept(e->s, server, after_ms(3000)));
	expect(e->s, "half a li");
	e->state = stream_fill(e->s, after_ms(3000));
	stream_close(e->s);
	e->over = true;
}

static void run_truncation(void *arg)
{
	struct stream *s[2];
	struct ending e;

	(void)arg;
	check(stream_pair(s));
	e = (struct ending){ .s = s[1] };
	check(fiber_start("server", cut_server, &e));
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(3000)));
	say(s[0], "half a li");
	stream_reset(s[0]); /* says no goodbye */
	while (!e.over)
		fiber_sleep(after_ms(5));
	check(e.state == STREAM_END || e.state == STREAM_BROKEN);
}

static void truncation_is_the_end(void **state)
{
	(void)state;
	loops_run(1, run_truncation, NULL);
}

static void accept_garbage(void *arg)
{
	struct stream *s = arg;

	check(!stream_tls_accept(s, server, after_ms(3000)));
	check(strstr(cause(), "TLS handshake"));
	check(stream_fill(s, after_ms(100)) == STREAM_BROKEN);
	check(!stream_flush(s, after_ms(100)));
	stream_close(s);
}

static void accept_silence(void *arg)
{
	struct stream *s = arg;

	check(!stream_tls_accept(s, server, after_ms(50)));
	check(strcmp(cause(), "timed out") == 0);
	stream_close(s);
}

static void run_garbage(void *arg)
{
	struct stream *s[2];

	(void)arg;
	check(stream_pair(s));
	check(fiber_start("garbage", accept_garbage, s[1]));
	say(s[0], "EHLO this is no TLS\r\n");
	fiber_sleep(after_ms(20));
	stream_close(s[0]);
	check(stream_pair(s));
	check(fiber_start("silence", accept_silence, s[1]));
	fiber_sleep(after_ms(80));
	stream_close(s[0]);
}

static void garbage_and_silence_fail(void **state)
{
	(void)state;
	loops_run(1, run_garbage, NULL);
}

/* ---- certificates ---- */

static void key_is_its_owners(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(tls_self_signed("mx.test", "/nonexistent/c", key));
	assert_false(tls_self_signed("a,DNS:b", certificate, key));
}

static void replace(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void bad_file_leaves_the_old_in_force(void **state)
{
	(void)state;
	assert_true(tls_server_reload(server));
	replace(certificate, "no certificate\n");
	assert_false(tls_server_reload(server));
	assert_non_null(strstr(cause(), certificate));
	loops_run(1, run_echo, NULL);
	assert_null(tls_server(certificate, key));
	assert_true(tls_self_signed("mx.test", certificate, key));
	assert_true(tls_server_reload(server));
	loops_run(1, run_echo, NULL);
	assert_null(tls_server("/nonexistent", key));
	assert_null(tls_client(TLS_VERIFIED, "/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_over_tls),
		cmocka_unit_test(much_arrives_whole),
		cmocka_unit_test(sessions_are_resumed_by_name),
		cmocka_unit_test(verified_means_chain_and_name),
		cmocka_unit_test(clear_text_before_tls_is_forgotten),
		cmocka_unit_test(clear_text_after_tls_is_not_read),
		cmocka_unit_test(truncation_is_the_end),
		cmocka_unit_test(garbage_and_silence_fail),
		cmocka_unit_test(key_is_its_owners),
		cmocka_unit_test(bad_file_leaves_the_old_in_force),
	};
	int failed;

	check(mkdtemp(folder));
	snprintf(certificate, sizeof(certificate), "%s/cert.pem", folder);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	check(tls_self_signed("mx.test", certificate, key));
	server = tls_server(certificate, key);
	client = tls_client(TLS_ANY, NULL);
	strict = tls_client(TLS_VERIFIED, certificate);
	check(server && client && strict);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	tls_close(server);
	tls_close(client);
	tls_close(strict);
	unlink(certificate);
	unlink(key);
	rmdir(folder);
	return failed;
}
