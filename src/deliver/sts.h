/*
 * What domains of the Internet ask of who sends to them, by MTA-STS (RFC 8461).
 *
 *	struct sts *s = sts_open(dns, folder);
 *	sts_load(s);				at the start
 *	fiber_start("sts", sts_keeper, s);	on one loop, until cancelled
 *	...
 *	if (sts_find(s, domain, deadline, arena, &policy))
 *		...
 *
 * A policy is had from the domain's web server when a text in its DNS names one
 * that is not known, and holds until it ends, whatever becomes of text and server.
 * Those in use are asked for again before.  What is known is in the file "mta-sts"
 * of FOLDER, and survives a restart: without it who forges names would only have
 * to wait for one.
 */
#ifndef DELIVER_STS_H
#define DELIVER_STS_H

#include "dns/dns.h"
#include "wire/mta_sts.h"

struct sts;

/* DNS and FOLDER outlive it. */
struct sts *sts_open(struct dns *dns, const char *folder);
void sts_close(struct sts *s); /* NULL is allowed */
void waits sts_load(struct sts *s);
/* DOMAIN's policy, in ARENA; false: it has none that we know of. */
bool waits sts_find(struct sts *s, struct str domain, int64_t deadline_ms,
		    struct arena *arena, struct sts_policy *out) must_check;
/* The main of a fiber: writes down what is new, and asks for what is old. */
void waits sts_keeper(void *sts);

#endif
