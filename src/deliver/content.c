/*
 * The bytes of a message on their way out (content.h).
 */
#include "deliver/content.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/envelope.h"
#include "wire/data.h"
#include "wire/header.h"

enum { PIECE_BYTES = 32768, TRAIL_LINE_BYTES = 900 };

/*
 * What of our own (smtp/received.c) stands behind the trail: of a message
 * without a header the blank line, which ends all fields, these too; the name of
 * the field that its first line is made; of one that was sent again, the end of
 * the way before (route/guard.h), with what is behind that.
 */
static struct str behind_trail(struct str trace)
{
	ptrdiff_t at = str_search(trace, S("\r\n" TRAIL_FIELD ":"));

	if (at >= 0)
		return str_from(trace, (size_t)at + 2);
	if (str_ends(trace, S(MBOX_FIELD ": ")))
		return S(MBOX_FIELD ": ");
	return str_ends(trace, S("\r\n\r\n")) ? S("\r\n") : STR_NONE;
}

/*
 * The trail of all recipients, behind our Received: it survives systems that
 * do not know XTRAIL.  Several fields, so that no line grows long.
 */
struct str content_head(const struct round *round, struct share *const *shares,
			size_t n, bool is_lmtp)
{
	struct arena *a = round->arena;
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str all = STR_NONE, entry, trace = round->message->trace;
	struct str rest = behind_trail(trace);
	size_t line = 0;

	if (is_lmtp)
		return trace;
	buf_add(&b, str_part(trace, 0, trace.n - rest.n));
	for (size_t i = 0; i < n; i++)
		all = trail_join(all, shares[i]->leg.trail, a);
	while (str_split(&all, ',', &entry)) {
		if (!str_is_ascii(entry) || !envelope_is_safe(entry))
			continue;
		if (line && line + entry.n < TRAIL_LINE_BYTES) {
			buf_add_char(&b, ',');
		} else {
			buf_add(&b, line ? S("\r\n") : S(""));
			buf_add(&b, S(TRAIL_FIELD ": "));
			line = 0;
		}
		buf_add(&b, entry);
		line += entry.n + 1;
	}
	if (line)
		buf_add(&b, S("\r\n"));
	buf_add(&b, rest);
	return arena_str(a, buf_str(&b));
}

uint64_t content_bytes(const struct message *m, struct str head)
{
	const struct body *b = &m->body;

	return head.n + b->bytes + (b->bytes && !b->ends_with_crlf ? 2 : 0);
}

int64_t content_deadline(const struct message *m, struct str head)
{
	return after_ms(LIMIT_DATA_MS + (int64_t)(content_bytes(m, head) / 4));
}

struct reply content_unreadable(struct arena *arena)
{
	return own_reply(arena, 451, "4.3.0",
			 "the message as it was stored here cannot be read");
}

static enum content_said say_piece(struct peer *p, struct buf *stuffed,
				   struct str piece, bool *at_line_start,
				   int64_t deadline)
{
	buf_clear(stuffed);
	if (MUTANT(dot_behind_a_border_is_bare))
		*at_line_start = false;
	data_stuff(stuffed, piece, at_line_start);
	stream_say(p->stream, buf_str(stuffed));
	if (stream_unsent(p->stream) < PIECE_BYTES || peer_flush(p, deadline))
		return CONTENT_SAID;
	return CONTENT_LOST;
}

static enum content_said say_file(struct peer *p, struct message *m,
				  struct buf *stuffed, bool *at_line_start,
				  int64_t deadline)
{
	enum content_said said = CONTENT_SAID;
	char *piece = must_alloc(PIECE_BYTES);
	uint64_t offset = 0;
	ptrdiff_t got = 0;

	while (said == CONTENT_SAID && offset < m->body.bytes) {
		got = body_read(&m->body, offset, piece, PIECE_BYTES);
		if (got <= 0)
			break;
		said = say_piece(p, stuffed, (struct str){ piece, got },
				 at_line_start, deadline);
		offset += got;
	}
	free(piece);
	if (said != CONTENT_SAID || offset == m->body.bytes)
		return said;
	if (got >= 0)
		fail("the body of %s is %llu bytes short", m->id,
		     (unsigned long long)(m->body.bytes - offset));
	return CONTENT_UNREADABLE;
}

enum content_said content_say(struct peer *p, struct message *m,
			      struct str head, bool *at_line_start)
{
	struct buf stuffed scoped(buf) = BUF_EMPTY;
	struct str memory = body_in_memory(&m->body);
	int64_t deadline = content_deadline(m, head);
	enum content_said said;

	*at_line_start = true;
	said = say_piece(p, &stuffed, head, at_line_start, deadline);
	if (said != CONTENT_SAID)
		return said;
	return memory.p
		       ? say_piece(p, &stuffed, memory, at_line_start, deadline)
		       : say_file(p, m, &stuffed, at_line_start, deadline);
}
