/*
 * How many unknown addresses strangers may have other systems asked for.
 *
 * A question about an address that does not exist costs the other system a
 * refusal, and many of them cost us its goodwill.  So each refusal is charged
 * to the client who caused it (an address; a /64 of IPv6) and to the system.
 * Both run full again with time (base/limits.h).  Who was never refused is
 * asked for at once.  Who was, takes turns with the others: few at a time, and
 * so many in two minutes.  Whose own allowance is spent waits before he has a
 * turn, longer each time up to LIMIT_PAUSE_MS.  Nobody is turned away: behind
 * the address of a guesser there may be somebody who is right.
 *
 *	allowance_begin(a, client);
 *	...the system is asked...
 *	allowance_end(a, system, client, was_refused);
 *
 * A network of IPv6 (/48) has 65,536 clients: when so many of them have been
 * refused for the first time, all others there count as refused before, too.
 *
 * One for all loops.  CLIENT may be NULL: nobody who is counted.
 */
#ifndef ROUTE_ALLOWANCE_H
#define ROUTE_ALLOWANCE_H

#include "base/inet.h"

struct allowance;

struct standing {
	bool was_refused;     /* within ten minutes, he or his network */
	bool client_is_spent; /* all three only of one who was refused */
	int64_t pause_ms;     /* so long he waits, because he is */
	bool system_is_spent;
	uint64_t open; /* his questions that are not answered yet */
};

struct allowance *allowance_open(void);
void allowance_close(struct allowance *a); /* NULL is allowed */

struct standing allowance_look(struct allowance *a, struct str system,
			       const struct inet *client);
void allowance_begin(struct allowance *a, const struct inet *client);
void allowance_end(struct allowance *a, struct str system,
		   const struct inet *client, bool was_refused);

/*
 * Some systems ban who asks them for unknown addresses, and all mail with him.
 * Who finds that out says so here; from then on they are asked only while there
 * is something left of so many a day (LIMIT_REFUSALS_A_DAY), of which who was
 * refused before gets half.  IS_BANNED: there is nothing left.
 */
void allowance_limit_day(struct allowance *a, struct str system,
			 bool is_banned);
bool allowance_day_is_spent(struct allowance *a, struct str system,
			    const struct inet *client);
/* A question to SYSTEM, whoever caused it.  False: it would be one too many. */
bool allowance_begin_today(struct allowance *a, struct str system) must_check;
void allowance_end_today(struct allowance *a, struct str system,
			 bool was_refused);
/* It has refused an address that nobody asked it for: at delivery. */
void allowance_refused_today(struct allowance *a, struct str system);

/* A turn of those who were refused before: so few at once, of all loops
 * together (LIMIT_GUESSES_AT_ONCE), and none while SYSTEM's allowance is spent.
 * False: not now. */
bool allowance_take(struct allowance *a, struct str system) must_check;
void allowance_give_back(struct allowance *a, struct str system);

#endif
