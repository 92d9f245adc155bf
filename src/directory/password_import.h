/*
 * Password hashes of other systems: can the Dovecot here verify them?
 *
 * An imported hash is "{SCHEME}text" as Dovecot has it in its password field.
 * One that Dovecot would not understand is a user who cannot log in, and only
 * Dovecot's log says why; so it is judged when it comes, by scheme, encoding
 * (.b64, .base64, .hex), shape and cost.  The schemes are those that Dovecot
 * 2.3 and 2.4 have in common.  Schemes the password can be read from are
 * refused, however they are encoded.
 *
 *	struct imported_hash h = imported_hash_judge(text, arena);
 *	if (h.verdict != HASH_GOOD)
 *		...h.scheme, h.shape say what is wrong
 */
#ifndef DIRECTORY_PASSWORD_IMPORT_H
#define DIRECTORY_PASSWORD_IMPORT_H

#include "base/sentence.h"

enum hash_verdict {
	HASH_GOOD,
	HASH_MALFORMED, /* not "{SCHEME}text" */
	HASH_READABLE,  /* the password stands in it */
	HASH_UNKNOWN,   /* no scheme of Dovecot's */
	HASH_OF_A_NAME, /* would not outlive another login name */
	HASH_MISSHAPEN, /* not as its scheme has it */
	HASH_COSTLY,    /* too much memory or time at each login */
};

struct imported_hash {
	enum hash_verdict verdict;
	struct str scheme; /* as it was written; empty: malformed */
	const char *shape; /* what would be right; misshapen only */
};

struct imported_hash imported_hash_judge(struct str text, struct arena *arena);
/* Every scheme that is taken, in the order of the table. */
struct texts imported_hash_schemes(struct arena *arena);

#endif
