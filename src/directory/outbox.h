/*
 * What the directory wants done elsewhere: open sessions that have to end.
 *
 * Whoever stops being hosted and enabled, is deleted or gets another password
 * is written down in the same commit.  The supervisor looks a few times a
 * second, ends the sessions, and strikes out what it has done; after a crash
 * it finds the rest.
 *
 *	struct outbox *o = outbox_open(path);
 *	outbox_newest(o, &newest)
 *	outbox_each(o, seen, newest, end_his, arg)
 *	outbox_strike_out(o, newest)
 *
 * An entry's id is larger than that of any entry that was committed before it,
 * also of those that are struck out.
 *
 * An open outbox also keeps the WAL open for readers in a folder they may not
 * write to.
 */
#ifndef DIRECTORY_OUTBOX_H
#define DIRECTORY_OUTBOX_H

#include "base/fail.h"
#include "base/str.h"

struct outbox;

struct outbox *outbox_open(const char *path); /* NULL: cause() */
void outbox_close(struct outbox *o);

/* The last entry's id; 0: there is none.  Cheap. */
bool outbox_newest(struct outbox *o, int64_t *id) must_check;

/* Call EACH with the login of every entry behind AFTER, up to and with UPTO,
 * oldest first.  It must not wait. */
bool outbox_each(struct outbox *o, int64_t after, int64_t upto,
		 void (*each)(void *arg, struct str login),
		 void *arg) must_check;

/* All entries up to UPTO, in one commit. */
bool outbox_strike_out(struct outbox *o, int64_t upto) must_check;

#endif
