/*
 * The senders of a benchmark: many SMTP sessions at once, one thread.
 *
 *	load [OPTION...] ADDRESS:PORT|SOCKET
 *
 *	--sessions N	at the same time (1)
 *	--messages N	in all (1000)
 *	--size N	bytes of one message (4096)
 *	--reuse		many messages over one connection
 *	--pipeline	MAIL, RCPT and DATA in one go
 *	--tls		STARTTLS, sessions resumed
 *	--lmtp		LHLO instead of EHLO
 *	--auth BASE64	AUTH PLAIN with this
 *	--from ADDRESS	sender (sender@origin.test)
 *	--domain D	recipients are {k}user@D (split.test)
 *	--users N	k is below N (100000), and strides all over
 *	--idle		only greet, then stay until killed
 *
 * Prints one JSON object: acked (messages that were answered 250), refused,
 * lost (connections that ended in the middle), when it began and ended
 * (nanoseconds of the monotonic clock), and the time from the end of the
 * content to the answer.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "connection.h"

enum { LINE_BYTES = 1024, READ_BYTES = 65536, EVENTS = 256, OPENING = 200 };

/* What the next reply answers. */
enum step {
	STEP_GREETING,
	STEP_EHLO,
	STEP_STARTTLS,
	STEP_AUTH,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_CONTENT,
	STEP_QUIT,
	STEP_IDLE,
};

struct session {
	struct connection c;
	enum step step;
	bool is_open;
	long number; /* of the message */
	uint64_t sent_ns;
	size_t line_bytes;
	char line[LINE_BYTES];
};

static struct {
	long sessions, messages, size, users;
	int reuse, pipeline, tls, lmtp, idle;
	const char *auth, *from, *domain;
} want = {
	.sessions = 1,
	.messages = 1000,
	.size = 4096,
	.users = 100000,
	.from = "sender@origin.test",
	.domain = "split.test",
};

static struct {
	long begun, acked, refused, lost, live, greeted;
	uint64_t *took_ns; /* of the acked */
} have;

static struct place place;
static SSL_CTX *tls;
static SSL_SESSION *resumable;
static char *body;
static size_t body_bytes;
static int epoll;

/* ---- talking ---- */

static void flush(struct session *s)
{
	connection_flush(&s->c, epoll, s);
}

static void session_open(struct session *s)
{
	int fd = socket(place.address.ss_family, SOCK_STREAM, 0);

	/* On loopback it is there at once. */
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&place.address, place.bytes) != 0)
		die("connect");
	connection_open(&s->c, fd, epoll, s);
	s->step = STEP_GREETING;
	s->line_bytes = 0;
	s->is_open = true;
	have.live++;
}

/* Another one instead, while there is something to send. */
static void session_end(struct session *s)
{
	connection_close(&s->c);
	s->is_open = false;
	have.live--;
	if (have.begun < want.messages && !want.idle)
		session_open(s);
}

/* A prime, so that neighbours in time are none in the directory, and all are
 * met before one is met again. */
static long user_of(long number)
{
	return number * 7919 % want.users;
}

static void say_rcpt(struct session *s)
{
	connection_sayf(&s->c, "RCPT TO:<%lduser@%s>\r\n", user_of(s->number),
			want.domain);
}

static void quit(struct session *s)
{
	connection_sayf(&s->c, "QUIT\r\n");
	s->step = STEP_QUIT;
	flush(s);
}

static void begin_message(struct session *s)
{
	if (have.begun >= want.messages) {
		quit(s);
		return;
	}
	s->number = have.begun++;
	s->step = STEP_MAIL;
	connection_sayf(&s->c, "MAIL FROM:<%s>\r\n", want.from);
	if (want.pipeline) {
		say_rcpt(s);
		connection_sayf(&s->c, "DATA\r\n");
	}
	flush(s);
}

