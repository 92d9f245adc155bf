/*
 * TLS on streams: what was said before and what comes after.
 */
#include "rt/tls_test.h"

#include "base/buf.h"

/* ---- before TLS ---- */

/* CVE-2011-0411: a command that came in clear with STARTTLS. */
static void starttls_server(void *arg)
{
	struct stream *s = arg;

	expect(s, "STARTTLS\r\n");
	while (stream_bytes(s).n < 6)
		check(stream_fill(s, after_ms(60000)) == STREAM_MORE);
	check(str_same(stream_bytes(s), S("EVIL\r\n")));
	say(s, "220 go\r\n");
	check(stream_tls_accept(s, server, after_ms(60000)));
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
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(60000)));
	say(s[0], "NOOP\r\n");
	expect(s[0], "250\r\n");
	check(stream_fill(s[0], after_ms(60000)) == STREAM_END);
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
	while (stream_fill(from, after_ms(60000)) == STREAM_MORE) {
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
	bool has_mail, has_end; /* of what TLS carries */
	bool over;
};

static void end_server(void *arg)
{
	struct ending *e = arg;

	check(stream_tls_accept(e->s, server, after_ms(60000)));
	expect(e->s, "MAIL\r\n");
	e->has_mail = true;
	e->state = stream_fill(e->s, after_ms(60000));
	e->has_end = true;
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
	check(stream_tls_connect(ends[0], client, "mx.test", after_ms(60000)));
	say(ends[0], "MAIL\r\n");
	while (!e.has_mail)
		fiber_sleep(after_ms(5));
	if (orderly) {
		stream_close(ends[0]); /* close_notify */
		ends[0] = NULL;
		while (!e.has_end)
			fiber_sleep(after_ms(5));
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

	check(stream_tls_accept(e->s, server, after_ms(60000)));
	expect(e->s, "half a li");
	e->state = stream_fill(e->s, after_ms(60000));
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
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(60000)));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clear_text_before_tls_is_forgotten),
		cmocka_unit_test(clear_text_after_tls_is_not_read),
		cmocka_unit_test(truncation_is_the_end),
		cmocka_unit_test(garbage_and_silence_fail),
	};

	return cmocka_run_group_tests(tests, test_keys_make, test_keys_remove);
}
