/*
 * The queue: what we have answered 250 for and nobody else has yet.
 *
 * queue.db (SQLite, WAL, synchronous=FULL) and spool/.  One writer thread
 * gathers all that wait and commits once (rt/worker.h).  Small bodies lie in
 * the row; a large one is the unnamed file that received it, synced and given
 * its name before the commit.
 *
 * The Guarantee: when queue_keep() returns true the message survives kill -9
 * and power loss.  The legal states on disk, and who moves between them:
 *
 *	spool file  message row  recipients	meaning
 *	-           -            -		not ours
 *	yes         -            -		crash before the commit: swept by
 *						queue_open()
 *	(yes)       yes          1 or more	kept; queue_keep()
 *	(yes)       -            -		settled; the file is removed after
 *						the commit, or swept
 *
 * Claims are in memory: a claimed message is being attempted by one fiber and
 * is given to nobody else until queue_settle() or queue_release().  After a
 * crash nothing is claimed.  The command line changes rows of the same file
 * (queue/tools.h) while the engine runs; what is claimed meets its attempt's
 * fate first, except that a deleted row stays deleted.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "queue/message.h"

struct queue;
struct underway;

/* FOLDER holds queue.db and spool/; both are made if missing, leftovers of a
 * crash are swept, what queue.db does not understand is moved aside.  One process at a time may have it open.  Before the loops run.
 * NULL: cause(). */
struct queue *queue_open(const char *folder);
/* The same, with the memory of what was under way when other engines died
 * (queue/underway.h; NULL is allowed), which it closes.  What has killed too
 * often is held; HELD hears of it. */
struct queue *queue_open_after(const char *folder, struct underway *underway,
			       void (*held)(void *arg, const char *id),
			       void *arg);
void queue_close(struct queue *q); /* after the loops ended */
struct spool *queue_spool(struct queue *q);

/*
 * Commit M with those of its recipients that are WAITING or LATER, and the
 * DSNs that go with it, in one transaction.  They are claimed by the caller
 * when CLAIM (an attempt runs or begins), otherwise due at their
 * next_attempt_ms.  Sets m->row, is_kept and each recipient's row.
 * False: nothing was kept; cause() says why, FAIL_NO_ROOM among others.
 */
bool waits queue_keep(struct queue *q, struct message *m, bool claim,
		      struct message *const *dsns, size_t n_dsns) must_check;

/*
 * Write what became of M's recipients after an attempt: DONE, REFUSED and
 * DROPPED leave the queue, LATER ones get attempts, next_attempt_ms and reply;
 * recipients with row 0 that are WAITING or LATER are added (a split address);
 * WAITING ones that have a row stay as they are.  DSNS are kept in the same
 * transaction.  Ends the claim.  When the last recipient has left, M's row is
 * 0 and is_kept false.
 * False: nothing was written and the claim stays.  Settle again later: what
 * was delivered must not be attempted again.
 */
bool waits queue_settle(struct queue *q, struct message *m,
			struct message *const *dsns, size_t n_dsns) must_check;
/*
 * The same while attempts of M still run, so that no crash delivers again to who
 * has it, and nobody waits for another to hear what became of his: the claim
 * stays, those that are WAITING go on doing so, and queue_settle() says the rest.
 * False: nothing was written; cause(), which may be that all the others were
 * deleted.
 */
bool waits queue_settle_part(struct queue *q, struct message *m,
			     struct message *const *dsns,
			     size_t n_dsns) must_check;
/* End the claim and leave the rows as they are. */
void waits queue_release(struct queue *q, struct message *m);

/* The queue's time in milliseconds: what next_attempt_ms and entered_ms are
 * in (clock.h).  From any thread. */
int64_t queue_now(struct queue *q);

/* What a next hop has room for, where it is known; in messages. */
struct hop_room {
	struct next_hop hop;
	unsigned room;       /* that may be claimed now */
	unsigned if_ordered; /* ...when an administrator wants it tried */
	bool knocks;         /* one may be claimed before it is due */
	bool is_down;        /* claim also what has waited for too long, to
				   be told of or given up, whatever the room */
};

