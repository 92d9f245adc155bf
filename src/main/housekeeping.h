/*
 * What the supervisor has done now and then, in processes of their own, as the
 * user of this Splitmail:
 *
 *	user sweep	removes the mail of those who were deleted 30 days ago,
 *			and within seconds that of those who are to be erased
 *	doveadm purge	every night, of mailboxes in mdbox: gives back the room
 *			of what was deleted
 *
 * Until a supervisor has run for an hour only what is to be erased is removed: a
 * clock that is wrong after a start takes nobody's mail.
 */
#ifndef MAIN_HOUSEKEEPING_H
#define MAIN_HOUSEKEEPING_H

#include "main/config.h"
#include "rt/fiber.h"

struct housekeeping {
	const struct config *config;
	const char *self, *user;
	const bool *stopping;
};

/* A fiber's: until *STOPPING, which it sees within a second. */
void waits housekeeping_run(void *housekeeping);

#endif
