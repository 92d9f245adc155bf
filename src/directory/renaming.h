/*
 * Inside directory/ only: other names for users, groups, shared mailboxes and
 * domains (changes_rename.c), and back again (changes_rename_undo.c).
 *
 * A renaming is one line of the change log.  What it has rewritten elsewhere is
 * remembered with the line, row by row, as long as it can be undone.
 */
#ifndef DIRECTORY_RENAMING_H
#define DIRECTORY_RENAMING_H

#include "directory/change.h"

enum renaming_what { RENAMING_HOLDER, RENAMING_DOMAIN };

struct renaming {
	int64_t change;        /* the line of the change log */
	int64_t what, subject; /* the holder's or the domain's id */
	struct str old, new;   /* logins, or names */
	int64_t had_new;       /* it was an address or alias before */
	int64_t kept_old;      /* as one */
};

/* The line, and what undoing needs to know. */
bool renaming_begin(struct changes *c, const char *noun,
		    struct renaming *r) must_check;

/* R leads to TEXT from now on; CHANGE remembers it (0: nothing does).  What is
 * written twice then stands once. */
bool reference_rewrite(struct changes *c, int64_t change,
		       const struct reference *r, struct str text) must_check;
/* "left", the local part of R, becomes "to"; "+detail" stays. */
struct str reference_at_local(struct changes *c, const struct reference *r,
			      struct str to);
/* The same local part at another domain. */
struct str reference_at_domain(struct changes *c, const struct reference *r,
			       struct str to);

/* H gets this login, in all places that are not addresses: sessions end, jobs
 * and its administrator know him by it.  Refused when another administrator is
 * called so. */
bool holder_call(struct changes *c, const struct holder_row *h,
		 struct str login) must_check;
/* The same for everybody of a domain whose first name becomes NAME. */
bool domain_call(struct changes *c, const struct domain_row *d,
		 struct str name) must_check;

#endif