struct claim_wish {
	int64_t now_ms; /* the queue's time */
	size_t max;     /* messages */
	unsigned room;  /* of next hops that are not named */
	const struct hop_room *hops;
	size_t n_hops;
	int64_t warning_ms, expiry_ms; /* what is too long; warning 0: never */
	int64_t most_ms;               /* nothing is due later than this */
};

/*
 * Claim up to MAX messages that are due, of each next hop what it has room
 * for, each its fair share.  Only recipients that are due, not held and whose
 * next hop has room are in OUT[i]; the rows of others stay untouched.  Bodies
 * are opened when read.
 * *NEXT_MS: when something is due next for a next hop that has room left, by
 * the queue's time; INT64_MAX: never.
 */
bool waits queue_claim(struct queue *q, const struct claim_wish *wish,
		       struct message **out, size_t *n,
		       int64_t *next_ms) must_check;

/* Was there something that the last queue_claim() could not read?  From any
 * thread. */
bool queue_is_unread(const struct queue *q);

/* The next hops for which anything waits that is not held, in ARENA; up to MOST. */
bool waits queue_next_hops(struct queue *q, struct arena *arena,
			   struct next_hop *out, size_t most,
			   size_t *n) must_check;

/* What waits for HOP and is not held is due now. */
bool waits queue_hurry(struct queue *q, const struct next_hop *hop) must_check;

/* ---- where it goes now (redirect.c) ---- */

/* A recipient that waits and is not held, as route() is to be asked for it. */
struct waiting {
	int64_t message; /* its row */
	struct str as;   /* who asked */
	uint64_t bytes;
	struct recipient r; /* address, trail, part, next_hop, is_ours, row */
};

/* Up to MOST of those of DOMAIN (empty: of all), after row ROW of MESSAGE, in
 * ARENA.  In pages, so that neither the engine nor the log waits for a long
 * queue. */
bool waits queue_look(struct queue *q, struct str domain, int64_t message,
		      int64_t row, struct arena *arena, struct waiting *out,
		      size_t most, size_t *n) must_check;
/* These go elsewhere now, to their r.next_hop: they are due now, and what is
 * being attempted, after that. */
bool waits queue_redirect(struct queue *q, const struct waiting *list,
			  size_t n) must_check;
/* The last change of the directory that the queue has followed, kept in
 * queue.db; -1: none yet. */
bool waits queue_followed(struct queue *q, int64_t *change) must_check;
bool waits queue_set_followed(struct queue *q, int64_t change) must_check;

/* Files that queue_open() moved to spool.orphans/, because queue.db does not
 * know them, and back, because it knows them again. */
void queue_swept(struct queue *q, size_t *moved_aside, size_t *back);
/* How many lie in spool.orphans/; blocks. */
size_t queue_orphans(struct queue *q);

/* Is there more to claim than the last queue_claim() knew: did the command line
 * commit (*OTHERS), or a message become due earlier than *NEXT_MS said?  Cheap,
 * meant to be asked twice a second. */
bool waits queue_changed(struct queue *q, bool *others);

/* Who asks has seen all there is and may sleep, for WAKE(ARG) is called when there
 * is more, once, on a thread of the queue's; not for what the command line does.
 * EMPTY: only if nothing waits at all.  False: there is more. */
bool waits queue_rest(struct queue *q, bool empty, void (*wake)(void *arg),
		      void *arg);
/* He is awake.  False: WAKE was called. */
bool waits queue_rest_end(struct queue *q);

/* Is free space low?  Then new mail is refused with 452 4.3.1, so that there
 * is room to settle the old.  Looks at most once a second, and waits for a
 * file system that hangs half a second at most. */
bool waits queue_is_full(struct queue *q);
/* Copy the queue.db at PATH, as of one moment, to the new file TO; the engine may
 * run.  Blocks. */
bool queue_copy(const char *path, const char *to) must_check;
/* Can anything be committed?  Commits something that changes nothing. False:
 * cause(). */
bool waits queue_try(struct queue *q) must_check;
/* Can the queue of data folder FOLDER be written by whoever comes, or does
 * somebody hold it?  From any thread; blocks, for some seconds at most.  False:
 * cause(). */
bool queue_is_free(const char *folder) must_check;

void queue_counts(struct queue *q, uint64_t *commits, uint64_t *kept);

#endif
