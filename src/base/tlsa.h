/*
 * What a name server says of a mail server's certificate: TLSA records
 * (RFC 6698 2.1), as SMTP uses them (RFC 7672 3.1).
 */
#ifndef BASE_TLSA_H
#define BASE_TLSA_H

#include "base/str.h"

enum tlsa_usage { /* those that count for SMTP */
		  TLSA_ISSUER =
			  2, /* DANE-TA: who signed it, and then its name counts */
		  TLSA_SERVER =
			  3, /* DANE-EE: the server's own, whatever it says */
};

struct tlsa {
	uint8_t usage, selector, matching;
	struct str data; /* a certificate or a key, or their digest */
};

/* The data of a record, which OUT points into; false: it is none. */
bool tlsa_parse(struct str data, struct tlsa *out) must_check;
/* Can a certificate be matched with it?  What names the certificates that
 * everybody knows (usage 0 and 1) is of no use for SMTP (RFC 7672 3.1.3). */
bool tlsa_is_usable(const struct tlsa *t);

#endif
