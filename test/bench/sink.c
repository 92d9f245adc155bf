/*
 * The next system of a benchmark: takes every mail, counts it, forgets it.
 *
 *	sink COUNTERS [--tls CERTIFICATE KEY] ADDRESS:PORT...
 *
 * COUNTERS is a file of five 64-bit numbers that others may map: messages,
 * bytes, connections, recipients asked for, and when the last message was
 * complete (nanoseconds of the monotonic clock).  It has its length once the
 * sink listens.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "connection.h"

enum { LINE_BYTES = 1024, READ_BYTES = 262144, EVENTS = 256 };

enum content {
	CONTENT_NONE,  /* commands */
	CONTENT_DATA,  /* up to CRLF.CRLF */
	CONTENT_CHUNK, /* so many bytes */
};

struct counters {
	uint64_t messages, bytes, connections, recipients, last_ns;
};

struct visit {
	struct connection c;
	bool is_listener, is_over;
	enum content content;
	size_t matched; /* of the end of DATA */
	uint64_t chunk_left;
	bool chunk_is_last;
	size_t line_bytes;
	char line[LINE_BYTES];
};

static volatile struct counters *counters;
static SSL_CTX *tls;
static int epoll;

static void say(struct visit *v, const char *text)
{
	connection_say(&v->c, text, strlen(text));
}

static void complete(struct visit *v)
{
	counters->messages++;
	counters->last_ns = now_ns();
	v->content = CONTENT_NONE;
	say(v, "250 2.0.0 taken\r\n");
}

static void on_chunk(struct visit *v, const char *arguments)
{
	char *end;

	v->chunk_left = strtoull(arguments, &end, 10);
	v->chunk_is_last = strncasecmp(end, " LAST", 5) == 0;
	v->content = CONTENT_CHUNK;
}

static void on_starttls(struct visit *v)
{
	SSL *ssl = SSL_new(tls);

	say(v, "220 go\r\n");
	connection_flush(&v->c, epoll, v);
	SSL_set_accept_state(ssl);
	connection_secure(&v->c, ssl);
}

static bool is_verb(const char *line, const char *verb)
{
	return strncasecmp(line, verb, 4) == 0;
}

static void on_command(struct visit *v, const char *line)
{
	if (is_verb(line, "EHLO")) {
		say(v, "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
		       "250-CHUNKING\r\n250-SIZE 104857600\r\n");
		if (tls && !v->c.ssl)
			say(v, "250-STARTTLS\r\n");
		say(v, "250 ENHANCEDSTATUSCODES\r\n");
	} else if (is_verb(line, "RCPT")) {
		counters->recipients++;
		say(v, "250 2.1.5 ok\r\n");
	} else if (is_verb(line, "DATA")) {
		say(v, "354 go on\r\n");
		v->content = CONTENT_DATA;
		v->matched = 2; /* as after CRLF */
	} else if (is_verb(line, "BDAT")) {
		on_chunk(v, line + 4);
	} else if (is_verb(line, "STAR") && tls) {
		on_starttls(v);
	} else if (is_verb(line, "QUIT")) {
		say(v, "221 bye\r\n");
		v->is_over = true;
	} else {
		say(v, "250 2.0.0 ok\r\n");
	}
}

/* Each returns how many of the N bytes were its own. */

static size_t take_line(struct visit *v, const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	size_t used = lf ? (size_t)(lf - p) + 1 : n;
	size_t room = LINE_BYTES - 1 - v->line_bytes;

	memcpy(v->line + v->line_bytes, p, used < room ? used : room);
	v->line_bytes += used < room ? used : room;
	if (lf) {
		v->line[v->line_bytes] = '\0';
		v->line_bytes = 0;
		on_command(v, v->line);
	}
	return used;
}

static size_t take_chunk(struct visit *v, const char *p, size_t n)
{
	size_t used = n < v->chunk_left ? n : (size_t)v->chunk_left;

	v->chunk_left -= used;
	if (v->chunk_left > 0)
		return used;
	v->content = CONTENT_NONE;
	if (v->chunk_is_last)
		complete(v);
	else
		say(v, "250 2.0.0 chunk\r\n");
	return used;
}

static size_t take_data(struct visit *v, const char *p, size_t n)
{
	static const char end[] = "\r\n.\r\n";
	size_t i = 0;

	while (i < n) {
		if (v->matched == 0) {
			const char *cr = memchr(p + i, '\r', n - i);

			if (!cr)
				return n;
			i = (size_t)(cr - p);
		}
		if (p[i] == end[v->matched])
			v->matched++;
		else
			v->matched = p[i] == '\r';
		i++;
		if (v->matched == 5) {
			complete(v);
			return i;
		}
	}
	return n;
}

static void take(struct visit *v, const char *p, size_t n)
{
	counters->bytes += n;
	while (n > 0) {
		size_t used = 0;

		switch (v->content) {
		case CONTENT_NONE:
			used = take_line(v, p, n);
			break;
		case CONTENT_DATA:
			used = take_data(v, p, n);
			break;
		case CONTENT_CHUNK:
			used = take_chunk(v, p, n);
			break;
		}
		p += used;
		n -= used;
	}
}

static void accept_all(const struct visit *listener)
{
	int fd;

	while ((fd = accept(listener->c.fd, NULL, NULL)) >= 0) {
		struct visit *v = calloc(1, sizeof(*v));

		if (!v)
			die("memory");
		counters->connections++;
		connection_open(&v->c, fd, epoll, v);
		say(v, "220 sink.test ESMTP\r\n");
		connection_flush(&v->c, epoll, v);
	}
}

static void hear(struct visit *v)
{
	static char bytes[READ_BYTES];
	ptrdiff_t n;

	do {
		n = connection_read(&v->c, bytes, sizeof(bytes));
		if (n > 0)
			take(v, bytes, (size_t)n);
	} while (n > 0 && connection_holds(&v->c));
	connection_flush(&v->c, epoll, v);
	if (n >= 0 && !v->is_over)
		return;
	connection_close(&v->c);
	free(v->c.out);
	free(v);
}

static void listen_at(const char *text)
{
	struct place p = place_parse(text);
	struct visit *v = calloc(1, sizeof(*v));
	int fd = socket(p.address.ss_family, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!v || bind(fd, (struct sockaddr *)&p.address, p.bytes) != 0 ||
	    listen(fd, 4096) != 0)
		die(text);
	v->is_listener = true;
	connection_open(&v->c, fd, epoll, v);
}

static void open_tls(const char *certificate, const char *key)
{
	tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_session_id_context(tls, (const unsigned char *)"sink", 4);
	if (!SSL_CTX_use_certificate_chain_file(tls, certificate) ||
	    !SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM))
		die(certificate);
}

static void open_counters(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*counters)) != 0)
		die(path);
	counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		die(path);
	close(fd);
}

int main(int n, char **argument)
{
	struct epoll_event events[EVENTS];
	int i = 2;

	if (n < 3) {
		fprintf(stderr, "usage: sink COUNTERS "
				"[--tls CERTIFICATE KEY] ADDRESS:PORT...\n");
		return 2;
	}
	if (i + 3 < n && strcmp(argument[i], "--tls") == 0) {
		open_tls(argument[i + 1], argument[i + 2]);
		i += 3;
	}
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int k = i; k < n; k++)
		listen_at(argument[k]);
	open_counters(argument[1]);
	for (;;) {
		int ready = epoll_wait(epoll, events, EVENTS, -1);

		for (int k = 0; k < ready; k++) {
			struct visit *v = events[k].data.ptr;

			if (v->is_listener)
				accept_all(v);
			else
				hear(v);
		}
	}
}
