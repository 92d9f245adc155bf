/*
 * One address to connect to.
 */
#ifndef DELIVER_HOP_H
#define DELIVER_HOP_H

#include "directory/directory.h"
#include "rt/tls.h"

/* One address to connect to, under one policy. */
struct hop {
	struct str host; /* its name: TLS, log */
	struct inet at;
	const char *path; /* a Unix socket instead: LMTP */
	enum system_tls tls;
	const char *demander; /* who wants this TLS: "DANE"...; NULL: an
	                         administrator, or nobody */
	bool is_tested;       /* by MTA-STS: it is only noted whether the host
	                   would be verified */
	const struct tls_dane *dane; /* tls is VERIFIED by that; or NULL */
	struct str user, password;
	struct next_hop next;        /* which do not share connections; of the
	                                Internet without a name */
	struct system_limits limits; /* as its administrator set them */
	bool tells_client; /* its connections are for mail of strangers, of
	                      whom it is told (xclient.h) */
};

/* All of it in ARENA. */
struct hop hop_copy(const struct hop *hop, struct arena *arena);
/* For people; and for the pool, whose keys begin with next_hop_text(). */
struct str hop_name(const struct hop *hop, struct arena *arena);
struct str hop_key(const struct hop *hop, struct arena *arena);
/* It is tested, and would not get mail otherwise: WHY. */
void hop_fails_test(const struct hop *hop, const char *why);

#endif
