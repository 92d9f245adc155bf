/*
 * One mail transaction with a next hop, SMTP or LMTP (RFC 5321 3.3, RFC 2033).
 *
 *	struct manner manner = { .toward = &toward };
 *	struct remains r = transaction_run(peer, host, &manner, round, shares, n);
 *
 * Outcomes are written into the shares.  A share that is WAITING afterwards was
 * neither taken nor refused, and nothing the next hop has could become a
 * delivery of it.  What is to be done with those is in the remains: wire/blame.h
 * has said whose fault it is.  That a host's limit or inability was met is no
 * outcome of a mail; it is noted with the host.
 */
#ifndef DELIVER_TRANSACTION_H
#define DELIVER_TRANSACTION_H

#include "deliver/hosts.h"
#include "deliver/inside.h"
#include "deliver/peer.h"
#include "deliver/toward.h"
#include "wire/blame.h"

/* How a mail is said: without what the host was found not to be able to. */
struct manner {
	bool no_chunking, no_parameters;
	struct toward *toward; /* hears what is answered */
};

struct remains {
	/* NONE: another host may take them, trouble says why this one does not.
	 * FURTHER, FRESH, ROOM, PLAIN: at once, over this host; if that is of no
	 * use, trouble says what it said. */
	enum remedy remedy;
	size_t at_once; /* with so many recipients; 0: as many as before */
	bool is_closed; /* the connection was, without a word */
	bool is_ours;   /* nothing the host has done: the message cannot be
	                   read, and no host will get it */
	struct trouble trouble;
};

struct remains waits transaction_run(struct peer *p, struct host_state *host,
				     struct manner *manner, struct round *round,
				     struct share **shares, size_t n);

#endif
