/*
 * The resolver of each loop: a libunbound context, made anew when the files it
 * was made from have changed (hosts, resolv.conf, the root key), so that nobody
 * has to restart anything when the machine's network comes up or moves.
 *
 *	struct resolver *r = resolver_take(dns);
 *	if (!r)
 *		...cause()
 *	ub_resolve_async(r->ub, ...)
 *	...
 *	resolver_give_back(r);		when the question has ended
 *
 * The files are looked at every now and then, and before it is believed that
 * there is no answer: whoever adds a name and uses it at once finds it.
 *
 * One that was replaced answers what it was asked, and goes then.
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include "dns/dns.h"

struct ub_ctx;

struct resolver {
	struct ub_ctx *ub;
	struct watch *watch; /* while open > 0 */
	unsigned open;       /* questions */
	bool is_replaced;
};

/* NULL: cause(). */
struct resolver *waits resolver_take(struct dns *d);
void resolver_give_back(struct resolver *r);
/* What was asked at ASKED_MS has no answer: is there a newer resolver, because
 * the files have changed?  Then it is worth asking again. */
bool waits resolver_is_newer(struct dns *d, int64_t asked_ms);

#endif
