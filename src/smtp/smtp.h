/*
 * The SMTP server: one conversation (RFC 5321), as a fiber.
 *
 * session.c holds the story: greeting, loop, verbs[]; the other files hold one
 * step each: proxied.c (whom a proxy speaks for), hello.c (EHLO, STARTTLS),
 * envelope.c (MAIL, RCPT), body.c (DATA, BDAT), filters.c and filtered.c (what a
 * mail passes before it is accepted), auth.c (AUTH through Dovecot), received.c
 * (the trace header), memory.c (what sessions leave for each other), budget.c
 * (errors and limits), listing.c
 * (the queue, for mailq).
 * What is said is in replies.def.
 */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include "deliver/deliver.h"
#include "filter/filter.h"
#include "rt/stream.h"
#include "rt/tally.h"
#include "wire/dnsbl.h"

enum smtp_kind {
	SMTP_MX,          /* port 25 */
	SMTP_SUBMISSION,  /* 587: STARTTLS, AUTH required */
	SMTP_SUBMISSIONS, /* 465: TLS at once, AUTH required */
	SMTP_LOCAL,       /* Unix socket of our own: Dovecot's Sieve; no AUTH */
	SMTP_SENDMAIL,    /* Unix socket for every program on this machine, by
	                     sendmail; the kernel says whose it is */
};
enum { SMTP_KINDS = SMTP_SENDMAIL + 1 };

/* "smtp", "submission", "submissions", "local", "sendmail" */
const char *smtp_kind_word(enum smtp_kind kind);

struct smtp_settings {
	const char *hostname;
	struct tls_context *tls; /* NULL: STARTTLS is not offered */
	const char *auth_path;   /* Dovecot's auth-client socket */
	bool auth_without_tls;
	uint64_t message_bytes;
	unsigned connections_per_ip;
	int64_t command_ms, data_ms;
	unsigned recipients_per_minute; /* of one login, on one loop;
	                                   0: as many as come */
	int64_t error_ms;               /* what an error too many, or a failed
	                                   login, costs; 0: LIMIT_ERROR_MS */
	struct ledger *traffic;         /* deliver.h; NULL: not noted */
	struct ledger *filters;         /* filter.h; likewise */
	struct dns *dns;                /* for names of filters; NULL: they
	                                   have addresses */
	const char *data;               /* folder whose queue is listed for
	                                   mailq; NULL: none is */
	bool queue_is_private;          /* ...for root alone */
};

struct smtp_server { /* one per loop */
	const struct smtp_settings *settings;
	struct router *router;
	struct deliver *deliver;
	struct queue *queue;
	struct tally *per_ip; /* shared by all loops */
	bool stopping;        /* finish the mail at hand, then 421 */
	bool hurries;         /* ...only if its data is coming */
	unsigned sessions;
	unsigned programs; /* of them by SMTP_SENDMAIL */
	unsigned listings; /* of the queue, at this moment */

	/* smtp's own; zero at first */
	struct session *first;
	struct smtp_memory *memory;
};

/* Where clients come in. */
struct smtp_door {
	enum smtp_kind kind;
	struct str name; /* of a listener, as in splitmail.conf; none: of a
	                    Unix socket */
	const struct inet_block *proxies; /* who comes from there says first
	                                     whom he speaks for */
	size_t n_proxies;
	const struct dnsbl *dnsbl; /* lists that strangers are looked up in */
	size_t n_dnsbl;
	int dnsbl_threshold; /* refused are those with so much weight */
};

/* Serve one connection to its end and close it; a fiber's work. */
void waits smtp_serve(struct smtp_server *server, const struct smtp_door *door,
		      struct stream *peer);

/* Open sessions, by kind and by whether they are encrypted now. */
struct smtp_sessions {
	unsigned clear[SMTP_KINDS], tls[SMTP_KINDS];
};

/* Those of SERVER are added.  On its loop. */
void smtp_sessions_add(const struct smtp_server *server,
		       struct smtp_sessions *to);
unsigned smtp_sessions_total(const struct smtp_sessions *s);

/* Tell the sessions that wait for a command 421 4.3.2 and end them; the others
 * end by themselves after the mail at hand.  For an orderly stop. */
void smtp_stop(struct smtp_server *server);
/* A moment later: end all but those whose data is coming or being delivered.
 * Who has said no more than MAIL or RCPT loses nothing. */
void smtp_stop_soon(struct smtp_server *server);
/* Free what the sessions left for each other, after the last one ended. */
void smtp_close(struct smtp_server *server);

#endif
