/*
 * Whom a host of the Internet has to be, as DNSSEC says (RFC 7672).
 *
 *	nothing is said			HOP stays as it is
 *	records that can be matched	TLS, with a certificate they name
 *	others only			TLS, whoever it is
 *	what is said cannot be had	false, cause(): the host is not used now,
 *					since who forges answers would have us
 *					believe that there are none
 */
#ifndef DELIVER_DANE_H
#define DELIVER_DANE_H

#include "deliver/hop.h"
#include "dns/dns.h"

/* HOP has its host, one of DOMAIN's by an MX that DNSSEC vouches for. */
bool waits dane_demand(struct dns *dns, struct str domain, uint16_t port,
		       int64_t deadline_ms, struct arena *arena,
		       struct hop *hop) must_check;

#endif
