/*
 * What delivery notes for those who watch.
 */
#ifndef DELIVER_LEDGERS_H
#define DELIVER_LEDGERS_H

#include "deliver/inside.h"

/* The row of its next hop in the ledger of systems. */
struct str ledgers_row(const struct leg *leg, struct arena *arena);
/* It has just answered; it has just been tried in vain. */
void ledgers_say_up(const struct deliver *d, const struct leg *leg,
		    struct arena *arena);
void ledgers_say_down(const struct deliver *d, const struct leg *leg,
		      const struct reply *why, struct arena *arena);

#endif
