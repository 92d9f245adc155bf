/*
 * The header of a message, read only as far as a relay has to (RFC 5322 2.2).
 *
 *	struct header_summary h = header_scan(body_start);
 *
 * Nothing is rewritten.  The scan is linear and stops at the empty line, at the
 * first line that is no header field, or at LIMIT_HEADER_BYTES.  A line that an
 * mbox file has before each of its messages is no field, and counts as one of
 * the header that follows.
 */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include "base/arena.h"

/* What becomes of that line where we have to make it a field. */
#define MBOX_FIELD "X-Mailbox-Line"

#define AUTH_RESULTS_FIELD "Authentication-Results"

struct header_summary {
	size_t bytes; /* up to and including the empty line */
	unsigned lines, fields, received, from;
	unsigned results;   /* fields of that name */
	bool whole;         /* the end of the header was in the input */
	bool is_broken;     /* a line that is no field ended it: others may
				   read on */
	bool too_large;     /* LIMIT_HEADER_BYTES, _LINES or _FIELDS exceeded */
	bool is_utf8;       /* non-ASCII bytes in it */
	bool has_mbox_line; /* "From bob Mon Nov 23..." stands before it */
	struct str message_id; /* on loan; capped */
};

struct header_summary header_scan(struct str text);

/* The field at or behind *AT; its name is on loan, its unfolded value in ARENA;
 * false: no more.  *AT starts at 0. */
bool header_field(struct str header, size_t *at, struct arena *arena,
		  struct str *name, struct str *value);
/* The same as it is written. */
struct header_raw {
	struct str whole; /* with its last line end */
	struct str name;
	struct str value; /* behind the colon, up to its last line end */
};
bool header_raw(struct str header, size_t *at, struct header_raw *out);
/* The next field named NAME at or behind *AT; its unfolded value, in ARENA;
 * false: no more.  *AT starts at 0. */
bool header_next(struct str header, struct str name, size_t *at,
		 struct arena *arena, struct str *value);

#endif
