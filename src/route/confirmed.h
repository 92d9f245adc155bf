/*
 * What other systems have confirmed, on the disk: it survives a restart.
 *
 * One file of lines, "verified" in FOLDER.  News are added every few seconds,
 * so kill -9 costs no more than these; the whole is written anew at the start
 * and when it has grown.  It is a memory, not a promise: a file that cannot be
 * read is moved aside and said, what could be read of it counts, and mail goes
 * on without.
 *
 *	seconds  SP  "yes" / "no"  SP  system  SP  address  LF
 *
 * of the last yes (since 1970, UTC), and whether a no came later; names in
 * xtext (RFC 3461 4).
 */
#ifndef ROUTE_CONFIRMED_H
#define ROUTE_CONFIRMED_H

#include "rt/fiber.h"

struct confirmed;
struct verification;

/* Tell V what FOLDER has.  V and FOLDER outlive it. */
struct confirmed *waits confirmed_open(struct verification *v,
				       const char *folder);
/* Write down what is news. */
void waits confirmed_save(struct confirmed *c);
void confirmed_close(struct confirmed *c); /* NULL is allowed */
/* The main of a fiber: saves every few seconds.  When cancelled it does so once
 * more, and closes. */
void waits confirmed_keeper(void *confirmed);

#endif
