/*
 * What is wrong with this server, as its engine sees it: looked at every few
 * seconds while somebody asks or something is wrong, else once a minute; said in
 * the log when it begins and when it is over, and in the
 * answer to "status" (engine/status.h) as long as it lasts.
 *
 *	struct health *h = health_open(&(struct health_of){ ... });
 *	fiber_start("health", health_watcher, h);
 *	json_t *list = health_list(h);
 */
#ifndef ENGINE_HEALTH_H
#define ENGINE_HEALTH_H

#include <jansson.h>

#include "rt/fiber.h"

struct damage;
struct dns;
struct ledger;
struct queue;
struct tls_context;
struct health;

struct health_of {
	const char *data;                /* the data folder */
	const char *mail;                /* where the mailboxes lie; or NULL */
	const char *directory;           /* path of directory.db */
	struct damage *damage;           /* what its readers know of it */
	const char *certificate_trouble; /* a file that may be there */
	const char *certificates_told;   /* likewise; or NULL */
	struct queue *queue;
	struct dns *dns;
	bool validates;          /* what DNS answers */
	struct ledger *filters;  /* what mails have met of them */
	struct tls_context *tls; /* what is served */
};

/* Checks the directory, which takes a moment when it is long. */
struct health *health_open(const struct health_of *of);
void health_close(struct health *h);
/* A fiber's main; until it is cancelled. */
void waits health_watcher(void *health);
/* Wait until what health_list() says is a few seconds old at most; on the
 * watcher's loop. */
void waits health_ask(struct health *h);
/* The last look's troubles (show/troubles.h); a new reference, from any thread. */
json_t *health_list(struct health *h);
/* When the certificate that is served ends; wall clock. */
int64_t health_certificate_ends_ms(const struct health *h);
/* All that are served or should be (engine/certificates.h); blocks. */
json_t *health_certificates(const struct health *h);

#endif
