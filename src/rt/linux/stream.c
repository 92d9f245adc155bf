/*
 * A connection's bytes: waiting, reading, writing, closing.
 *
 * What is armed when, and the invariants, are in stream_inside.h.
 */
#include "rt/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rt/fiber_inside.h"
#include "rt/linux/loop_inside.h"
#include "rt/tls_inside.h"

enum {
	PIECES = 16,     /* blocks in one sendmsg() */
	DRAIN_READS = 4, /* at close, of what nobody will read */
};

/* ---- waiting ---- */

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct stream *s = poll->data;

	if (status < 0) { /* libuv has stopped the poll */
		s->armed = 0;
		events = UV_READABLE | UV_WRITABLE;
	}
	s->ready |= events & (UV_READABLE | UV_WRITABLE);
	if (s->waiter && (s->ready & s->wanted)) {
		fiber_wake(s->waiter);
		return;
	}
	if (s->armed) {
		uv_poll_stop(poll);
		s->armed = 0;
	}
}

static void arm(struct stream *s, int events)
{
	if (s->armed == events)
		return;
	check(uv_poll_start(&s->poll, events, on_event) == 0);
	s->armed = events;
}

enum wait_result stream_wait(struct stream *s, int events, int64_t deadline_ms)
{
	enum wait_result r;

	check(!s->waiter);
	arm(s, events);
	s->ready &= ~events;
	s->waiter = fiber_self();
	s->wanted = events;
	r = fiber_park(events & UV_READABLE ? "bytes" : "room to write",
		       deadline_ms);
	s->waiter = NULL;
	s->wanted = 0;
	return r;
}

/* ---- life ---- */

struct stream *stream_new(int fd, const struct inet *peer)
{
	struct stream *s = must_alloc(sizeof(*s));

	*s = (struct stream){ .fd = fd };
	if (peer)
		s->peer = *peer;
	check(uv_poll_init(loop_uv(), &s->poll, fd) == 0);
	s->poll.data = s;
	return s;
}

void stream_note_local(struct stream *s)
{
	struct sockaddr_storage local = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(local);

	if (getsockname(s->fd, (struct sockaddr *)&local, &n) == 0)
		s->local = inet_from_kernel(&local);
}

bool stream_user(const struct stream *s, unsigned *uid)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	if (getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 ||
	    who.uid == (uid_t)-1)
		return false;
	*uid = who.uid;
	return true;
}

bool stream_pair(struct stream *ends[2])
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       fd) != 0)
		return fail("socketpair: %m");
	ends[0] = stream_new(fd[0], NULL);
	ends[1] = stream_new(fd[1], NULL);
	return true;
}

static void on_closed(uv_handle_t *poll)
{
	free(poll->data);
}

static void forget_output(struct stream *s)
{
	while (s->out) {
		struct block *b = s->out;

		s->out = b->next;
		block_give(b);
	}
	s->out_last = NULL;
	s->unsent = 0;
}

/* Bytes that were never read would turn our close into a reset, which can
 * take the last reply away from the peer. */
static void drain(int fd)
{
	struct block *b = block_take();

	shutdown(fd, SHUT_WR);
	for (int i = 0; i < DRAIN_READS; i++)
		if (recv(fd, b->c, sizeof(b->c), MSG_DONTWAIT) <= 0)
			break;
	block_give(b);
}

static void release(struct stream *s)
{
	check(!s->waiter);
	stream_forget_input(s);
	forget_output(s);
	tls_forget(s);
	uv_close((uv_handle_t *)&s->poll, on_closed);
	close(s->fd);
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->ssl)
		tls_farewell(s);
	drain(s->fd);
	release(s);
}

void stream_reset(struct stream *s)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (!s)
		return;
	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	release(s);
}

bool stream_carry(struct stream *s, SSL *ssl)
{
	return SSL_set_fd(ssl, s->fd) == 1 || tls_fail("begin TLS");
}

/* ---- reading ---- */

struct str stream_bytes(const struct stream *s)
{
	if (!s->in)
		return (struct str){ "", 0 };
	return (struct str){ s->in->c + s->in->from, s->in->end - s->in->from };
}

void stream_forget_input(struct stream *s)
{
	block_give(s->in);
	s->in = NULL;
}

void stream_skip(struct stream *s, size_t n)
{
	check(n <= stream_bytes(s).n);
	if (n == 0)
		return;
	s->in->from += n;
	if (s->in->from == s->in->end)
		stream_forget_input(s);
}

/* Room behind the bytes, at least half the buffer when they are few. */
static void make_room(struct block *b)
{
	if (b->from == 0 || sizeof(b->c) - b->end > sizeof(b->c) / 2)
		return;
	memmove(b->c, b->c + b->from, b->end - b->from);
	b->end -= b->from;
	b->from = 0;
}

enum read_result {
	READ_SOME,
	READ_END,
	READ_WAIT_READ,
	READ_WAIT_WRITE, /* TLS may have to say something first */
	READ_BROKEN,
};

static enum read_result read_clear(struct stream *s, char *to, size_t room,
				   size_t *got)
{
	ssize_t n;

	do
		n = recv(s->fd, to, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		s->ready &= ~UV_READABLE;
		return READ_WAIT_READ;
	}
	if (n < 0) {
		fail("connection lost: %m");
		return READ_BROKEN;
	}
	if ((size_t)n < room)
		s->ready &= ~UV_READABLE;
	*got = (size_t)n;
	return n > 0 ? READ_SOME : READ_END;
}

