/*
 * What the sessions of one loop leave for each other: answers that would cost
 * a wait each time, and counts.
 */
#ifndef SMTP_MEMORY_H
#define SMTP_MEMORY_H

#include "smtp/session.h"

enum { SENDERS = 1024 };

/* What a login, or a user of this machine, has sent since the minute began. */
struct sender_minute {
	uint64_t sender; /* its hash */
	int64_t began_ms;
	unsigned recipients;
	bool is_said; /* that it sends too much */
};

struct smtp_memory {
	char mechanisms[256]; /* what Dovecot offers (auth.c) */
	int64_t mechanisms_until_ms;

	struct sender_minute senders[SENDERS]; /* by hash (budget.c) */
	struct filters *filters; /* NULL: no mail had any (filters.c) */
};

/* SERVER's, made at the first question. */
struct smtp_memory *smtp_memory(struct smtp_server *server);

#endif
