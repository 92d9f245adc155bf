/*
 * Ends the open sessions of those the directory's outbox names: users who may
 * not be here any more, or whose password is another one.
 *
 *	struct logout l = { .outbox = outbox, .who = argv };
 *	while (...)
 *		if (!logout_look(&l, process_id(dovecot)))
 *			log_error("serve", "%s", cause());
 *
 * One question to Dovecot, who is logged in, serves any number of entries.  Not
 * `doveadm kick`: it takes one user at a time, and takes his name for a mask, so
 * that a*@example.org would put out others.
 *
 * Each entry is looked at twice.  At the first look a session may have been let
 * in before the commit and not be counted by Dovecot yet; LOGOUT_AGAIN_MS later
 * it is.  Who has logged in since, as he may, is then left alone.
 */
#ifndef MAIN_LOGOUT_H
#define MAIN_LOGOUT_H

#include "directory/outbox.h"
#include "rt/fiber.h"

enum {
	LOGOUT_AGAIN_MS = 10000,
};

struct logout {
	struct outbox *outbox;
	const char *const *who;	/* the command: doveadm -f tab who -1 */
	/* Zero at first. */
	int64_t seen, seen_ms;	/* the last entry looked at, and when */
	int64_t again;		/* entries up to this one, once more, */
	int64_t again_ms;	/* at this time; 0: none */
};

/* Whatever there is to do now, often nothing.  DOVECOT is its process group: no
 * other process is ever signalled.  False: cause(); nothing is struck out. */
bool waits logout_look(struct logout *l, int dovecot) must_check;

#endif
