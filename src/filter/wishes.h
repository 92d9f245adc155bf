/*
 * What filters want changed of a mail: collected as they say it, and forgotten
 * again when the one who said it fails.
 *
 *	struct wishes_mark before = wishes_mark(&wishes);
 *	...wishes_add(&wishes, &letter, &answer, filter)...
 *	wishes_undo(&wishes, before);
 *
 * A new body is written as it comes; it takes the old one's place in
 * wishes_settle() only.
 */
#ifndef FILTER_WISHES_H
#define FILTER_WISHES_H

#include "filter/filter.h"
#include "wire/header_edit.h"
#include "wire/milter.h"

struct wishes {
	struct arena *arena;
	struct header_edit *edits;
	struct filter_recipient *recipients;
	size_t n_edits, most_edits, n_recipients;
	size_t n, bytes; /* of all that were said, done or undone */
	bool has_sender;
	struct mail_command sender;
	struct str held_by, held_why;
	bool has_body;
	struct body body;
};

struct wishes_mark {
	size_t n_edits, n_recipients;
	bool has_sender;
	struct mail_command sender;
	struct str held_by, held_why;
};

/* BLANKS: values of fields came with theirs.  False: it cannot be; cause(). */
bool waits wishes_add(struct wishes *c, struct filter_letter *letter,
		      const struct milter_answer *a, struct str filter,
		      bool blanks) must_check;
struct wishes_mark wishes_mark(const struct wishes *c);
void wishes_undo(struct wishes *c, struct wishes_mark before);
/* A new body is the letter's from now on; false: cause(). */
bool waits wishes_settle(struct wishes *c,
			 struct filter_letter *letter) must_check;
/* All else is.  What comes of the header is said in any case. */
void wishes_tell(const struct wishes *c, struct filter_letter *letter);

#endif
