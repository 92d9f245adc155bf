/*
 * Keys that mail is signed with (DKIM), made by OpenSSL.
 *
 *	struct str pem = signing_key_make(SIGNING_RSA, arena);
 *	struct str public;
 *
 *	if (!pem.p || !signing_key_public(pem, arena, &public))
 *		...cause()
 *
 * Making one of RSA takes some 100 ms of a core; not for a loop's thread.
 */
#ifndef RT_SIGNING_KEY_H
#define RT_SIGNING_KEY_H

#include "base/arena.h"

/* As the directory has them. */
enum signing_algorithm {
	SIGNING_RSA,     /* 2048 bits (RFC 8301 3.2) */
	SIGNING_ED25519, /* RFC 8463 */
};

/* PEM, PKCS #8.  STR_NONE: cause(). */
struct str signing_key_make(enum signing_algorithm a, struct arena *arena);
/* In base64, as DNS has it: of RSA a SubjectPublicKeyInfo (RFC 6376 3.6.1), of
 * Ed25519 its 32 bytes (RFC 8463 4.2).  False: PEM is no such key, cause(). */
bool signing_key_public(struct str pem, struct arena *arena,
			struct str *out) must_check;
/* PEM in base64 on one line, as Rspamd takes it: PKCS #8, and of Ed25519 what
 * libsodium calls its secret key.  Likewise. */
bool signing_key_line(struct str pem, struct arena *arena,
		      struct str *out) must_check;

#endif
