/*
 * Codes by time (RFC 6238), computed by liboath: HMAC-SHA-1, six digits, a new
 * one every 30 seconds, as every authenticator app makes them.
 *
 *	int64_t step;
 *
 *	if (totp_step(secret, S("287082"), now_s, &step) == ANSWER_YES)
 *		...taken, unless a code of STEP or a later one was before
 */
#ifndef DIRECTORY_TOTP_H
#define DIRECTORY_TOTP_H

#include "directory/changes.h"

enum { TOTP_STEP_S = 30, TOTP_DIGITS = 6 };

/* A new secret, in base32: 160 bits, RFC 4226 4. */
bool totp_secret(char out[TOTP_SECRET_CHARS + 1]) must_check;
/*
 * The time step whose code CODE is: the one at NOW_S, the one before or the
 * one after it, because clocks differ (RFC 6238 5.2, 6).  NO: it is none of
 * these.  UNSURE: the secret is none, cause().
 */
enum answer totp_step(struct str secret, struct str code, int64_t now_s,
		      int64_t *step);

#endif