static enum read_result read_tls(struct stream *s, char *to, size_t room,
				 size_t *got)
{
	switch (tls_read(s, to, room, got)) {
	case TLS_OK:
		if (!tls_holds_bytes(s))
			s->ready &= ~UV_READABLE;
		return READ_SOME;
	case TLS_WANT_READ:
		s->ready &= ~UV_READABLE;
		return READ_WAIT_READ;
	case TLS_WANT_WRITE:
		return READ_WAIT_WRITE;
	case TLS_END:
		return READ_END;
	case TLS_BROKEN:
		return READ_BROKEN;
	}
	return READ_BROKEN;
}

static enum read_result read_once(struct stream *s)
{
	enum read_result r;
	struct block *b;
	size_t room, got = 0;

	if (!s->in)
		s->in = block_take();
	b = s->in;
	make_room(b);
	room = stream_appetite(s, sizeof(b->c) - b->end);
	r = (s->ssl ? read_tls : read_clear)(s, b->c + b->end, room, &got);
	b->end += got;
	if (b->from == b->end)
		stream_forget_input(s);
	return r;
}

/* Is a read worth its system call, or is waiting first the better guess? */
static bool read_may_succeed(const struct stream *s)
{
	return (s->ready & UV_READABLE) || (s->ssl && tls_holds_bytes(s));
}

static enum stream_state fill_failed(struct stream *s)
{
	s->broken = true;
	return STREAM_BROKEN;
}

/* One read, and one wait before or after it; STREAM_FULL: go on. */
static enum stream_state fill_step(struct stream *s, int *want,
				   int64_t deadline_ms)
{
	enum wait_result r = WAIT_DONE;

	if (*want)
		r = stream_wait(s, *want, deadline_ms);
	if (r == WAIT_CANCELLED)
		return stream_cancelled();
	switch (read_once(s)) {
	case READ_SOME:
		return STREAM_MORE;
	case READ_END:
		s->end = true;
		return STREAM_END;
	case READ_WAIT_READ:
		*want = UV_READABLE;
		break;
	case READ_WAIT_WRITE:
		*want = UV_WRITABLE;
		break;
	case READ_BROKEN:
		return fill_failed(s);
	}
	if (r == WAIT_DEADLINE) {
		fail("timed out");
		return STREAM_LATE;
	}
	return STREAM_FULL;
}

enum stream_state stream_fill_now(struct stream *s, int64_t deadline_ms)
{
	int want = read_may_succeed(s) ? 0 : UV_READABLE;
	enum stream_state state;

	do
		state = fill_step(s, &want, deadline_ms);
	while (state == STREAM_FULL);
	return state;
}

/* TLS may have news that is no byte of the peer's, such as a ticket; reading
 * tells.  A byte that comes out stays in the buffer: not quiet. */
bool stream_is_quiet(struct stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN | POLLRDHUP };
	enum read_result r;

	if (s->end || s->broken || s->in)
		return false;
	if (!read_may_succeed(s) && poll(&p, 1, 0) == 0)
		return true;
	r = read_once(s);
	s->end = s->end || r == READ_END;
	s->broken = s->broken || r == READ_BROKEN;
	return r == READ_WAIT_READ || r == READ_WAIT_WRITE;
}

/* ---- writing ---- */

void stream_say(struct stream *s, struct str bytes)
{
	s->unsent += bytes.n;
	while (bytes.n > 0) {
		struct block *b = s->out_last;
		size_t n;

		if (!b || b->end == sizeof(b->c)) {
			b = block_take();
			if (s->out_last)
				s->out_last->next = b;
			else
				s->out = b;
			s->out_last = b;
		}
		n = sizeof(b->c) - b->end;
		n = bytes.n < n ? bytes.n : n;
		memcpy(b->c + b->end, bytes.p, n);
		b->end += n;
		bytes = str_from(bytes, n);
	}
}

/* Most of it fits a small buffer; the rest is formatted a second time. */
void stream_sayf(struct stream *s, const char *format, ...)
{
	char small[512], *large = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	check(n >= 0);
	if ((size_t)n >= sizeof(small)) {
		large = must_alloc((size_t)n + 1);
		va_start(args, format);
		vsnprintf(large, (size_t)n + 1, format, args);
		va_end(args);
	}
	stream_say(s, (struct str){ large ? large : small, (size_t)n });
	free(large);
}

static void output_take(struct stream *s, size_t n)
{
	s->unsent -= n;
	while (n > 0) {
		struct block *b = s->out;
		size_t part = b->end - b->from;

		if (n < part) {
			b->from += n;
			return;
		}
		n -= part;
		s->out = b->next;
		if (!s->out)
			s->out_last = NULL;
		block_give(b);
	}
}

static int write_clear(struct stream *s)
{
	struct iovec piece[PIECES];
	struct msghdr m = { .msg_iov = piece };
	ssize_t n;

	for (struct block *b = s->out; b && m.msg_iovlen < PIECES; b = b->next)
		piece[m.msg_iovlen++] =
			(struct iovec){ b->c + b->from, b->end - b->from };
	do
		n = sendmsg(s->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return UV_WRITABLE;
	if (n < 0) {
		fail("connection lost: %m");
		return -1;
	}
	output_take(s, (size_t)n);
	return 0;
}

static int write_tls(struct stream *s)
{
	struct block *b = s->out;
	size_t put = 0;

	switch (tls_write(s, b->c + b->from, b->end - b->from, &put)) {
	case TLS_OK:
		output_take(s, put);
		return 0;
	case TLS_WANT_READ:
		return UV_READABLE;
	case TLS_WANT_WRITE:
		return UV_WRITABLE;
	case TLS_END:
		fail("connection closed by the peer");
		return -1;
	case TLS_BROKEN:
		return -1;
	}
	return -1;
}

int stream_write_some(struct stream *s)
{
	return s->ssl ? write_tls(s) : write_clear(s);
}
