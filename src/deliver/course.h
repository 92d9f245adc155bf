/*
 * One attempt's way with one host.
 */
#ifndef DELIVER_COURSE_H
#define DELIVER_COURSE_H

#include "deliver/hop.h"
#include "deliver/inside.h"
#include "deliver/peer.h"

/* Those of SHARES that are WAITING, into LEFT: how many. */
size_t still_waiting(struct share *const *shares, size_t n,
		     struct share **left);
/*
 * Mails over HOP to those of SHARES that are WAITING: as many mails and
 * connections as the host's limits ask for, at once.  Those that are WAITING
 * afterwards may go to another host (HAS_OTHERS: there is one): *TROUBLE.
 * False: this one has not had the time it may need.
 */
bool waits hop_try(struct attempt *a, const struct hop *hop, bool has_others,
		   struct share *const *shares, size_t n,
		   struct trouble *trouble);

#endif
