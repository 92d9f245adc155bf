/*
 * Records as they stand in the DNS, for who judges them: nothing is tried
 * instead, nothing put in order, and nothing taken for malformed.
 *
 *	struct dns_records r;
 *
 *	switch (dns_records(dns, S("example.org"), DNS_MX, deadline, arena, &r))
 *	case DNS_FOUND:
 *		r.p[0].preference, r.p[0].name
 */
#ifndef DNS_RECORDS_H
#define DNS_RECORDS_H

#include "dns/dns.h"

enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
};

struct dns_record {
	struct inet ip;      /* A, AAAA */
	uint16_t preference; /* MX; of SRV its priority */
	uint16_t weight, port;
	struct str name; /* PTR, MX, SRV: small letters, no dot at the end;
				".": the root */
	struct str text; /* TXT: in one piece; others: as in a zone file */
};

struct dns_records {
	struct dns_record *p;
	size_t n;
	struct str owner; /* whose they are, when NAME is an alias; or empty */
};

/* LIMIT_TXT at most.  What does not have the form of its type is left out. */
enum dns_answer waits dns_records(struct dns *d, struct str name,
				  enum dns_type type, int64_t deadline_ms,
				  struct arena *arena, struct dns_records *out);

/* "1.2.0.192.in-addr.arpa" (RFC 1035 3.5, RFC 3596 2.5). */
struct str dns_reverse_name(const struct inet *a, struct arena *arena);

#endif
