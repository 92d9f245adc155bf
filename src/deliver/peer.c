/*
 * Talking to a next hop: flush, read one reply, notice who speaks out of turn.
 */
#include "deliver/peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

struct peer *peer_new(struct stream *s, const char *name, bool is_lmtp)
{
	struct arena *a = arena_open();
	struct peer *p = arena_new(a, struct peer);

	p->arena = a;
	p->stream = s;
	p->is_lmtp = is_lmtp;
	snprintf(p->name, sizeof p->name, "%s", name);
	return p;
}

void peer_close(struct peer *p)
{
	if (!p)
		return;
	stream_close(p->stream);
	arena_close(p->arena);
}

void peer_quit(struct peer *p)
{
	/* Now or never: a peer that does not take six bytes is just closed. */
	if (!p->is_broken) {
		stream_say(p->stream, S("QUIT\r\n"));
		if (!stream_flush(p->stream, now_ms()))
			p->is_broken = true;
	}
	peer_close(p);
}

bool peer_is_silent(struct peer *p)
{
	if (p->is_broken)
		return false;
	if (stream_bytes(p->stream).n == 0)
		return true;
	p->is_broken = true;
	p->loss = LOSS_WORDS;
	return fail("%s spoke out of turn", p->name);
}

bool peer_flush(struct peer *p, int64_t deadline_ms)
{
	if (p->is_broken)
		return false;
	if (stream_flush(p->stream, deadline_ms))
		return true;
	p->is_broken = true;
	p->loss = LOSS_UNREAD;
	return add_cause("send to %s", p->name);
}

static bool fill(struct peer *p, int64_t deadline_ms)
{
	switch (stream_fill(p->stream, deadline_ms)) {
	case STREAM_MORE:
		return true;
	case STREAM_END:
		p->loss = LOSS_CLOSED;
		return fail("%s closed the connection", p->name);
	case STREAM_LATE:
		p->loss = LOSS_LATE;
		return fail("%s did not answer in time", p->name);
	case STREAM_FULL:
		p->loss = LOSS_WORDS;
		return fail("%s sent an endless reply", p->name);
	case STREAM_BROKEN:
		p->loss = LOSS_CLOSED;
		return add_cause("connection with %s", p->name);
	}
	return false;
}

static bool next_reply(struct peer *p, struct arena *arena, struct reply *out,
		       int64_t deadline_ms)
{
	size_t used;

	for (;;) {
		switch (reply_parse(stream_bytes(p->stream), arena, out,
				    &used)) {
		case REPLY_WHOLE:
			stream_skip(p->stream, used);
			return true;
		case REPLY_BAD:
			p->loss = LOSS_WORDS;
			return add_cause("reply of %s", p->name);
		case REPLY_PART:
			if (!fill(p, deadline_ms))
				return false;
		}
	}
}

bool peer_reply(struct peer *p, struct arena *arena, struct reply *out,
		int64_t deadline_ms)
{
	if (p->is_broken)
		return false;
	p->is_broken = !next_reply(p, arena, out, deadline_ms);
	if (p->is_broken)
		return false;
	p->has_spoken = true;
	/* RFC 5321 3.8: it says so and closes. */
	if (out->code == 421)
		p->is_broken = true;
	return true;
}

bool peer_ask(struct peer *p, struct arena *arena, struct str command,
	      struct reply *out, int64_t deadline_ms)
{
	if (!peer_is_silent(p))
		return false;
	stream_say(p->stream, command);
	return peer_flush(p, deadline_ms) &&
	       peer_reply(p, arena, out, deadline_ms);
}

struct reply own_reply(struct arena *arena, int code, const char *status,
		       const char *format, ...)
{
	struct reply r = { .code = code };
	va_list args;

	snprintf(r.status, sizeof r.status, "%s", status);
	va_start(args, format);
	r.text = str_of(arena_vprintf(arena, format, args));
	va_end(args);
	return r;
}

const char *reply_status(const struct reply *r)
{
	if (r->status[0])
		return r->status;
	if (r->code >= 200 && r->code < 300)
		return "2.0.0";
	return r->code >= 500 ? "5.0.0" : "4.0.0";
}

bool trouble_ours(struct trouble *t, struct reply r)
{
	t->reply = r;
	t->is_ours = true;
	t->is_tls = t->is_busy = t->is_limit = t->is_unfit = false;
	t->rest_ms = 0;
	return false;
}

bool trouble_said(struct trouble *t, const struct reply *r)
{
	t->reply = *r;
	t->is_ours = false;
	t->is_tls = t->is_busy = t->is_limit = t->is_unfit = false;
	t->rest_ms = 0;
	return false;
}
