/*
 * The first mail to a mailbox goes alone.
 *
 * Dovecot makes a mailbox at its first mail.  Where two processes do so at the
 * same moment, one may end by a lock that both wait for, and the other finds
 * that the mailbox is there already: both put their mails off.  Who is second
 * waits here, however busy the machine is, and all later ones go together.
 *
 *	n = first_mails_gather(f, shares, all);		may be 0: look again
 *	...deliver to shares[0] to shares[n - 1]
 *	first_mails_end(f, shares, n);
 *
 * That a mailbox has had one is remembered for as long as we run, of all loops;
 * what is forgotten costs one mail the company of others.
 */
#ifndef DELIVER_FIRST_MAILS_H
#define DELIVER_FIRST_MAILS_H

#include "deliver/inside.h"

struct first_mails;

/* Remembers at most MOST mailboxes that had theirs. */
struct first_mails *first_mails_open(size_t most);
void first_mails_close(struct first_mails *f); /* NULL is allowed */

/* Those of the N SHARES come first that may go now: how many.  The others wait
 * for a first mail that is under way, for some seconds at most.  F may be NULL:
 * all go. */
size_t first_mails_gather(struct first_mails *f, struct share **shares,
			  size_t n);
/* What was gathered has been tried. */
void first_mails_end(struct first_mails *f, struct share **shares, size_t n);

#endif
