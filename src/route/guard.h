/*
 * The guard against loops: the same recipient is never given back to a system
 * that has already handed it on.
 *
 * The trail: one entry per recipient and node, "NODE:MAC", where NODE is the
 * node's id (16 hex digits) and MAC the first 96 bits (base64url) of a keyed
 * hash of the recipient's key with the node's own secret.  A node understands
 * and trusts only its own entries, so nothing can be forged into trust, and
 * no blind copy is betrayed to others.  Entries are separated by commas.
 *
 * It travels twice: with RCPT, to a peer that announces XTRAIL in EHLO
 * (RCPT TO:<a@b> XTRAIL=node:mac,node:mac), so that it is known before the
 * answer; and in the header field "Splitmail-Trail:", which survives foreign
 * systems in between.  The header's is that of all recipients together, so it
 * counts for those only that came without one of their own.
 *
 * Who is logged in and sends a message again that has come through here before
 * (a person "redirects" it) begins a new way: no entry of its header counts.
 * The field "Splitmail-Trail: resent" is put above those, so that they do not
 * count at the next node either, and no mailbox is thought to have it
 * (deliver/given_back.c); what makes a loop of it from here on stands above that
 * field.  Any Received field says that it has been somewhere: what came to a
 * mailbox of the first node has no trail yet.
 *
 * A group that is expanded leaves an entry too (its key is "group " and the
 * address), which all members carry on; so do forwards and catch-alls.
 * Keys are canonical: local@ and the domain's first name, so that a system in
 * between may replace an alias of the domain by its name.
 */
#ifndef ROUTE_GUARD_H
#define ROUTE_GUARD_H

#include "base/arena.h"

#define TRAIL_FIELD "Splitmail-Trail"
#define TRAIL_RESENT "resent" /* instead of entries: a new way begins */

struct guard;
struct node;

struct guard *guard_open(const struct node *node);
void guard_close(struct guard *g);

/* Our entry for a canonical recipient key. */
struct str guard_entry(const struct guard *g, struct str key,
		       struct arena *arena);
/* Is our own entry for KEY in TRAIL?  Constant-time, any garbage is fine. */
bool guard_was_here(const struct guard *g, struct str trail, struct str key);
/* Is any entry of ours in TRAIL, whatever for?  Not proof: only a hint. */
bool guard_is_in(const struct guard *g, struct str trail);
/* TRAIL with ENTRY added, once; what is no entry is left out.  Capped at
 * LIMIT_TRAIL_BYTES: the oldest foreign entries go first. */
struct str trail_add(struct str trail, struct str entry, struct arena *arena);
/* All entries of both, each once, the newest LIMIT_TRAIL_JOINED of them. */
struct str trail_join(struct str a, struct str b, struct arena *arena);

#endif
