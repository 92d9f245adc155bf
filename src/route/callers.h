/*
 * Is it the other system that calls?
 *
 * Whoever connects from an address of one of a system's hosts is that system,
 * whatever else is known of it: what it hands us is not handed back to it
 * (relay.c).  A host that is written as an address is compared at once; what a
 * name stands for is resolved when a decision wants it, and remembered for a
 * minute:
 *
 *	switch (callers_among(c, peer, system.hosts, arena)) {
 *	case CALLER_UNRESOLVED:
 *		callers_resolve(c, system.hosts, deadline);	and ask again
 *
 * route_answer() does so.  One memory per loop.
 */
#ifndef ROUTE_CALLERS_H
#define ROUTE_CALLERS_H

#include "base/arena.h"
#include "base/inet.h"
#include "rt/fiber.h"

struct callers;

struct dns;

/* DNS outlives it. */
struct callers *callers_open(struct dns *dns);
void callers_close(struct callers *c);

enum caller { CALLER_NO, CALLER_YES, CALLER_UNRESOLVED };

/* Is PEER one of HOSTS (wire/hosts.h)?  Waits for nothing.  Without a memory
 * (C is NULL) a name is nobody's. */
enum caller callers_among(struct callers *c, const struct inet *peer,
			  struct str hosts, struct arena *arena);
/*
 * Resolve the names in HOSTS whose minute is over.  A name that has no answer
 * by then keeps the addresses it had; one that never had any is nobody's: the
 * mail goes on, and the trail still guards it.
 */
void waits callers_resolve(struct callers *c, struct str hosts,
			   int64_t deadline_ms);

#endif
