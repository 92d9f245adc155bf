/*
 * A header with what a filter wants changed in it, one change after the other.
 *
 *	struct header_edit e = { HEADER_INSERT, 1, S("X-Spam"), S(" no") };
 *	all = header_edit(received, header, &e, 1, arena);
 *
 * Positions are those that sendmail and Postfix have:
 *
 *	append	behind all
 *	insert	before field INDEX of all, 0 being the first; behind all where
 *		there are not so many.  All of FRONT counts as one
 *	change	field INDEX of those named NAME, 1 being the first, and so is 0;
 *		not in FRONT, which the filter was not shown.  With no value the
 *		field goes; where there is none, it is appended
 *
 * What is written is fields and nothing else, whatever a value has in it: CR is
 * left out, LF begins another line of the same field, empty lines are none.
 */
#ifndef WIRE_HEADER_EDIT_H
#define WIRE_HEADER_EDIT_H

#include "base/arena.h"

enum header_edit_kind { HEADER_APPEND, HEADER_INSERT, HEADER_CHANGE };

struct header_edit {
	enum header_edit_kind kind;
	uint32_t index;
	struct str name; /* fit to be one (wire/milter.h) */
	struct str value;
	bool needs_blank; /* between the colon and the value */
};

/* FRONT, which is whole lines, and the fields of HEADER, edited: what stands
 * before FRONT then and what behind it, whole lines, too. */
struct header_edited {
	struct str before, behind;
};
struct header_edited header_edit(struct str front, struct str header,
				 const struct header_edit *edits, size_t n,
				 struct arena *arena);

#endif
