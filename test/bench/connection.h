/*
 * A non-blocking connection of the bench, in clear or under TLS, in one epoll
 * of the process.  Both tools are one thread: what they cost is taken from
 * the servers they measure.
 *
 *	n = connection_read(c, bytes, sizeof(bytes));
 *	if (n < 0)
 *		...the peer is gone
 *	connection_say(c, "NOOP\r\n", 6);
 *	connection_flush(c);
 */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct connection {
	int fd;
	uint32_t events; /* what epoll watches for */
	SSL *ssl;        /* NULL: in clear */
	char *out;       /* said and not taken by the kernel */
	size_t out_from, out_end, out_room;
};

struct place {
	struct sockaddr_storage address;
	socklen_t bytes;
};

/* "127.0.0.1:2525", or the path of a Unix socket.  Ends the program when it is
 * neither. */
struct place place_parse(const char *text);

/* Non-blocking from here on, watched with C's owner as epoll data. */
void connection_open(struct connection *c, int fd, int epoll, void *owner);
void connection_close(struct connection *c);

/* Begin the handshake; it goes on in read and flush. */
void connection_secure(struct connection *c, SSL *ssl);

/* -1: gone; 0: nothing now. */
ptrdiff_t connection_read(struct connection *c, char *to, size_t room);
/* Bytes the kernel will not report any more: read again. */
bool connection_holds(const struct connection *c);
void connection_say(struct connection *c, const char *bytes, size_t n);
void connection_sayf(struct connection *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Writes what it can; the rest when epoll says so. */
void connection_flush(struct connection *c, int epoll, void *owner);

uint64_t now_ns(void);
_Noreturn void die(const char *what);

#endif
