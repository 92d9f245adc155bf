/*
 * Streams: a connection's bytes, buffered both ways, with or without TLS.
 *
 *	struct stream *s = stream_dial(&hop, bind, after_ms(LIMIT_CONNECT_MS));
 *	if (!s)
 *		return fail_with(cause());
 *	stream_say(s, S("EHLO mx.example.org\r\n"));
 *	if (!stream_flush(s, deadline))
 *		...
 *	while (!reply_complete(stream_bytes(s), &reply))
 *		if (stream_fill(s, deadline) != STREAM_MORE)
 *			...
 *	stream_skip(s, reply.bytes);
 *
 * Reading: stream_bytes() shows what has arrived and not been skipped; the
 * bytes are on loan until the next stream_fill() or stream_skip().
 * stream_fill() parks until at least one more byte is there; it never reads
 * more than the buffer's room, so the kernel slows a peer that floods.  An
 * idle stream holds no read buffer.
 *
 * Writing: stream_say() only buffers; stream_flush() parks until the kernel
 * has taken all.  After STREAM_BROKEN or a failed flush a stream is good for
 * stream_close() only, except that a cancelled or late reader may still say
 * its last word ("421 ...").  What was said and not flushed is lost at close.
 *
 * A stream belongs to the fiber that uses it; two fibers must not wait on the
 * same stream, but one may read while nobody writes and the reverse.
 */
#ifndef RT_STREAM_H
#define RT_STREAM_H

#include "base/inet.h"
#include "rt/fiber.h"

struct stream;
struct listener;
struct tls_context;
struct tls_dane;

/* ---- connections ---- */

/* Connect to PEER; BIND may be NULL (or a local address, port 0).
 * NULL: cause() says why; FAIL_FOREIGN: BIND is none of this machine. */
struct stream *waits stream_dial(const struct inet *peer,
				 const struct inet *bind, int64_t deadline_ms);
/* Is BIND an address of this machine, as far as that can be known?  False:
 * cause(). */
bool stream_may_come_from(const struct inet *bind) must_check;
/* A Unix socket by path; waits while its listener has no room for more. */
struct stream *waits stream_dial_path(const char *path, int64_t deadline_ms);
/* Both ends of a pipe of bytes, for tests. */
bool stream_pair(struct stream *ends[2]) must_check;

void stream_close(struct stream *s); /* NULL is allowed; no wait */
/* Close so that the peer sees a reset: for attackers. */
void stream_reset(struct stream *s);

const struct inet *stream_peer(const struct stream *s);
const struct inet *stream_local(const struct stream *s);
/* A proxy in between has told who it speaks for: from now on these are both
 * ends. */
void stream_speaks_for(struct stream *s, const struct inet *peer,
		       const struct inet *local);
/* Of a connection by path that was accepted: the number of the user who called,
 * as the kernel knows it.  False: it says nothing. */
bool stream_user(const struct stream *s, unsigned *uid) must_check;

/* ---- reading ---- */

enum stream_state {
	STREAM_MORE,   /* stream_bytes() is longer now */
	STREAM_END,    /* the peer closed; what was buffered remains */
	STREAM_LATE,   /* the deadline came */
	STREAM_FULL,   /* the buffer is full: skip something first */
	STREAM_BROKEN, /* reset, TLS trouble, cancelled: cause() */
};

struct str stream_bytes(const struct stream *s);
enum stream_state waits stream_fill(struct stream *s, int64_t deadline_ms);
void stream_skip(struct stream *s, size_t n);
/* From now on a read takes at most N octets, so that what follows them is left
 * to TLS; 0: as much as there is room for. */
void stream_read_at_most(struct stream *s, size_t n);
/* Has the peer said something, or gone, while nobody waited?  Does not wait:
 * for telling whether a pooled connection is still fresh. */
bool stream_is_quiet(struct stream *s);

/* ---- writing ---- */

void stream_say(struct stream *s, struct str bytes);
void stream_sayf(struct stream *s, const char *format, ...) printf_like(2, 3);
size_t stream_unsent(const struct stream *s);
/* False: broken, late or cancelled. */
bool waits stream_flush(struct stream *s, int64_t deadline_ms) must_check;

/* ---- TLS (rt/tls.h makes the contexts) ---- */

/* Turn the stream into its encrypted self.  Bytes that were buffered and not
 * read are forgotten: what was said before TLS was not said inside it
 * (RFC 3207 4.2, CVE-2011-0411).  The end of TLS, orderly or not, is
 * STREAM_END and nothing is read beyond it. */
bool waits stream_tls_accept(struct stream *s, struct tls_context *t,
			     int64_t deadline_ms) must_check;
/* NAME is sent as SNI and, in a verifying context, has to match. */
bool waits stream_tls_connect(struct stream *s, struct tls_context *t,
			      const char *name, int64_t deadline_ms) must_check;
/* T is one of TLS_DANE, and the server has to be the one DANE says. */
bool waits stream_tls_connect_dane(struct stream *s, struct tls_context *t,
				   const struct tls_dane *dane,
				   int64_t deadline_ms) must_check;
bool stream_is_tls(const struct stream *s);
/* "TLSv1.3", "TLS_AES_256_GCM_SHA384"; "" without TLS. */
const char *stream_tls_version(const struct stream *s);
const char *stream_tls_cipher(const struct stream *s);
/* The peer's certificate is good for its name; never with TLS_ANY. */
bool stream_tls_verified(const struct stream *s);
/* The handshake went on where an earlier connection had left off. */
bool stream_tls_resumed(const struct stream *s);

/* ---- listening ---- */

/*
 * Listen on AT.  Each loop opens its own listener of the same address and the
 * kernel spreads the connections (SO_REUSEPORT).  NULL: cause() says why.
 * An address another process listens on is refused, also when it is another
 * Splitmail of the same user.  "::" means IPv6 only.
 */
struct listener *listener_open(const struct inet *at);
/* Does this machine know IPv6?  A kernel may be without it. */
bool inet6_is_there(void);
/* A Unix socket; an old file of that name is replaced. */
struct listener *listener_open_path(const char *path, unsigned mode);
/* The next connection; NULL when the listener was closed or cancelled.  Out of
 * descriptors: waits a moment and goes on. */
struct stream *waits listener_accept(struct listener *l);
/* A fiber that has not begun yet will accept: until it has, listener_close()
 * leaves it the listener. */
void listener_expect(struct listener *l);
/* The acceptor that waits in it gets NULL and must not come back; nobody else
 * may use it afterwards.  Connections stay. */
void listener_close(struct listener *l);
const struct inet *listener_address(const struct listener *l);

#endif
