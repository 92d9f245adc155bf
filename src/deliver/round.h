/*
 * One round of work on one message, from its recipients to their shares.
 */
#ifndef DELIVER_ROUND_H
#define DELIVER_ROUND_H

#include "deliver/inside.h"

/* Takes over the caller's hold on M and asks route(): each recipient that
 * waits has a share afterwards.  ASKER: deliver_accept()'s; NULL: M comes from
 * the queue and says itself who asked. */
struct round *waits round_new(struct deliver *d, struct message *m,
			      const struct asker *asker);
void round_free(struct round *round);
/* Ask route() again about S: does it refuse the address by now?  Then S has
 * its reply. */
bool waits share_is_refused_now(struct round *round, struct share *s);

#endif
