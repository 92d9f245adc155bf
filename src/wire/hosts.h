/*
 * Next hops as administrators write them: "mail.b.example", "10.0.0.7:2525",
 * "[2001:db8::1]:25", "[10.0.0.7]", several separated by commas or spaces.
 *
 *	hosts = host *( ("," / SP) host )
 *	host  = ( name / IPv4 / "[" IPv6 "]" / IPv6 ) [ ":" port ]
 *
 * Used literally: A and AAAA only, never MX.
 */
#ifndef WIRE_HOSTS_H
#define WIRE_HOSTS_H

#include "base/arena.h"
#include "base/fail.h"
#include "base/inet.h"

struct host {
	struct str name; /* canonical name, or the address's text */
	uint16_t port;
	bool is_ip;
	struct inet ip; /* when is_ip */
};

/* At most LIMIT_HOSTS.  False: cause() quotes the bad part, *N were read before
 * it. */
bool hosts_parse(struct str text, struct arena *arena, struct host **out,
		 size_t *n) must_check;
/* Canonical text, ", " between. */
struct str hosts_text(const struct host *h, size_t n, struct arena *arena);

#endif
