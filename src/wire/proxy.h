/*
 * What a proxy says first of the client it speaks for: the PROXY protocol,
 * version 1 (a line) and 2 (binary); haproxy's proxy-protocol.txt, W. Tarreau.
 *
 *	PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n
 *
 *	%x0D.0A.0D.0A.00.0D.0A.51.55.49.54.0A  version and command, family,
 *	length (2 octets), addresses, ports, then what else is told (TLV)
 *
 * Version 2's further words are skipped: of a certificate, of TLS towards the
 * proxy, of a check sum.
 */
#ifndef WIRE_PROXY_H
#define WIRE_PROXY_H

#include "base/fail.h"
#include "base/inet.h"

struct proxied {
	struct inet client;
	struct inet server; /* where the client believes to be */
};

enum proxy_header {
	PROXY_NOT,    /* something else, or what is not allowed: cause() */
	PROXY_PART,   /* more has to come */
	PROXY_CLIENT, /* *OUT is known */
	PROXY_ITSELF, /* the proxy, to see whether we live, or it cannot say */
};

/* What IN begins with.  *N octets belong to it; to what is a part, at least so
 * many more: who reads no further leaves alone what follows. */
enum proxy_header proxy_header_parse(struct str in, struct proxied *out,
				     size_t *n) must_check;

#endif
