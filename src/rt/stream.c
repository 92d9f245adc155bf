/*
 * A connection's bytes, as both implementations have them: what a call may not
 * do, and what a wait comes to.
 */
#include "rt/fiber_inside.h"
#include "rt/stream_inside.h"

bool stream_wait_or_fail(struct stream *s, int events, int64_t deadline_ms)
{
	switch (stream_wait(s, events, deadline_ms)) {
	case WAIT_DONE:
		return true;
	case WAIT_DEADLINE:
		return fail("timed out");
	case WAIT_CANCELLED:
		return fail("cancelled");
	}
	return false;
}

const struct inet *stream_peer(const struct stream *s)
{
	return &s->peer;
}

const struct inet *stream_local(const struct stream *s)
{
	return &s->local;
}

void stream_speaks_for(struct stream *s, const struct inet *peer,
		       const struct inet *local)
{
	s->peer = *peer;
	s->local = *local;
}

/* ---- reading ---- */

/* The stream is as good as before: a last word can be flushed. */
enum stream_state stream_cancelled(void)
{
	fail("cancelled");
	return STREAM_BROKEN;
}

enum stream_state stream_fill(struct stream *s, int64_t deadline_ms)
{
	if (s->end)
		return STREAM_END;
	if (s->broken)
		return STREAM_BROKEN;
	if (fiber_cancelled())
		return stream_cancelled();
	if (stream_bytes(s).n == LIMIT_STREAM_BUFFER)
		return STREAM_FULL;
	fiber_breathe();
	return stream_fill_now(s, deadline_ms);
}

void stream_read_at_most(struct stream *s, size_t n)
{
	s->at_most = n;
}

/* ---- writing ---- */

size_t stream_unsent(const struct stream *s)
{
	return s->unsent;
}

bool stream_flush(struct stream *s, int64_t deadline_ms)
{
	if (s->broken)
		return fail("the connection is broken");
	while (s->unsent > 0) {
		int want = stream_write_some(s);

		if (want == 0)
			continue;
		if (want > 0 && stream_wait_or_fail(s, want, deadline_ms))
			continue;
		s->broken = true;
		return false;
	}
	return true;
}
