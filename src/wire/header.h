/*
 * The header of a message, read only as far as a relay has to (RFC 5322 2.2).
 *
 *	struct header_summary h = header_scan(body_start);
 *
 * Nothing is rewritten.  The scan is linear and stops at the empty line, at the
 * first line that is no header field, or at LIMIT_HEADER_BYTES.
 */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include "base/arena.h"

struct header_summary {
	size_t bytes;		/* up to and including the empty line */
	unsigned lines, received, from;
	bool whole;		/* the end of the header was in the input */
	bool too_large;		/* LIMIT_HEADER_BYTES or _LINES exceeded */
	bool is_utf8;		/* non-ASCII bytes in it */
	struct str message_id;	/* on loan; capped */
};

struct header_summary header_scan(struct str text);

/* The next field named NAME at or behind *AT; its unfolded value, in ARENA;
 * false: no more.  *AT starts at 0. */
bool header_next(struct str header, struct str name, size_t *at,
		 struct arena *arena, struct str *value);

#endif
