/*
 * Authentication-Results: who has checked a mail, and what he found (RFC 8601).
 *
 *	auth_results_claims(value, S("mx.a.test"))
 *		a field that says to be mx.a.test's, whoever wrote it
 *	auth_results_parse(value, arena, &list, &n)
 *		" mx.a.test; spf=pass smtp.mailfrom=bob@b.test; dkim=none"
 *		SPF pass "b.test", DKIM other ""
 *
 * VALUE is what stands behind the colon, folded or not.
 */
#ifndef WIRE_AUTH_RESULTS_H
#define WIRE_AUTH_RESULTS_H

#include "base/arena.h"
#include "base/fail.h"

enum auth_method { AUTH_SPF, AUTH_DKIM, AUTH_DMARC, AUTH_ELSE };
enum auth_result {
	AUTH_PASS,
	AUTH_TEMPERROR, /* it may be known later */
	AUTH_OTHER,
};

struct auth_found {
	enum auth_method method;
	enum auth_result result;
	struct str method_word, result_word; /* in lower case */
	/* whose it is, as it is written: of spf smtp.mailfrom, of dkim header.d
	 * or else header.i, of dmarc header.from, without what stands before an
	 * '@'; empty: it does not say */
	struct str domain;
};

/* Its authserv-id is HOST, in any case, quoted or not, with a dot at the end or
 * not (2.2, 2.5). */
bool auth_results_claims(struct str value, struct str host);
/* All in ARENA, in order.  False: it is not written as 2.2 wants it, or there are
 * more than LIMIT_AUTH_RESULTS; cause(). */
bool auth_results_parse(struct str value, struct arena *arena,
			const struct auth_found **out, size_t *n) must_check;

#endif
