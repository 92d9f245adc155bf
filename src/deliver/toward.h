/*
 * One mail on its way to a destination of the Internet (destinations.h): does
 * that take any now, and what has it said?
 *
 *	if (!toward_enter(a, hop, &t, trouble))
 *		return;			it rests: *TROUBLE
 *	...
 *	toward_hear(&t, verb, &reply);	what may be such a word
 *	toward_leave(a, &t, has_taken_something);
 *
 * A system that has a name, or is a relay, is none.
 */
#ifndef DELIVER_TOWARD_H
#define DELIVER_TOWARD_H

#include "deliver/destinations.h"
#include "deliver/hop.h"
#include "deliver/inside.h"
#include "deliver/peer.h"
#include "wire/blame.h"

struct toward {
	struct str name; /* empty: no destination */
	bool is_throttled;
	struct reply reply;
};

bool waits toward_enter(struct attempt *a, const struct hop *hop,
			struct toward *t, struct trouble *trouble) must_check;
/* It says that it is too much; true. */
bool toward_hear(struct toward *t, enum smtp_verb verb, const struct reply *r);
void toward_leave(struct attempt *a, struct toward *t, bool has_taken);
/* An administrator wants what waits for NAME tried.  False: it does not rest. */
bool toward_wake(struct deliver *d, struct str name) must_check;

#endif
