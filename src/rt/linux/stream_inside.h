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
	size_t from, end; /* the bytes are c[from..end) */
	char c[LIMIT_STREAM_BUFFER];
};

enum { CAN_READ = UV_READABLE, CAN_WRITE = UV_WRITABLE };

struct block *block_take(void);
void block_give(struct block *b);

struct stream {
	uv_poll_t poll;
	int fd;
	int armed; /* UV_READABLE, UV_WRITABLE */
	int ready;
	int wanted; /* by the waiter */
	struct fiber *waiter;
	struct block *in;
	struct block *out, *out_last;
	size_t unsent;
	SSL *ssl;       /* NULL: in clear */
	char *tls_name; /* the peer's, for resuming; may be NULL */
	size_t at_most; /* of one read; 0: no limit */
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
/* Forget what was read: nothing said before TLS counts inside it. */
void stream_forget_input(struct stream *s);

/* ---- socket addresses (address.c) ---- */

struct sockaddr_place {
	struct sockaddr_storage a;
	socklen_t n;
};

struct sockaddr_place inet_to_kernel(const struct inet *a);
/* No waiting for more bytes, and keepalive (base/limits.h).  A listener's are
 * inherited by its connections. */
void set_tcp_manners(int fd);
struct inet inet_from_kernel(const struct sockaddr_storage *a);

#endif
