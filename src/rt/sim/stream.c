/* A connection's bytes: waiting, reading, writing, closing. */
#include "rt/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rt/tls_inside.h"

/* ---- waiting ---- */

static bool is_ready(struct stream *s, int events)
{
	struct end *e = s->end_of;

	return ((events & CAN_READ) &&
		(e->arrived.n > 0 || e->has_end || e->trouble)) ||
	       ((events & CAN_WRITE) && end_has_room(e));
}

static void stir(struct stream *s)
{
	if (s->waiter && is_ready(s, s->wanted))
		fiber_wake(s->waiter);
}

enum wait_result stream_wait(struct stream *s, int events, int64_t deadline_ms)
{
	enum wait_result r = WAIT_DONE;

	check(!s->waiter);
	s->waiter = fiber_self();
	s->wanted = events;
	if (!is_ready(s, events))
		r = fiber_park(events & CAN_READ ? "bytes" : "room to write",
			       deadline_ms);
	s->waiter = NULL;
	s->wanted = 0;
	return r;
}

/* ---- life ---- */

static void stream_free(struct stream *s)
{
	tls_forget(s);
	buf_free(&s->in);
	buf_free(&s->out);
	free(s);
}

/* The process is gone: what was not read makes the goodbye a reset. */
static void lose(struct held *h)
{
	struct stream *s = (struct stream *)h;

	tls_forget(s); /* it says nothing */
	end_close(s->end_of, s->end_of->arrived.n > 0);
	stream_free(s);
}

struct stream *stream_of_end(struct end *e)
{
	struct stream *s = must_alloc(sizeof(*s));

	*s = (struct stream){ .end_of = e,
			      .local = e->address,
			      .peer = end_other(e)->address };
	e->stream = s;
	e->stir = stir;
	s->process = hold(&s->held, lose);
	return s;
}

/* There are no users in a world. */
bool stream_user(const struct stream *s, unsigned *uid)
{
	(void)s;
	(void)uid;
	return false;
}

bool stream_pair(struct stream *ends[2])
{
	struct sim_host *h = host_here();
	struct connection *c;

	if (!descriptor_take("socketpair"))
		return false;
	if (!descriptor_take("socketpair")) {
		descriptor_give(process_here());
		return false;
	}
	c = connection_new(CARRIED_BY_PAIR, h, h);
	ends[0] = stream_of_end(&c->ends[0]);
	ends[1] = stream_of_end(&c->ends[1]);
	return true;
}

static void release(struct stream *s, bool reset)
{
	check(!s->waiter);
	hold_end(s->process, &s->held);
	end_close(s->end_of, reset);
	descriptor_give(s->process);
	stream_free(s);
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->ssl)
		tls_farewell(s);
	release(s, false);
}

void stream_reset(struct stream *s)
{
	if (s)
		release(s, true);
}

/* ---- reading ---- */

struct str stream_bytes(const struct stream *s)
{
	return s->in.n > 0 ? buf_str(&s->in) : (struct str){ "", 0 };
}

void stream_forget_input(struct stream *s)
{
	buf_clear(&s->in);
}

void stream_skip(struct stream *s, size_t n)
{
	check(n <= s->in.n);
	buf_take(&s->in, n);
}

enum read_result {
	READ_SOME,
	READ_END,
	READ_WAIT_READ,
	READ_WAIT_WRITE,
	READ_BROKEN,
};

static enum read_result read_clear(struct stream *s, char *to, size_t room,
				   size_t *got)
{
	struct end *e = s->end_of;

	*got = end_receive(e, to, room);
	if (*got > 0)
		return READ_SOME;
	if (e->trouble) {
		fail("connection lost: %s", e->trouble);
		return READ_BROKEN;
	}
	return e->has_end ? READ_END : READ_WAIT_READ;
}

static enum read_result read_tls(struct stream *s, char *to, size_t room,
				 size_t *got)
{
	switch (tls_read(s, to, room, got)) {
	case TLS_OK:
		return READ_SOME;
	case TLS_WANT_READ:
		return READ_WAIT_READ;
	case TLS_WANT_WRITE:
		return READ_WAIT_WRITE;
	case TLS_END:
		return READ_END;
	case TLS_BROKEN:
		break;
	}
	return READ_BROKEN;
}

static enum read_result read_once(struct stream *s)
{
	size_t room = stream_appetite(s, LIMIT_STREAM_BUFFER - s->in.n);
	size_t got = 0;
	enum read_result r;

	buf_reserve(&s->in, room);
	r = (s->ssl ? read_tls : read_clear)(s, s->in.p + s->in.n, room, &got);
	s->in.n += got;
	return r;
}

/* STREAM_FULL: go on. */
static enum stream_state fill_step(struct stream *s, int64_t deadline_ms)
{
	enum wait_result r;
	int want = CAN_READ;

	switch (read_once(s)) {
	case READ_SOME:
		return STREAM_MORE;
	case READ_END:
		s->end = true;
		return STREAM_END;
	case READ_BROKEN:
		s->broken = true;
		return STREAM_BROKEN;
	case READ_WAIT_WRITE:
		want = CAN_WRITE;
		break;
	case READ_WAIT_READ:
		break;
	}
	r = stream_wait(s, want, deadline_ms);
	if (r == WAIT_CANCELLED)
		return stream_cancelled();
	if (r == WAIT_DONE || is_ready(s, want))
		return STREAM_FULL;
	fail("timed out");
	return STREAM_LATE;
}

enum stream_state stream_fill_now(struct stream *s, int64_t deadline_ms)
{
	enum stream_state state;

	do
		state = fill_step(s, deadline_ms);
	while (state == STREAM_FULL);
	return state;
}

bool stream_is_quiet(struct stream *s)
{
	enum read_result r;

	if (s->end || s->broken || s->in.n > 0)
		return false;
	r = read_once(s);
	s->end = s->end || r == READ_END;
	s->broken = s->broken || r == READ_BROKEN;
	return r == READ_WAIT_READ || r == READ_WAIT_WRITE;
}

/* ---- writing ---- */

void stream_say(struct stream *s, struct str bytes)
{
	buf_add(&s->out, bytes);
	s->unsent = s->out.n;
}

void stream_sayf(struct stream *s, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	check(n >= 0);
	buf_reserve(&s->out, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(s->out.p + s->out.n, (size_t)n + 1, format, args);
	va_end(args);
	s->out.n += (size_t)n;
	s->unsent = s->out.n;
}

static int write_tls(struct stream *s)
{
	size_t put = 0;

	switch (tls_write(s, s->out.p, s->out.n, &put)) {
	case TLS_OK:
		buf_take(&s->out, put);
		s->unsent = s->out.n;
		return 0;
	case TLS_WANT_READ:
		return CAN_READ;
	case TLS_WANT_WRITE:
		return CAN_WRITE;
	case TLS_END:
		fail("connection closed by the peer");
		break;
	case TLS_BROKEN:
		break;
	}
	return -1;
}

static int write_clear(struct stream *s)
{
	ptrdiff_t n = end_send(s->end_of, s->out.p, s->out.n);

	if (n == 0)
		return CAN_WRITE;
	if (n < 0)
		return -1;
	buf_take(&s->out, (size_t)n);
	s->unsent = s->out.n;
	return 0;
}

int stream_write_some(struct stream *s)
{
	return s->ssl ? write_tls(s) : write_clear(s);
}