static void say_content(struct session *s)
{
	connection_sayf(&s->c,
			"From: <%s>\r\nTo: <%lduser@%s>\r\n"
			"Date: Mon, 23 Nov 2026 01:34:02 +0000\r\n"
			"Message-ID: <%ld.%d@origin.test>\r\n",
			want.from, user_of(s->number), want.domain, s->number,
			(int)getpid());
	connection_say(&s->c, body, body_bytes);
	s->step = STEP_CONTENT;
	s->sent_ns = now_ns();
	flush(s);
}

static void say_hello(struct session *s)
{
	s->step = STEP_EHLO;
	connection_sayf(&s->c, "%s load.test\r\n", want.lmtp ? "LHLO" : "EHLO");
	flush(s);
}

static void begin_tls(struct session *s)
{
	SSL *ssl = SSL_new(tls);

	SSL_set_connect_state(ssl);
	if (resumable)
		SSL_set_session(ssl, resumable);
	connection_secure(&s->c, ssl);
	say_hello(s);
}

static void after_ehlo(struct session *s)
{
	if (want.tls && !s->c.ssl) {
		connection_sayf(&s->c, "STARTTLS\r\n");
		s->step = STEP_STARTTLS;
		flush(s);
	} else if (want.auth) {
		connection_sayf(&s->c, "AUTH PLAIN %s\r\n", want.auth);
		s->step = STEP_AUTH;
		flush(s);
	} else if (want.idle) {
		s->step = STEP_IDLE;
		have.greeted++;
	} else {
		begin_message(s);
	}
}

static void after_message(struct session *s)
{
	have.took_ns[have.acked++] = now_ns() - s->sent_ns;
	if (want.reuse)
		begin_message(s);
	else
		quit(s);
}

static void refused(struct session *s)
{
	if (have.refused++ < 3)
		fprintf(stderr, "load: refused: %s\n", s->line);
	quit(s);
}

static void next_command(struct session *s, enum step step, const char *word)
{
	s->step = step;
	if (want.pipeline)
		return;
	if (step == STEP_RCPT)
		say_rcpt(s);
	else
		connection_sayf(&s->c, "%s\r\n", word);
	flush(s);
}

/* A whole reply; its last line is in s->line. */
static void on_reply(struct session *s)
{
	if (s->step != STEP_QUIT && s->line[0] != '2' && s->line[0] != '3') {
		refused(s);
		return;
	}
	switch (s->step) {
	case STEP_GREETING:
		say_hello(s);
		break;
	case STEP_EHLO:
		after_ehlo(s);
		break;
	case STEP_STARTTLS:
		begin_tls(s);
		break;
	case STEP_AUTH:
		begin_message(s);
		break;
	case STEP_MAIL:
		next_command(s, STEP_RCPT, NULL);
		break;
	case STEP_RCPT:
		next_command(s, STEP_DATA, "DATA");
		break;
	case STEP_DATA:
		say_content(s);
		break;
	case STEP_CONTENT:
		after_message(s);
		break;
	case STEP_QUIT:
	case STEP_IDLE:
		break;
	}
}

/* ---- hearing ---- */

static void take(struct session *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n') {
			if (s->line_bytes < LINE_BYTES - 1)
				s->line[s->line_bytes++] = p[i];
			continue;
		}
		s->line[s->line_bytes] = '\0';
		if (s->line_bytes > 3 && s->line[3] != '-')
			on_reply(s);
		s->line_bytes = 0;
	}
}

static void hear(struct session *s)
{
	static char bytes[READ_BYTES];
	ptrdiff_t n;

	do {
		n = connection_read(&s->c, bytes, sizeof(bytes));
		if (n > 0)
			take(s, bytes, (size_t)n);
	} while (n > 0 && connection_holds(&s->c));
	if (n == 0)
		flush(s);
	if (n >= 0)
		return;
	if (s->step != STEP_QUIT && have.lost++ < 3)
		fprintf(stderr, "load: connection lost\n");
	session_end(s);
}

