/*
 * Delivery: what happens to a message between its final dot and our answer,
 * and afterwards.
 *
 *	struct reply r = deliver_accept(deliver, message, &asker);
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
 * Files, each of which knows only those that stand below it; inside.h has what
 * they share:
 *
 *	handover.c	the story above
 *	scheduler.c	the queue's turn
 *	follow.c	what waits, when the directory changes
 *	probes.c	who waits for an answer about an address; probe_turns.c:
 *			whose turn it is to be asked; probe.c: asking
 *	attempt.c	one next hop, many recipients
 *	settle.c	what came of them is written; dsn.c: and told
 *	remote.c	over the hosts of a system; mailbox.c: into Dovecot, and
 *			first_mails.c: which of them makes the mailbox
 *	round.c		one round of work on a message: recipients to shares;
 *			given_back.c: mailboxes that have it already
 *	course.c	over one host, mail after mail; turns.c: so many a minute
 *	transaction.c	MAIL to the final dot; answers.c: what is said to it;
 *			envelope.c, addressed.c and content.c: the bytes
 *	hops.c		which hosts, in which order; dane.c and sts.c: whom
 *			DNSSEC and the domain's policy say they have to be;
 *			sts_memory.c, sts_file.c: policies that are known
 *	line.c		a connection for who needs one; dial.c: a new one, and
 *			what is learnt by it; client.c: TLS, AUTH
 *	hop_state.c	does a next hop answer, how much may the queue give it
 *	fate.c		what became of a recipient: log, figures, verification;
 *			ledgers.c: what is noted for those who watch
 *	hosts.c		what is known of each host; places.c: room for
 *			connections; pool.c: those that are open; peer.c: one
 *	destinations.c	who wants less mail for some time; toward.c: one on its
 *			way there
 *	retry.c		when what waits is tried again
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
struct destinations;
struct first_mails;
struct hosts;
struct ledger;
struct sts;
struct turns;

/* Columns and states of the ledger of systems (ledgers.c has its rows). */
enum system_figure { SYSTEM_DELIVERED, SYSTEM_DEFERRED, SYSTEM_REFUSED };
enum system_state { SYSTEM_UNTRIED, SYSTEM_UP, SYSTEM_DOWN };
/* Columns of the ledger of traffic: recipients of each of our domains, by what
 * the client was told.  The SMTP server counts refusals at RCPT there. */
enum traffic_figure { TRAFFIC_HANDED_OVER, TRAFFIC_KEPT, TRAFFIC_REFUSED };

struct deliver_settings {
	const char *hostname;                /* EHLO, Reporting-MTA */
	const char *lmtp_path;               /* Dovecot's socket */
	struct outgoing outgoing;            /* of what has none of its own */
	enum address_family internet_family; /* of its hosts' addresses */
	struct tls_context *tls_any, *tls_verified, *tls_dane, *tls_noted;
	uint16_t internet_port;     /* 25 */
	unsigned destination_mails; /* at once, to one operator's hosts */
	unsigned destination_mails_per_minute; /* 0: as many as like */
	int64_t retry_min_s, retry_max_s, expiry_s, delay_warning_s;
	int64_t handover_ms; /* LIMIT_HANDOVER_MS */
	struct dns *dns;
	struct sts *sts;     /* of all loops; NULL: nobody has a policy */
	struct hosts *hosts; /* what is known of them, of all loops */
	struct turns *turns; /* so many mails a minute, of all loops; NULL:
	                        no system has that set */
	struct destinations *destinations; /* of the Internet, of all loops;
	                                      NULL: none ever rests */
	/* 0: as limits.h has them */
	int64_t probe_wait_ms, probe_later_ms, reply_ms;
	struct board *down;  /* systems that took no mail lately, as any loop
	                        found; NULL: not noted */
	struct board *given; /* mailboxes that got a message which went to
	                        other systems, too; NULL: not noted */
	struct first_mails *first_mails; /* that go alone; NULL: none does */
	struct ledger *systems; /* what next hops took; NULL: not noted */
	struct ledger *traffic; /* what became of mail; NULL: not noted */
	struct ledger *filters; /* what they said; NULL: not noted */
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
 * that wait for the answer to it at the deadline; all of it is kept.  False:
 * something waits for a disk that does not answer, and there is nothing left but
 * to end the process. */
bool waits deliver_drain(struct deliver *d, int64_t deadline_ms);

/*
 * Take M over (the caller's hold goes with it) and answer the client.  ASKER is
 * who M->as says; its strings are in M's arena.  2xx
 * means that every recipient is with its next system or on the disk; 4xx and
 * 5xx mean that we answer for nothing.  The reply's text is good until the
 * caller's next wait.
 */
struct reply waits deliver_accept(struct deliver *d, struct message *m,
				  const struct asker *asker);

/* The same for a message that nobody is given yet: routed and kept, and held
 * until an administrator has seen WHY. */
struct reply waits deliver_hold(struct deliver *d, struct message *m,
				const struct asker *asker, struct str why);

/*
 * Ask the next system whether it has the address of LEG (MAIL FROM:<>, RCPT,
 * RSET on a pooled connection), and tell route/verify.h.  Returns when it has
 * answered, or after LIMIT_PROBE_WAIT_MS: the question goes on, for
 * LIMIT_PROBE_MS, and who comes back meets the answer.  All who ask the same
 * wait for one question.  CLIENT: who caused it (route/allowance.h), or NULL.
 */
void waits deliver_probe(struct deliver *d, const struct leg *leg,
			 struct str address_key, const struct inet *client);
/* The same, some time, when there is nothing else to ask; unless the answer
 * comes with mail before. */
void deliver_probe_later(struct deliver *d, const struct leg *leg,
			 struct str address_key);

/* What waits for the destination NAME (destinations.h) is tried now, whatever it
 * has said.  On loop 0.  False: it does not rest. */
bool deliver_wake(struct deliver *d, struct str name) must_check;
/* Somebody has changed the queue or the directory: what waits is looked at now. */
void deliver_look(struct deliver *d);
/* The queue's turn: a fiber's main on loop 0, until cancelled.  ARG is the
 * struct deliver. */
void waits deliver_scheduler(void *deliver);

#endif
