/*
 * Passwords as Dovecot reads them: {ARGON2ID} by libsodium.  Those of other
 * systems: password_import.h.
 *
 * 32 MiB and two passes: what a small machine can pay at each login, and what
 * fits into Dovecot's worker.  In builds with tests, and in no other,
 * SPLITMAIL_CHEAP_PASSWORDS in the environment makes them cost next to nothing.
 */
#ifndef DIRECTORY_PASSWORD_H
#define DIRECTORY_PASSWORD_H

#include "base/fail.h"
#include "base/str.h"

enum {
	PASSWORD_HASH_BYTES = 160,
	PASSWORD_LEAST = 8, /* characters, of one that somebody chooses: NIST SP
			     * 800-63B, which wants no other rules of spelling */
	PASSWORD_BYTES = 512,           /* of a password; longer is abuse */
	PASSWORD_IMPORTED_BYTES = 1024, /* of an imported {SCHEME}hash */
};

size_t password_characters(struct str password); /* of UTF-8 */
/* Is it NAME ("alice@example.org") itself, or what stands before its @? */
bool password_is_name(struct str password, struct str name);

/* Slow on purpose (50 ms).  Refuses an empty password, and control
 * characters: a line end slipped in would never be typed again. */
bool password_hash(struct str password,
		   char out[PASSWORD_HASH_BYTES]) must_check;
/* For {ARGON2ID} hashes; slow, too. */
bool password_matches(struct str password, const char *hash);
/* One that password_hash() made here or on another Splitmail: it costs what
 * ours cost. */
bool password_is_ours(struct str hash);
/* A hash that no password matches, and that takes as long as one of ours. */
const char *password_of_nobody(void);

#endif
