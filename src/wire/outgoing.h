/*
 * Addresses of this machine that mail leaves from: one of each family at most.
 *
 *	struct outgoing from;
 *	if (!outgoing_parse(S("192.0.2.25, 2001:db8::25"), &from))
 *		return refuse(..., cause());
 *	const struct inet *bind = outgoing_for(&from, &peer);	NULL: any
 *
 * One that names a single family says that mail leaves by that alone: a peer of
 * the other is none to go to (outgoing_reaches()).  An empty one leaves it to
 * the kernel.
 */
#ifndef WIRE_OUTGOING_H
#define WIRE_OUTGOING_H

#include "base/arena.h"
#include "base/inet.h"

struct outgoing {
	bool has_v4, has_v6;
	struct inet v4, v6; /* port 0 */
};

/* Addresses without ports, separated by commas or blanks; empty: none.  False:
 * cause(). */
bool outgoing_parse(struct str text, struct outgoing *out) must_check;
/* "192.0.2.25, 2001:db8::25", as it is parsed; or empty. */
struct str outgoing_text(const struct outgoing *from, struct arena *arena);
bool outgoing_is_set(const struct outgoing *from);
/* The one for PEER's family; NULL: there is none. */
const struct inet *outgoing_for(const struct outgoing *from,
				const struct inet *peer);
/* Is PEER of a family that mail may leave by? */
bool outgoing_reaches(const struct outgoing *from, const struct inet *peer);

#endif
