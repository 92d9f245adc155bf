/*
 * Whose turn it is: systems whose administrator allows so many mails a minute
 * (struct system_limits), of all loops together.
 *
 *	if (!turn_wait(turns, S("groupware"), 20, deadline_ms))
 *		...not before the deadline, or cancelled
 *	if (!(a connection))
 *		turn_return(turns, S("groupware"));
 *
 * A mail is what begins with MAIL; questions are none.
 */
#ifndef DELIVER_TURNS_H
#define DELIVER_TURNS_H

#include "base/str.h"
#include "rt/fiber.h"

struct turns;

struct turns *turns_open(void);
void turns_close(struct turns *t); /* NULL is allowed */

/* Until the next mail to SYSTEM may go; then it goes.  False, at once when it
 * cannot be before the deadline: cause(). */
bool waits turn_wait(struct turns *t, struct str system, unsigned per_minute,
		     int64_t deadline_ms) must_check;
/* It has not gone after all: there was no connection for it. */
void turn_return(struct turns *t, struct str system);

#endif
