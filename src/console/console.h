/*
 * The console: the HTTP API of /api/v1 and the web pages, in a process of its
 * own beside the engine.
 *
 *	struct console_settings s = { .data = "/var/lib/splitmail", ... };
 *	loops_run(1, console_serve, &s);
 *
 * It changes the directory through directory/changes.h only, so every
 * validation of the command line holds here.  What may be asked for is
 * openapi.json; which function answers is routes.def.
 *
 * Requests are answered on libmicrohttpd's threads, each with a directory
 * handle of its own; the loop waits for signals, tries relays and asks
 * Dovecot.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "base/inet.h"
#include "base/sentence.h"
#include "publish/publish.h"
#include "rt/fiber.h"
#include "wire/outgoing.h"

struct aliases;
struct arena;
struct dns;

struct console_settings {
	const char *data; /* the data folder */
	const char *hostname, *version;
	struct texts listeners;   /* names of the server's */
	struct inet at;           /* TLS unless it is a loopback address */
	const char *certificate;  /* PEM, the key in it, too */
	const char *certificates; /* more, by name: console/certificate.h */
	const char *const *names; /* other names it is reached by; NULL at
					   the end; may be NULL */
	const char *aliases;      /* file of the host's; or NULL */
	const struct aliases *(*read_aliases)(const char *path,
					      struct arena *arena);
	struct dns *dns;
	const struct dns_settings *resolver; /* that it was made of */
	struct publish_server published;     /* what is said of us in DNS */
	int64_t session_idle_s;              /* without a request: signed out */
	struct outgoing outgoing;            /* sources of connections */
	void (*ready)(void *arg);            /* it listens */
	void *ready_arg;
	bool failed; /* out: it could not start; logged */
};

/* The first fiber of a loop: until SIGTERM. SIGHUP reads the certificate
 * again. */
void waits console_serve(void *settings);

#endif
