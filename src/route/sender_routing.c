/*
 * Sender-specified routing: a local part that tells a server where to send the
 * message on.
 *
 *	victim%ext.test@own.test	the percent hack
 *	ext.test!victim@own.test	a bang path
 *	"victim@ext.test"@own.test	an address within the address
 *	"ext.test::victim"@own.test	a node name, as of DECnet
 *	IMCEASMTP-victim+40ext+2Etest@own.test	an encapsulated one
 *
 * Here such a local part means nothing.  The next system may obey it, and what
 * it would refuse a stranger it takes from us, because it trusts us; so it is
 * not handed to a system for anybody who may not send to everybody anyway.
 * An address that an administrator has created is his decision, as it stands:
 * with a detail behind it, it is the sender's again.
 *
 * Whoever compares local parts by NFKC reads U+FF05 as a percent sign, so these
 * count as what they are folded to.
 */
#include <stdlib.h>
#include <uninorm.h>

#include "route/walk.h"

static bool says_a_route(struct str local)
{
	for (size_t i = 0; i < local.n; i++)
		if (memchr("%!@:", local.p[i], 4))
			return true;
	return str_starts(local, S("imceasmtp-"));
}

/* Also after its compatibility characters were folded. */
static bool could_say_a_route(struct str local)
{
	size_t n = 0;
	uint8_t *folded;
	bool says;

	if (str_is_ascii(local))
		return says_a_route(local);
	folded = u8_normalize(UNINORM_NFKC, (const uint8_t *)local.p, local.n,
			      NULL, &n);
	if (!folded)
		return true;
	says = says_a_route((struct str){ (char *)folded, n });
	free(folded);
	return says;
}

bool sender_routing_refused(struct walk *w, const struct target *t,
			    struct outcome *o)
{
	if (asker_has_rights(&w->q->asker) || t->is_exact ||
	    !could_say_a_route(t->address->local))
		return false;
	because(w, sender_routing, V("address", t->spelling));
	return decide_refuse(w, o, 550, "5.7.1",
			     "%ssender-specified routing is not accepted",
			     shown_address(w, t));
}
