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
 * it is.  Who has logged in since, as he may, is then left alone: a session that
 * began LOGOUT_LET_IN_MS after the first look, or later.  Each first look is
 * marked, so that this holds for changes that follow each other closely, too.
 */
#ifndef MAIN_LOGOUT_H
#define MAIN_LOGOUT_H

#include "directory/outbox.h"
#include "rt/fiber.h"

enum {
	LOGOUT_AGAIN_MS = 10000,
	LOGOUT_LET_IN_MS = 1000,
	LOGOUT_MARKS = 64, /* more than looks in LOGOUT_AGAIN_MS */
};

/* A first look: at the entries behind the mark before, up to this one. */
struct logout_mark {
	int64_t upto, seen_ms;
};

struct logout {
	struct outbox *outbox;
	const char *const *who; /* the command: doveadm -f tab who -1 */
	/* Zero at first. */
	int64_t seen;                           /* the last entry looked at */
	struct logout_mark marks[LOGOUT_MARKS]; /* not looked at again yet, */
	size_t n_marks;                         /* the oldest first */
};

/* Whatever there is to do now, often nothing.  DOVECOT is its process group: no
 * other process is ever signalled.  False: cause(); what could not be looked at
 * is not struck out. */
bool waits logout_look(struct logout *l, int dovecot) must_check;

#endif
