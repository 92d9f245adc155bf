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

/* FOLDER holds queue.db and spool/; both are made if missing, leftovers are
 * swept.  One process at a time may have it open.  Before the loops run.
 * NULL: cause(). */
struct queue *queue_open(const char *folder);
void queue_close(struct queue *q);		/* after the loops ended */
const char *queue_spool(const struct queue *q);

/*
 * Commit M with those of its recipients that are WAITING or LATER, and the
 * DSNs that go with it, in one transaction.  They are claimed by the caller
 * when CLAIM (an attempt runs or begins), otherwise due at their
 * next_attempt_ms.  Sets m->row, is_kept and each recipient's row.
 * False: nothing was kept; cause() says why (ENOSPC: "no space").
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
/* End the claim and leave the rows as they are. */
void waits queue_release(struct queue *q, struct message *m);

/*
 * Claim up to MAX messages that are due (a recipient not held with
 * next_attempt_ms <= NOW); only the due recipients are in OUT[i], but
 * recipient rows of others stay untouched.  Bodies are opened when read.
 * *NEXT_MS: wall clock of the earliest one that is left, INT64_MAX: none.
 */
bool waits queue_claim(struct queue *q, int64_t now_wall_ms, size_t max,
		       struct message **out, size_t *n, int64_t *next_ms)
	must_check;

/* SYSTEM is back: what waits for it and is not held is due now. */
bool waits queue_hurry(struct queue *q, struct str system) must_check;

/* Is there more to claim than the last queue_claim() knew: did the command line
 * commit, or a message become due earlier than *NEXT_MS said?  Cheap, meant to
 * be asked twice a second. */
bool waits queue_changed(struct queue *q);

/* Is free space low?  Then new mail is refused with 452 4.3.1, so that there
 * is room to settle the old.  Looks at most once a second. */
bool queue_is_full(struct queue *q);

void queue_counts(struct queue *q, uint64_t *commits, uint64_t *kept);

#endif
