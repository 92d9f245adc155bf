/*
 * What a domain wants done with mail in its name that proves nothing: the text
 * of a DMARC record (RFC 7489 6.3).
 *
 *	struct dmarc_record r;
 *	if (!dmarc_parse(S("v=DMARC1; p=none; rua=mailto:a@b.test"), arena, &r))
 *		...cause()
 */
#ifndef WIRE_DMARC_H
#define WIRE_DMARC_H

#include "base/arena.h"
#include "base/fail.h"

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };

struct dmarc_record {
	enum dmarc_policy policy;
	enum dmarc_policy of_subdomains; /* without sp: as POLICY */
	bool is_strict_dkim, is_strict_spf;
	unsigned percent; /* of the mail POLICY is for */
	struct str *rua;  /* "a@b.test", without mailto: and size; others than
			     mailto are left out */
	size_t n_rua;
};

/* In words: "none", "quarantine", "reject". */
extern const char *const dmarc_words[];

/* Does it begin as one? */
bool dmarc_is_record(struct str text);
/* In ARENA, TEXT on loan.  False: it is none that can be used; cause(). */
bool dmarc_parse(struct str text, struct arena *arena,
		 struct dmarc_record *out) must_check;

#endif
