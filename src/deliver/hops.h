/*
 * Where a leg leads: the addresses to connect to, in the order to be tried.
 */
#ifndef DELIVER_HOPS_H
#define DELIVER_HOPS_H

#include "deliver/client.h"
#include "deliver/inside.h"

/* The addresses of SYSTEM's hosts, literally and in their order: A and AAAA,
 * never MX, and only of its address family.  False: there are none, cause(). */
bool waits hops_of_system(struct dns *dns, const struct system *sys,
			  int64_t deadline_ms, struct arena *arena,
			  struct hop **out, size_t *n) must_check;
/*
 * The addresses of LEG's next hop, in the order in which they are to be tried:
 * as configured (or by MX), but those that did not answer a moment ago last.
 * False: *TROUBLE says why there are none.  True, with a *TROUBLE: there are
 * others, whose addresses cannot be had now.
 */
bool waits hops_find(struct deliver *d, const struct leg *leg,
		     int64_t deadline_ms, struct arena *arena, struct hop **out,
		     size_t *n, struct trouble *trouble) must_check;

#endif
