/*
 * A recipient of a mail, as a question to route().
 *
 * What waits in the queue is asked for again before each attempt, when the
 * directory was changed, and by whoever shows the queue: all of them ask here,
 * so that what is shown is what will be done.
 *
 *	struct waiting_mail mail = { m->as, &m->sender, m->body.bytes };
 *	struct decision d = route_waiting(router, r, &mail, arena);
 */
#ifndef ROUTE_RECIPIENT_H
#define ROUTE_RECIPIENT_H

#include "queue/message.h"
#include "route/route.h"

/* A mail that waits, as far as its recipients are asked for. */
struct waiting_mail {
	struct str as;            /* message.as */
	const struct str *sender; /* NULL: unknown */
	uint64_t bytes;
};

/* ADDRESS is R's; of a mail of SENDER and so many BYTES that ASKER gave us. */
struct question recipient_question(const struct recipient *r,
				   const struct asker *asker,
				   const struct address *address,
				   const struct waiting_mail *mail);
/* AS, of a mail that was accepted: of a user or system that is gone meanwhile
 * we are still to deliver what it gave us. */
struct asker waiting_asker(struct directory *d, struct str as,
			   struct arena *arena);
/* Mail of a domain of ours stays with us when the domain is none any more: it
 * waits for it to come back, and is returned when its time is over.  The
 * Internet was never meant to see it. */
void waiting_stays_ours(const struct recipient *r, struct decision *answer,
			struct arena *arena);
/* What an administrator gave up (bounce_wanted). */
struct reply waiting_given_up(void);

/* Where R, which waits, goes now.  What is no address is refused. */
struct decision route_waiting(const struct router *router,
			      const struct recipient *r,
			      const struct waiting_mail *mail,
			      struct arena *arena);
/* The same in a fiber, as route_answer() is to route_decide(). */
struct decision waits route_answer_waiting(const struct router *router,
					   const struct recipient *r,
					   const struct waiting_mail *mail,
					   struct arena *arena);

/* The leg that D's recipient takes itself; NULL: he has none, only members. */
const struct leg *decision_own_leg(const struct decision *d);
/* Of that leg; NEXT_HOP_UNDECIDED: there is none. */
struct next_hop decision_next_hop(const struct decision *d);

#endif
