/* What OpenSSL says of its trouble, as our sentence. */
#include <openssl/err.h>
#include <string.h>

#include "rt/tls_inside.h"

bool tls_fail(const char *what)
{
	unsigned long code = ERR_peek_error();
	const char *reason = ERR_reason_error_string(code);

	if (code && ERR_SYSTEM_ERROR(code))
		reason = strerror(ERR_GET_REASON(code));
	ERR_clear_error();
	return fail("%s: %s", what, reason ? reason : "unknown TLS trouble");
}
