/*
 * What the directory wants done elsewhere: open sessions that have to end.
 *
 * Whoever stops being hosted and enabled, is deleted or gets another password
 * is written down in the same commit.  The supervisor looks twice a second,
 * has Dovecot end the sessions, and strikes out what it has done; after a crash
 * it finds the rest.
 *
 *	struct outbox *o = outbox_open(path);
 *	if (outbox_changed(o))
 *		outbox_take(o, kick, arg);
 *
 * An open outbox also keeps the WAL open for readers in a folder they may not
 * write to.
 */
#ifndef DIRECTORY_OUTBOX_H
#define DIRECTORY_OUTBOX_H

#include "base/fail.h"
#include "base/str.h"

struct outbox;

struct outbox *outbox_open(const char *path);	/* NULL: cause() */
void outbox_close(struct outbox *o);

/* Has anybody committed since the last outbox_take()?  Cheap. */
bool outbox_changed(struct outbox *o);

struct session_end {
	int64_t id;
	int64_t holder;		/* the user's id: his mail lies under it */
	struct str login;
};

/* Call EACH for every entry, oldest first; those it returns true for are struck
 * out.  False: cause(). */
bool outbox_take(struct outbox *o,
		 bool (*each)(void *arg, const struct session_end *e),
		 void *arg) must_check;

#endif
