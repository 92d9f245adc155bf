/*
 * The addresses in a header field such as To (RFC 5322 3.4).
 *
 *	address-list = [address] *("," [address])	; ";" is taken for "," too
 *	address      = mailbox / group
 *	group        = phrase ":" [mailbox-list] ";"
 *	mailbox      = addr-spec / [phrase] "<" ["@" route ":"] addr-spec ">"
 *
 *	struct str rest = S("Bob <bob@b.example>, \"a,b\"@c.example (home), root");
 *	while (mailbox_next(&rest, arena, &address))
 *		...				bob@b.example
 *						"a,b"@c.example
 *						root
 *
 * Comments are left out, and spaces around what is found.  What is found need
 * not be an address: address_parse() says.  Linear, whatever it is given.
 */
#ifndef WIRE_MAILBOXES_H
#define WIRE_MAILBOXES_H

#include "base/arena.h"

/* The next one, in ARENA; never empty.  False: no more. */
bool mailbox_next(struct str *rest, struct arena *arena, struct str *out);

#endif
