/*
 * Codes by time (totp.h).
 */
#include "directory/totp.h"

#include <oath.h>
#include <sodium.h>
#include <stdlib.h>

#include "rt/random.h"

enum {
	SECRET_BYTES = 20,
	WINDOW = 1, /* steps of a clock that differs */
};

static bool oath_ok(int status)
{
	return status >= OATH_OK || fail("liboath: %s", oath_strerror(status));
}

bool totp_secret(char out[TOTP_SECRET_CHARS + 1])
{
	char bytes[SECRET_BYTES], *text = NULL;

	random_bytes(bytes, sizeof(bytes));
	if (!oath_ok(oath_init()) ||
	    !oath_ok(oath_base32_encode(bytes, sizeof(bytes), &text, NULL)))
		return false;
	check(strlen(text) == TOTP_SECRET_CHARS);
	memcpy(out, text, TOTP_SECRET_CHARS + 1);
	free(text);
	return true;
}

static bool is_code(struct str code)
{
	uint64_t number;

	return code.n == TOTP_DIGITS && str_number(code, 999999, &number);
}

enum answer totp_step(struct str secret, struct str code, int64_t now_s,
		      int64_t *step)
{
	char digits[TOTP_DIGITS + 1] = "", *key = NULL;
	uint64_t counter = 0;
	size_t n = 0;
	int status;

	if (!is_code(code))
		return ANSWER_NO;
	memcpy(digits, code.p, TOTP_DIGITS);
	if (!oath_ok(oath_init()) ||
	    !oath_ok(oath_base32_decode(secret.p, secret.n, &key, &n)))
		return ANSWER_UNSURE;
	status = oath_totp_validate4(key, n, (time_t)now_s, TOTP_STEP_S,
				     OATH_TOTP_DEFAULT_START_TIME, WINDOW, NULL,
				     &counter, 0, digits);
	sodium_memzero(key, n);
	free(key);
	if (status == OATH_INVALID_OTP)
		return ANSWER_NO;
	*step = (int64_t)counter;
	return oath_ok(status) ? ANSWER_YES : ANSWER_UNSURE;
}
