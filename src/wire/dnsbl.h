/*
 * Lists of addresses in DNS, by which strangers are refused (RFC 5782).
 *
 *	dnsbl_parse(S("zen.example*2"), arena, &list)
 *	dnsbl_name(&client, list.zone, arena)	"1.2.0.192.zen.example"
 *	dnsbl_is_listed(&answer)		127.0.0.2: yes
 */
#ifndef WIRE_DNSBL_H
#define WIRE_DNSBL_H

#include "base/arena.h"
#include "base/fail.h"
#include "base/inet.h"

struct dnsbl {
	struct str zone; /* lower case, no dot at its end */
	int weight;      /* below 0: of a list of the good ones */
};

/* "ZONE" or "ZONE*WEIGHT", -100 to 100 and not 0; in ARENA.  False: cause(). */
bool dnsbl_parse(struct str text, struct arena *arena,
		 struct dnsbl *out) must_check;
/* What ZONE is asked of ADDRESS: its bytes, or of IPv6 its nibbles, turned
 * round. */
struct str dnsbl_name(const struct inet *address, struct str zone,
		      struct arena *arena);
/* Does ANSWER say that it is listed?  Addresses of 127.0.0.0/8 do, but for those
 * by which lists say that they will not answer us (127.255.255.0/24), and
 * 127.0.0.1, which no list has.  All else is a domain that somebody has parked. */
bool dnsbl_is_listed(const struct inet *answer);

#endif
