/*
 * What a domain says of who sends in its name: the text of an SPF record
 * (RFC 7208), as its owner wrote it.  Names are not asked for here.
 *
 *	struct spf_record r;
 *	if (!spf_parse(S("v=spf1 mx ip4:192.0.2.0/24 ~all"), arena, &r))
 *		...cause(): the record is in error for everybody (4.6)
 */
#ifndef WIRE_SPF_H
#define WIRE_SPF_H

#include "base/arena.h"
#include "base/fail.h"
#include "base/inet.h"

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
};

struct spf_term {
	char qualifier; /* '+', '-', '~', '?' */
	enum spf_kind kind;
	struct str name; /* as written; empty: the record's own domain */
	bool has_macro;  /* NAME depends on who sends */
	struct inet_block block; /* of ip4 and ip6 */
	uint8_t bits4, bits6; /* of a and mx: how much of an address counts */
	struct str text;      /* the whole term */
};

struct spf_record {
	struct spf_term *terms;
	size_t n;
	struct str redirect; /* empty: none; counts only without "all" */
	bool redirect_has_macro;
};

enum { SPF_LOOKUPS = 10, SPF_VOID_LOOKUPS = 2 }; /* at most (4.6.4) */

/* Does it begin as one? (4.5) */
bool spf_is_record(struct str text);
/* In ARENA, TEXT on loan.  False: it is none that can be used; cause(). */
bool spf_parse(struct str text, struct arena *arena,
	       struct spf_record *out) must_check;
/* Does the term cost a look-up? (4.6.4) */
bool spf_asks(const struct spf_term *t);
/* The "all" of it; NULL: there is none. */
const struct spf_term *spf_all(const struct spf_record *r);

#endif
