/*
 * Passwords as Dovecot reads them: {ARGON2ID} by libsodium.
 *
 * 32 MiB and two passes: what a small machine can pay at each login, and what
 * fits into Dovecot's worker.
 */
#ifndef DIRECTORY_PASSWORD_H
#define DIRECTORY_PASSWORD_H

#include "base/fail.h"
#include "base/str.h"

enum {
	PASSWORD_HASH_BYTES = 160,
	PASSWORD_ADMIN_BYTES = 8,	/* at least, of an administrator */
	PASSWORD_BYTES = 512,		/* of a password; longer is abuse */
	PASSWORD_IMPORTED_BYTES = 1024,	/* of an imported {SCHEME}hash */
};

/* Slow on purpose (50 ms).  Refuses an empty password, and control
 * characters: a line end slipped in would never be typed again. */
bool password_hash(struct str password, char out[PASSWORD_HASH_BYTES])
	must_check;
/* For {ARGON2ID} hashes of ours; slow, too. */
bool password_matches(struct str password, const char *hash);
/* Does TEXT look like "{SCHEME}hash"?  Plain-text schemes are refused. */
bool password_check_imported(struct str text) must_check;

#endif
