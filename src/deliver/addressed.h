/*
 * Whom a mail was for, as its mailbox is told: the original recipient.
 *
 * Dovecot writes it into Delivered-To, shows it to Sieve as the envelope, and
 * lets an out-of-office note answer only mail that names it in To or Cc (RFC
 * 5230 4.6).  So it is the address on the envelope where that is one of the
 * mailbox's own; but when the header names only another one of them, which is
 * what a system does that knows the mailbox by one address, it is that one.  A
 * group, or somebody else's address from which mail is sent on, is told only
 * where the header does not name it: such mail is answered by nobody.
 */
#ifndef DELIVER_ADDRESSED_H
#define DELIVER_ADDRESSED_H

#include "route/route.h"

/* ADDRESS is on the envelope, LEG leads to a mailbox.  Empty: none is told. */
struct str addressed_original(struct directory *d, const struct leg *leg,
			      struct str address, struct str header,
			      struct arena *arena);

#endif
