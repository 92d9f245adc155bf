/* Reading and writing without waiting (connection.h). */
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct place path_place(const char *path)
{
	struct place p = { .bytes = sizeof(struct sockaddr_un) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	memcpy(&p.address, &un, sizeof(un));
	return p;
}

struct place place_parse(const char *text)
{
	struct place p = { .bytes = sizeof(struct sockaddr_in) };
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *colon = strchr(text, ':');
	char ip[64];

	if (text[0] == '/')
		return path_place(text);
	snprintf(ip, sizeof(ip), "%.*s", colon ? (int)(colon - text) : 0, text);
	errno = EINVAL;
	if (!colon || inet_pton(AF_INET, ip, &in.sin_addr) != 1)
		die(text);
	in.sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
	memcpy(&p.address, &in, sizeof(in));
	return p;
}

static void watch(struct connection *c, int epoll, void *owner, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = owner };

	if (c->events == events)
		return;
	if (epoll_ctl(epoll, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd,
		      &e) != 0)
		die("epoll_ctl");
	c->events = events;
}

void connection_open(struct connection *c, int fd, int epoll, void *owner)
{
	int on = 1;

	*c = (struct connection){ .fd = fd,
				  .out = c->out,
				  .out_room = c->out_room };
	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch(c, epoll, owner, EPOLLIN);
}

void connection_close(struct connection *c)
{
	if (c->ssl) {
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	c->ssl = NULL;
	close(c->fd);
}

void connection_secure(struct connection *c, SSL *ssl)
{
	c->ssl = ssl;
	SSL_set_fd(ssl, c->fd);
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_set_read_ahead(ssl, 1);
}

/* 0: later; -1: gone. */
static ptrdiff_t tls_trouble(SSL *ssl, int result)
{
	int why = SSL_get_error(ssl, result);

	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0
									 : -1;
}

ptrdiff_t connection_read(struct connection *c, char *to, size_t room)
{
	ptrdiff_t n;

	if (c->ssl) {
		int got = SSL_read(c->ssl, to, (int)room);

		return got > 0 ? got : tls_trouble(c->ssl, got);
	}
	n = recv(c->fd, to, room, 0);
	if (n < 0 && errno == EAGAIN)
		return 0;
	return n > 0 ? n : -1;
}

bool connection_holds(const struct connection *c)
{
	return c->ssl && SSL_has_pending(c->ssl);
}

void connection_say(struct connection *c, const char *bytes, size_t n)
{
	if (c->out_end + n > c->out_room) {
		c->out_room = c->out_end + n + 4096;
		c->out = realloc(c->out, c->out_room);
		if (!c->out)
			die("memory");
	}
	memcpy(c->out + c->out_end, bytes, n);
	c->out_end += n;
}

void connection_sayf(struct connection *c, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	connection_say(c, text, (size_t)n);
}

static ptrdiff_t write_some(struct connection *c)
{
	size_t n = c->out_end - c->out_from;
	ptrdiff_t put;

	if (c->ssl) {
		int done = SSL_write(c->ssl, c->out + c->out_from, (int)n);

		return done > 0 ? done : tls_trouble(c->ssl, done);
	}
	put = send(c->fd, c->out + c->out_from, n, MSG_NOSIGNAL);
	return put < 0 && errno == EAGAIN ? 0 : put;
}

void connection_flush(struct connection *c, int epoll, void *owner)
{
	while (c->out_from < c->out_end) {
		ptrdiff_t n = write_some(c);

		if (n < 0)
			break; /* the next read tells */
		if (n == 0) {
			watch(c, epoll, owner, EPOLLIN | EPOLLOUT);
			return;
		}
		c->out_from += (size_t)n;
	}
	c->out_from = c->out_end = 0;
	watch(c, epoll, owner, EPOLLIN);
}
