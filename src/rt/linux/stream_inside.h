/*
 * A stream from inside, for rt/linux only.
 *
 * One uv_poll_t per descriptor, left armed between waits:
 *
 *	stream_wait(s, UV_READABLE, deadline)
 *	   └ uv_poll_start(), only when it is not armed for just that
 *	   └ fiber_park()
 *	   ...event: on_event() notes it in `ready` and wakes the waiter
 *	   ...event nobody waits for: noted, and the poll is stopped; unread
 *	      data with nobody waiting would spin at full speed otherwise
 *
 * Invariants:
 *  1. `armed` is what libuv watches for; 0 when the poll is stopped.
 *  2. `ready` without UV_READABLE: the kernel had nothing more when last
 *     asked, so wait before reading.
 *  3. `end` set: nothing is ever read from the descriptor again.
 *  4. `in` is NULL or holds bytes, except while a read is going on.
 */
#ifndef RT_LINUX_STREAM_INSIDE_H
#define RT_LINUX_STREAM_INSIDE_H

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/limits.h"
#include "rt/stream.h"

/* Buffers come from a pool of the thread and go back when they are empty. */
struct block {
	struct block *next;
	size_t from, end;	/* the bytes are c[from..end) */
	char c[LIMIT_STREAM_BUFFER];
};

struct block *block_take(void);
void block_give(struct block *b);

struct stream {
	uv_poll_t poll;
	int fd;
	int armed;		/* UV_READABLE, UV_WRITABLE */
	int ready;
	int wanted;		/* by the waiter */
	struct fiber *waiter;
	struct block *in;
	struct block *out, *out_last;
	size_t unsent;
	SSL *ssl;		/* NULL: in clear */
	char *tls_name;		/* the peer's, for resuming; may be NULL */
	bool end;
	bool broken;
	struct inet peer, local;
};

/* A stream on FD, which is non-blocking and becomes the stream's. */
struct stream *stream_new(int fd, const struct inet *peer);
void stream_note_local(struct stream *s);
/* Park until the kernel says EVENTS; one fiber at a time. */
enum wait_result waits stream_wait(struct stream *s, int events,
				   int64_t deadline_ms);
/* The same, with the cause set unless it is WAIT_DONE. */
bool waits stream_wait_or_fail(struct stream *s, int events,
			       int64_t deadline_ms);
/* Forget what was read: nothing said before TLS counts inside it. */
void stream_forget_input(struct stream *s);

/* ---- TLS (stream_tls.c) ---- */

enum tls_result {
	TLS_OK,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_END,		/* close_notify, or the connection is gone */
	TLS_BROKEN,		/* cause() says why */
};

enum tls_result tls_read(struct stream *s, char *to, size_t room, size_t *got);
enum tls_result tls_write(struct stream *s, const char *p, size_t n,
			  size_t *put);
bool tls_holds_bytes(const struct stream *s);
/* May say close_notify; never waits. */
void tls_farewell(struct stream *s);
void tls_forget(struct stream *s);

/* ---- contexts (tls.c) ---- */

/* A new SSL of the context's present certificate; NULL: cause(). */
SSL *tls_begin(struct tls_context *t, int fd);
/* Resume what NAME gave last time; what it gives now is kept. */
bool tls_begin_client(struct tls_context *t, SSL *ssl, const char *name);
/* "WHAT: the reason OpenSSL gives"; always false. */
bool tls_fail(const char *what);

/* ---- socket addresses (address.c) ---- */

struct sockaddr_place {
	struct sockaddr_storage a;
	socklen_t n;
};

struct sockaddr_place inet_to_kernel(const struct inet *a);
struct inet inet_from_kernel(const struct sockaddr_storage *a);

#endif
