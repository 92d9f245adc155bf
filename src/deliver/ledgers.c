/*
 * What delivery notes for those who watch: of each next hop whether it takes
 * mail.  (How much it took, and of each of our domains what became of its mail:
 * fate.c.)
 *
 * Rows of the ledger of systems are the next_hop_text() of each, with one for
 * all of the Internet.
 */
#include "deliver/ledgers.h"

#include "rt/ledger.h"

struct str ledgers_row(const struct leg *leg, struct arena *arena)
{
	struct next_hop next = leg_next_hop(leg);

	if (next.kind == NEXT_HOP_INTERNET)
		next.name = S("");
	return next_hop_text(&next, arena);
}

void ledgers_say_up(const struct deliver *d, const struct leg *leg,
		    struct arena *arena)
{
	ledger_say(d->settings->systems, ledgers_row(leg, arena), SYSTEM_UP,
		   S(""));
}

/* One domain of the Internet that takes no mail says nothing about it. */
void ledgers_say_down(const struct deliver *d, const struct leg *leg,
		      const struct reply *why, struct arena *arena)
{
	if (leg->kind != LEG_INTERNET && !fiber_cancelled())
		ledger_say(d->settings->systems, ledgers_row(leg, arena),
			   SYSTEM_DOWN, reply_line(why, arena));
}
