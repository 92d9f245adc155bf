/*
 * What the files of this folder share: a job, its shares, its attempts.
 *
 * A job is one round of work on one message: at acceptance, or at one of the
 * scheduler's turns.  route() turns each recipient into a share (handover.c);
 * shares with the same next hop make an attempt, a fiber of its own
 * (attempt.c).  Attempts write what they learn into their shares only; the
 * message's recipients are written between them (job_collect), because the
 * queue's thread reads those while attempts run.
 *
 * Recipients may move (message_add): always m->recipients[share->index].
 */
#ifndef DELIVER_JOB_H
#define DELIVER_JOB_H

#include "base/limits.h"
#include "deliver/deliver.h"
#include "deliver/peer.h"

/* One recipient's part of the work. */
struct share {
	size_t index; /* of the message's recipients */
	struct leg leg;
	struct str dedup;      /* the mailbox or address it ends in */
	struct share *follows; /* the same end: shares its fate */
	enum recipient_state state;
	struct reply reply; /* text in the job's arena */
	struct str remote;  /* who said it */
	bool is_put_off;    /* not tried: its system was busy */
	bool is_open;       /* perhaps delivered: connection lost
	                       after the final dot */
	bool is_accepted;   /* its RCPT was, in the mail at hand */
	bool is_sent;       /* the final dot was: an answer is worth
	                       waiting for */
	bool at_rcpt;       /* refused at RCPT: about the address */
	bool is_expired;    /* its time in the queue is over */
	bool is_telling;    /* is in a DSN that is being kept */
	bool is_told;       /* is in a DSN that was kept */
	bool is_counted;    /* attempts and next attempt are set */
	bool dsn_goes_on;   /* the next hop took over NOTIFY */
};

struct attempt {
	struct attempt *prev, *next; /* of the job */
	struct job *job;
	struct fiber *fiber;
	struct str key; /* of the next hop */
	struct leg leg; /* any of its shares' */
	struct share **shares;
	size_t n;
	int64_t began_us;
};

struct job {
	struct job *prev, *next; /* of the loop */
	struct deliver *deliver;
	struct message *message;
	struct arena *arena;
	struct share **shares;
	size_t n, room;
	struct str *domains; /* of each recipient: ours, or empty */
	struct attempt *attempts;
	unsigned running;
	struct gate news; /* an attempt ended, or drain */
	bool is_retry;
	bool has_followers;
	bool needs_utf8;       /* sender or header is not ASCII */
	bool keeps_first;      /* answered before it is attempted */
	bool is_detached;      /* nobody waits: the last attempt
	                          settles it */
	struct fiber *settler; /* who does so now */
};

/* What is known of one next hop on this loop: how many attempts run there, and
 * that it did not answer a moment ago. */
struct hop_state;

struct deliver {
	const struct deliver_settings *settings;
	struct router *router;
	struct queue *queue;
	struct pool *pool;
	struct job *jobs;
	struct hop_state *hops;
	unsigned busy; /* jobs that are not settled */
	unsigned attempts;
	bool is_draining;
	struct gate quiet;            /* a job ended */
	unsigned scheduled;           /* jobs of the scheduler */
	struct gate turn;             /* one of those ended */
	bool has_scheduler;           /* its fiber runs */
	char said[LIMIT_REPLY_BYTES]; /* the last deliver_accept()'s text */
};

/* ---- job.c ---- */

/* Takes over the caller's hold on M and asks route(): each recipient that
 * waits has a share afterwards. */
struct job *waits job_new(struct deliver *d, struct message *m, bool is_retry);
/* Write what the shares know into the message's recipients, and when those
 * that are LATER are tried again.  Not while the queue reads them. */
void job_collect(struct job *job);
/* Nobody waits for the outcome: settled now, in a fiber of its own, or when
 * the last attempt ends. */
void waits job_detach(struct job *job);
void job_free(struct job *job);
/* Ask route() again about S: does it refuse the address by now?  Then S has
 * its reply. */
bool share_is_refused_now(struct job *job, struct share *s);

/* ---- given_back.c ---- */

/* At acceptance: shares of mailboxes that have the message already, from this
 * server and a moment ago, are dropped. */
void waits job_drop_given(struct job *job);

/* ---- attempt.c ---- */

/* Group by next hop and start one fiber each; a share whose attempt cannot be
 * started is LATER. */
void attempts_start(struct job *job);
/* For attempt.c to call: one attempt less. */
void waits job_attempt_ended(struct job *job);

/* Did this next hop fail to answer within the last seconds (and take long over
 * it, when ONLY_SLOW)?  Then why: on loan until the next wait. */
const struct reply *hop_resting(struct deliver *d, struct str key,
                                bool only_slow);
/* None of its hosts took the mail: it rests, and all loops know. */
void hop_is_down(struct attempt *a, const struct reply *why, bool is_slow);
void hop_rest(struct deliver *d, struct str key, const struct reply *why,
              bool is_slow);
void hop_answered(struct deliver *d, struct str key);
void hops_close(struct deliver *d);

/* ---- remote.c, mailbox.c ---- */

/* Try to deliver to the N SHARES, all of one next hop: each has an outcome
 * afterwards. */
void waits remote_deliver(struct attempt *a, struct share **shares, size_t n);
void waits mailbox_deliver(struct attempt *a, struct share **shares, size_t n);

/* ---- ledgers.c ---- */

/* The row of its next hop in the ledger of systems. */
struct str ledgers_row(const struct leg *leg, struct arena *arena);
/* It has just answered; it has just been tried in vain. */
void ledgers_say_up(const struct deliver *d, const struct leg *leg,
                    struct arena *arena);
void ledgers_say_down(const struct deliver *d, const struct leg *leg,
                      const struct reply *why, struct arena *arena);
/* What became of S at its next hop. */
void ledgers_count_share(const struct deliver *d, const struct share *s,
                         struct arena *arena);
/* The client is told 250, or that all are refused. */
void ledgers_count_job(const struct job *job);

/* ---- dsn.c ---- */

enum { DSN_MOST = 3 }; /* failed, delayed, delivered */

/*
 * Make the DSNs that are due about JOB's shares, collected before; returns how
 * many.  The caller owns them.  dsn_told() when they are on the disk: what
 * they say is not said again.
 */
size_t waits dsn_make(struct job *job, struct message *out[DSN_MOST]);
void dsn_told(struct job *job);

/* ---- scheduler.c ---- */

/* When to try again a message that arrived at ARRIVED: as long as it has been
 * waiting, within the limits of the settings. */
int64_t retry_time(const struct deliver_settings *s, int64_t arrived_wall_ms,
                   int64_t now_wall_ms);

#endif
