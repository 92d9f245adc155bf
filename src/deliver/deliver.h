/*
 * Delivery: what happens to a message between its final dot and our answer,
 * and afterwards.
 *
 *	struct reply r = deliver_accept(deliver, message);
 *
 * Refused, handed over, or kept:
 *
 *	message ─▶ route() per recipient ─▶ legs ─▶ one attempt (fiber) each
 *	  ├─ every recipient 2xx ─▶ 250, nothing was written
 *	  ├─ every recipient 5xx ─▶ the first one's reply, nothing written
 *	  ├─ some 4xx, or late (LIMIT_HANDOVER_MS) ─▶ keep ─▶ 250
 *	  └─ 2xx and 5xx mixed ─▶ a DSN is kept ─▶ 250
 *
 * A message for the Internet from a user is kept first and answered at once.
 * An attempt that still runs when the client is answered goes on; its result
 * settles the queue entry and there is never a second attempt beside it.
 *
 * Files: handover.c (the story above), job.c (one round of work on a message:
 * routed, attempted, settled), attempt.c (one next hop, many recipients),
 * hops.c (which hosts), remote.c (TLS, AUTH), mailbox.c (LMTP into Dovecot),
 * transaction.c (MAIL to the final dot), peer.c and pool.c (open connections),
 * probe.c (asking at RCPT), scheduler.c (the queue's turn), dsn.c, ledgers.c
 * (what is noted for those who watch).
 */
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include "dns/dns.h"
#include "queue/queue.h"
#include "route/guard.h"
#include "route/route.h"

struct deliver; /* one per loop */
struct tls_context;

struct board;
struct ledger;

/* Columns and states of the ledger of systems (ledgers.c has its rows). */
enum system_figure { SYSTEM_DELIVERED, SYSTEM_DEFERRED, SYSTEM_REFUSED };
enum system_state { SYSTEM_UNTRIED, SYSTEM_UP, SYSTEM_DOWN };
/* Columns of the ledger of traffic: recipients of each of our domains, by what
 * the client was told.  The SMTP server counts refusals at RCPT there. */
enum traffic_figure { TRAFFIC_HANDED_OVER, TRAFFIC_KEPT, TRAFFIC_REFUSED };

struct deliver_settings {
	const char *hostname;    /* EHLO, Reporting-MTA */
	const char *lmtp_path;   /* Dovecot's socket */
	const struct inet *bind; /* source of outgoing connections, or NULL */
	struct tls_context *tls_any, *tls_verified;
	uint16_t internet_port; /* 25 */
	int64_t retry_min_s, retry_max_s, expiry_s, delay_warning_s;
	int64_t handover_ms; /* LIMIT_HANDOVER_MS */
	struct board *down;  /* systems that took no mail lately, as any loop
	                        found; NULL: not noted */
	struct board *given; /* mailboxes that got a message which went to
	                        other systems, too; NULL: not noted */
	struct ledger *systems; /* what next hops took; NULL: not noted */
	struct ledger *traffic; /* what became of mail; NULL: not noted */
};

/* ROUTER, QUEUE and SETTINGS outlive it.  On a loop's own thread. */
struct deliver *deliver_open(const struct deliver_settings *settings,
                             struct router *router, struct queue *queue);
/* Ends idle connections; attempts must have ended. */
void deliver_close(struct deliver *d);
/* Attempts that run now on this loop. */
unsigned deliver_busy(const struct deliver *d);
/* Open connections of this loop, by next hop; NAME is its row in the ledger of
 * systems. */
void deliver_connections(struct deliver *d,
                         void (*each)(void *arg, struct str name,
                                      unsigned in_use, unsigned idle),
                         void *arg);
/* An orderly stop begins: who waits for a next hop is answered as soon as the
 * message is kept; attempts go on. */
void deliver_stop(struct deliver *d);
/* ...and ends: attempts that have not sent their mail are given up soon, those
 * that wait for the answer to it at the deadline; all of it is kept. */
void waits deliver_drain(struct deliver *d, int64_t deadline_ms);

/*
 * Take M over (the caller's hold goes with it) and answer the client.  2xx
 * means that every recipient is with its next system or on the disk; 4xx and
 * 5xx mean that we answer for nothing.  The reply's text is good until the
 * caller's next wait.
 */
struct reply waits deliver_accept(struct deliver *d, struct message *m);

/*
 * Ask the next system whether it has the address of LEG (MAIL FROM:<>, RCPT,
 * RSET on a pooled connection), and tell route/verify.h.  No answer within
 * LIMIT_PROBE_MS is trouble.
 */
void waits deliver_probe(struct deliver *d, const struct leg *leg,
                         struct str address_key);

/* The queue's turn: a fiber's main on loop 0, until cancelled.  ARG is the
 * struct deliver. */
void waits deliver_scheduler(void *deliver);

#endif
