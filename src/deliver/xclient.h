/*
 * XCLIENT: a system is told who the stranger is whose mail it gets, so that its
 * own filters and limits see him and not us (Postfix XCLIENT_README).
 *
 *	XCLIENT NAME=mx.b.example ADDR=192.0.2.1 PORT=40000 HELO=mx.b.example
 *	220 the greeting anew: all of the session is forgotten
 *	EHLO mx.b.example
 *	MAIL ...
 *
 * It is said before each mail of such a connection, which no other mail goes over:
 * connections that have been told of somebody are apart (hop.h, tells_client).
 * Whoever the mail is from when the system announces no XCLIENT, or refuses it: it
 * comes from us, which is true as well.
 */
#ifndef DELIVER_XCLIENT_H
#define DELIVER_XCLIENT_H

#include "deliver/hosts.h"
#include "deliver/inside.h"
#include "deliver/peer.h"

enum xclient_outcome {
	XCLIENT_DONE, /* the mail may go: as his, or as ours where it has never
	                 been told */
	XCLIENT_LOST, /* it is not known what it believes: the connection is no
	                 good any more; cause() */
};

/* Is ROUND's mail a stranger's, and is SYSTEM to be told? */
bool xclient_is_due(const struct round *round, const struct system *system);
enum xclient_outcome waits xclient_tell(struct peer *p, struct host_state *host,
					struct round *round);

#endif
