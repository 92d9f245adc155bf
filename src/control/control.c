/* Both ends of the control socket (control.h). */
#include "control/control.h"

#include "base/limits.h"

/* ---- the engine's end ---- */

/* The line without its end; false: it did not come, or is no question. */
static bool waits hear_line(struct stream *peer, int64_t deadline_ms,
			    struct str *out)
{
	for (;;) {
		struct str bytes = stream_bytes(peer);
		ptrdiff_t end = str_find(bytes, '\n');

		if (end >= 0) {
			*out = str_part(bytes, 0, (size_t)end);
			return end < LIMIT_CONTROL_LINE_BYTES;
		}
		if (bytes.n >= LIMIT_CONTROL_LINE_BYTES ||
		    stream_fill(peer, deadline_ms) != STREAM_MORE)
			return false;
	}
}

static void waits converse(struct control *c, struct stream *peer)
{
	int64_t deadline = after_ms(LIMIT_CONTROL_MS);
	struct buf answer scoped(buf) = BUF_EMPTY;
	struct str question;

	if (!hear_line(peer, deadline, &question))
		return;
	if (!c->answer(c->arg, question, &answer)) {
		buf_clear(&answer);
		buf_add(&answer,
			S("{\"error\":\"there is no such question\"}"));
	}
	buf_add_char(&answer, '\n');
	stream_say(peer, buf_str(&answer));
	if (!stream_flush(peer, deadline))
		return; /* his loss */
}

void control_serve(struct control *c, struct stream *peer)
{
	if (c->open >= LIMIT_CONTROL_CONNECTIONS) {
		stream_reset(peer);
		return;
	}
	c->open++;
	converse(c, peer);
	c->open--;
	stream_close(peer);
}

/* ---- the other end ---- */

static bool waits hear_all(struct stream *s, int64_t deadline_ms,
			   struct buf *answer)
{
	for (;;) {
		struct str bytes = stream_bytes(s);

		buf_add(answer, bytes);
		stream_skip(s, bytes.n);
		if (answer->n > LIMIT_CONTROL_ANSWER_BYTES)
			return fail("the engine's answer has no end");
		switch (stream_fill(s, deadline_ms)) {
		case STREAM_MORE:
			break;
		case STREAM_END:
			return answer->n > 0 ||
			       fail("the engine does not want to answer");
		case STREAM_LATE:
			return fail_kind(FAIL_LATE,
					 "the engine does not answer in time");
		case STREAM_FULL:
		case STREAM_BROKEN:
			return add_cause("the engine's answer");
		}
	}
}

bool control_ask(const char *path, struct str question, int64_t deadline_ms,
		 struct buf *answer)
{
	struct stream *s = stream_dial_path(path, deadline_ms);
	bool ok;

	if (!s)
		return false;
	stream_say(s, question);
	stream_say(s, S("\n"));
	ok = stream_flush(s, deadline_ms) && hear_all(s, deadline_ms, answer);
	stream_close(s);
	return ok;
}
