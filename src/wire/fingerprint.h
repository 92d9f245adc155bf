/*
 * Is it the same message?  A digest over what a relay does not change.
 *
 *	struct fingerprint f;
 *	fingerprint_begin(&f);
 *	fingerprint_header(&f, header, arena);	what was put in front, then it
 *	fingerprint_body(&f, piece);		in pieces, what is behind it
 *	fingerprint_end(&f, print);
 *
 * It covers the originator's fields in their order, unfolded, and the octets of
 * the body.  Not in it: trace fields and others that relays and lists add
 * (fingerprint.c has the names), white space where a field may be folded, and
 * empty lines at the end, one of which a relay may have to add (canonical
 * forms: RFC 6376 3.4.2, 3.4.3).  Whatever else was changed, a footer, another
 * encoding, makes it another message.
 */
#ifndef WIRE_FINGERPRINT_H
#define WIRE_FINGERPRINT_H

#include <sodium.h>

#include "base/arena.h"

enum { FINGERPRINT_BYTES = crypto_generichash_BYTES };

struct fingerprint {
	crypto_generichash_state hash; /* BLAKE2b */
	size_t line_ends;              /* octets of CRLFs that were held back */
	bool in_body;                  /* some of its text was added */
};

void fingerprint_begin(struct fingerprint *f);
/* ARENA is for unfolding. */
void fingerprint_header(struct fingerprint *f, struct str header,
			struct arena *arena);
void fingerprint_body(struct fingerprint *f, struct str piece);
void fingerprint_end(struct fingerprint *f, uint8_t print[FINGERPRINT_BYTES]);

#endif