static void run(struct session *sessions)
{
	struct epoll_event events[EVENTS];
	long opened = 0;

	for (;;) {
		/* some at a time, or the server's backlog is what is measured */
		while (opened < want.sessions &&
		       (!want.idle || opened - have.greeted < OPENING))
			session_open(&sessions[opened++]);
		if (have.live == 0 || (want.idle && have.greeted == opened))
			return;
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			hear(events[i].data.ptr);
	}
}

/* ---- the whole ---- */

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION_free(resumable);
	resumable = session;
	return 1; /* it is ours now */
}

static void open_tls(void)
{
	tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(tls, keep_session);
}

/* The content behind the first lines: as many lines as make the size. */
static void fill_body(void)
{
	static const char end[] = ".\r\n";
	size_t lines = want.size > 400 ? (size_t)(want.size - 300) / 78 : 1;
	char *p;

	body_bytes = 22 + lines * 78 + 3;
	p = body = malloc(body_bytes + 1);
	if (!body)
		die("memory");
	p += snprintf(p, body_bytes + 1, "Subject: benchmark\r\n\r\n");
	for (size_t i = 0; i < lines; i++, p += 78) {
		memset(p, 'x', 76);
		memcpy(p + 76, "\r\n", 2);
	}
	memcpy(p, end, 3);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double took_ms(double part)
{
	size_t i = (size_t)((double)have.acked * part);

	return have.acked ? (double)have.took_ns[i] / 1e6 : 0;
}

static void parse(int n, char **argument)
{
	static const struct option options[] = {
		{ "sessions", required_argument, NULL, 's' },
		{ "messages", required_argument, NULL, 'm' },
		{ "size", required_argument, NULL, 'l' },
		{ "users", required_argument, NULL, 'n' },
		{ "auth", required_argument, NULL, 'a' },
		{ "from", required_argument, NULL, 'f' },
		{ "domain", required_argument, NULL, 'd' },
		{ "reuse", no_argument, &want.reuse, 1 },
		{ "pipeline", no_argument, &want.pipeline, 1 },
		{ "tls", no_argument, &want.tls, 1 },
		{ "lmtp", no_argument, &want.lmtp, 1 },
		{ "idle", no_argument, &want.idle, 1 },
		{ 0 },
	};
	long *const numbers[] = { ['s'] = &want.sessions,
				  ['m'] = &want.messages,
				  ['l'] = &want.size,
				  ['n'] = &want.users };
	const char **const words[] = {
		['a'] = &want.auth, ['f'] = &want.from, ['d'] = &want.domain
	};
	int o;

	while ((o = getopt_long(n, argument, "", options, NULL)) != -1) {
		if (o == '?')
			exit(2);
		if (o == 'a' || o == 'f' || o == 'd')
			*words[o] = optarg;
		else if (o != 0)
			*numbers[o] = strtol(optarg, NULL, 10);
	}
	if (optind + 1 != n) {
		fprintf(stderr, "usage: load [OPTION...] ADDRESS:PORT\n");
		exit(2);
	}
	place = place_parse(argument[optind]);
	if (want.sessions > want.messages && !want.idle)
		want.sessions = want.messages;
}

int main(int n, char **argument)
{
	struct session *sessions;
	uint64_t began_ns;

	parse(n, argument);
	sessions = calloc((size_t)want.sessions, sizeof(*sessions));
	have.took_ns = calloc((size_t)want.messages + 1, sizeof(uint64_t));
	if (!sessions || !have.took_ns)
		die("memory");
	if (want.tls)
		open_tls();
	fill_body();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	began_ns = now_ns();
	run(sessions);
	if (want.idle) {
		printf("{\"idle\": %ld}\n", have.greeted);
		fflush(stdout);
		pause();
	}
	qsort(have.took_ns, (size_t)have.acked, sizeof(uint64_t), by_size);
	printf("{\"acked\": %ld, \"refused\": %ld, \"lost\": %ld, "
	       "\"began_ns\": %llu, \"ended_ns\": %llu, "
	       "\"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
	       have.acked, have.refused, have.lost,
	       (unsigned long long)began_ns, (unsigned long long)now_ns(),
	       took_ms(0.5), took_ms(0.99));
	return 0;
}
