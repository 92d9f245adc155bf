/* TLSA records (tlsa.h). */
#include "base/tlsa.h"

enum { SELECT_CERTIFICATE = 0, SELECT_KEY = 1 };
enum { MATCH_WHOLE = 0, MATCH_SHA256 = 1, MATCH_SHA512 = 2 };

bool tlsa_parse(struct str data, struct tlsa *out)
{
	const uint8_t *p = (const uint8_t *)data.p;

	if (data.n <= 3)
		return false;
	*out = (struct tlsa){ p[0], p[1], p[2], str_from(data, 3) };
	return true;
}

bool tlsa_is_usable(const struct tlsa *t)
{
	if (t->usage != TLSA_ISSUER && t->usage != TLSA_SERVER)
		return false;
	if (t->selector != SELECT_CERTIFICATE && t->selector != SELECT_KEY)
		return false;
	switch (t->matching) {
	case MATCH_WHOLE:
		return true;
	case MATCH_SHA256:
		return t->data.n == 32;
	case MATCH_SHA512:
		return t->data.n == 64;
	default:
		return false;
	}
}
