/*
 * What the sessions of one loop leave for each other: answers that would cost
 * a wait each time.
 */
#ifndef SMTP_PEERS_H
#define SMTP_PEERS_H

#include "smtp/session.h"

enum {
	KNOWN_SYSTEMS = 32,
	KNOWN_ADDRESSES = 32,
	KNOWN_HOSTS_BYTES = 512,
	SENDERS = 1024
};

/* The addresses of one system, until they are asked again. */
struct known_system {
	char hosts[KNOWN_HOSTS_BYTES];
	struct inet addresses[KNOWN_ADDRESSES];
	size_t n;
	int64_t until_ms;
};

/* What a login has sent since the minute began. */
struct sender_minute {
	uint64_t login; /* its hash */
	int64_t began_ms;
	unsigned recipients;
};

struct smtp_memory {
	struct known_system systems[KNOWN_SYSTEMS];
	unsigned next;

	char mechanisms[256]; /* what Dovecot offers (auth.c) */
	int64_t mechanisms_until_ms;

	struct sender_minute senders[SENDERS]; /* by hash (budget.c) */
};

/* SERVER's, made at the first question. */
struct smtp_memory *smtp_memory(struct smtp_server *server);

#endif
