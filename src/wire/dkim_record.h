/*
 * What DNS says of a key that mail is signed with: the TXT record of
 * SELECTOR._domainkey.DOMAIN (RFC 6376 3.6.1, RFC 8463 for Ed25519).
 *
 *	text = dkim_record_write("rsa", public, arena)
 *						"v=DKIM1; k=rsa; p=MIIB..."
 *	dkim_record_zone(name, text, arena)	a line of a zone file
 *	dkim_record_compare(texts, n, "rsa", public)
 */
#ifndef WIRE_DKIM_RECORD_H
#define WIRE_DKIM_RECORD_H

#include "base/arena.h"

enum { DKIM_STRING_BYTES = 255 /* of one string of a TXT record */ };

/* ALGORITHM "rsa" or "ed25519", PUBLIC in base64. */
struct str dkim_record_write(struct str algorithm, struct str public,
			     struct arena *arena);
/* 'NAME. IN TXT "..."', in parentheses when it takes several strings. */
struct str dkim_record_zone(struct str name, struct str text,
			    struct arena *arena);

enum dkim_found {
	DKIM_FOUND_EQUAL,
	DKIM_FOUND_OTHER,   /* another key, or a record that is none */
	DKIM_FOUND_REVOKED, /* "p=": whatever it has signed is void */
	DKIM_FOUND_SEVERAL, /* records: what a receiver takes is left open
			       (RFC 6376 3.6.2.2) */
};

/* TEXTS, one at least: the strings of each record joined. */
enum dkim_found dkim_record_compare(const struct str *texts, size_t n,
				    struct str algorithm, struct str public);

#endif
