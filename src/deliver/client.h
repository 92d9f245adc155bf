/*
 * The SMTP client: one address of a mail system, and a conversation with it
 * that is greeted, secured and authenticated as its policy says.
 *
 *	struct client us = { .hostname = "mx.example.org", ... };
 *	struct peer *p = client_open(&us, &hop, deadline, arena, &trouble);
 *	if (!p)
 *		...trouble.reply says why, trouble.at how far it came
 *	...peer_ask(p, ...)
 *	peer_close(p);
 *
 * Delivery keeps such conversations in its pool (line.h); who asks once uses
 * this alone, and meets what delivery meets.
 */
#ifndef DELIVER_CLIENT_H
#define DELIVER_CLIENT_H

#include "deliver/hop.h"
#include "deliver/peer.h"

struct tls_context;

/* Who we are to other servers. */
struct client {
	const char *hostname;     /* EHLO */
	struct outgoing outgoing; /* source addresses, for peers of their
	                             family, of hops that have none */
	struct tls_context *tls_any, *tls_verified;
	struct tls_context *tls_dane;  /* for hops with that */
	struct tls_context *tls_noted; /* for those that are tested */
};

/*
 * A new connection, LIMIT_CONNECT_MS at most to be there.  NULL: *TROUBLE.
 * When there is one, *TROUBLE is empty or says what was wrong with the TLS it
 * goes without: is_tls, it failed; else the reply to STARTTLS.
 */
struct peer *waits client_open(const struct client *c, const struct hop *hop,
			       int64_t deadline_ms, struct arena *arena,
			       struct trouble *trouble);
/* *TROUBLE: the way leads to ourselves; false. */
bool loops_back(struct trouble *trouble, struct arena *arena);

#endif
