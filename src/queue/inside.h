/*
 * What the files of the queue share: queue.c (batches, keep, settle), claim.c
 * (what is due, and for whom), spool.c (the files of large bodies).
 */
#ifndef QUEUE_INSIDE_H
#define QUEUE_INSIDE_H

#include <stdatomic.h>

#include "base/hash.h"
#include "queue/clock.h"
#include "queue/lanes.h"
#include "queue/queue.h"
#include "queue/store.h"
#include "queue/underway.h"

struct claim {
	int64_t number;    /* the message's row */
	uint64_t attempts; /* that its recipients had seen before */
	struct claim *next_in_batch;
	UT_hash_handle hh;
};

/* One keep or settle, on the stack of the fiber that waits for it. */
struct change {
	struct queue *q;
	struct message *m; /* NULL: only the DSNs */
	int64_t number;    /* M's row, or what it will be */
	struct message *const *dsns;
	size_t n_dsns;
	bool claim;         /* keep: M is the caller's */
	bool goes_on;       /* settle: and stays so */
	int64_t first_new;  /* settle: row of the first new
	                       recipient; 0: none was added */
	bool gone, spooled; /* settle: the message has left; it
	                       had a file */
	struct change *next_in_batch;
};

struct batch {
	bool begun;             /* a transaction */
	struct claim *claimed;  /* in this batch */
	struct change *settled; /* their claims end with it */
	struct change *kept;    /* their files are marked after it */
	uint64_t n_kept;
	int64_t due_ms; /* the earliest that it made due */
};

/* Who is to be woken when the queue is no longer empty. */
struct sleeper {
	void (*wake)(void *arg); /* NULL: nobody sleeps */
	void *arg;
};

struct queue {
	char *folder, *orphans;
	struct spool spool;
	struct lock *lock;
	struct worker *writer;
	struct store *store;
	struct underway *underway; /* what others are told of our claims */
	struct claim *claims;
	struct lanes lanes;
	bool lanes_are_old; /* somebody else changed rows */
	/* claim.c: how far it looked for late mail, and from when again */
	struct entry late_after;
	int64_t late_from_ms;
	struct batch batch;
	int64_t told_next_ms; /* by the last queue_claim() */
	int64_t version;
	bool has_news;
	struct sleeper sleeper; /* rest.c */
	struct instant clock;   /* as it was written down last */
	_Atomic int64_t last_boot_ms, offset_ms; /* queue_now() */
	_Atomic uint64_t commits, kept;
	_Atomic int64_t looked_ms;        /* room.c */
	_Atomic bool is_looking, is_full; /* likewise */
	_Atomic bool is_unread;           /* claim.c */
	size_t moved_aside, back;         /* spool.c, at the start */
};

/* ---- batch.c ---- */

/* For calls that write. */
bool batch_begin(struct queue *q) must_check;

/* ---- claim.c ---- */

struct claim *claim_find(struct queue *q, int64_t number);
struct claim *claim_add(struct queue *q, int64_t number);
void claim_remove(struct queue *q, struct claim *c, bool was_tried);
/* After the commit: what is left of the message is anybody's again.  M is what
 * became of it, or NULL: it was not tried. */
void claim_end(struct queue *q, int64_t number, const struct message *m);
uint64_t claim_attempts(const struct message *m);
void claims_free(struct queue *q);
/* For store_lanes() and store_dues(): the lane of a row, as the row says. */
void lanes_note_row(void *queue, struct next_hop hop, int64_t due_ms);
/* Has another process changed rows? */
bool lanes_heard(struct queue *q);

/* ---- rest.c ---- */

/* On the writer's thread: there is something in it. */
void sleeper_wake(struct queue *q);

/* ---- spool.c ---- */

enum { SPOOL_NAME_BYTES = ID_LETTERS + sizeof(".eml") };

struct spool_name {
	char c[SPOOL_NAME_BYTES];
};

struct spool_name spool_name(int64_t number);
/* At the start: leftovers of a crash go, files of mail that queue.db has lost
 * are moved aside, and back when it knows them again. */
bool spool_sweep(struct queue *q) must_check;
/* Sync and name the files of C's DSNs and, WITH_MESSAGE, of its message. */
bool waits spool_keep_all(struct change *c, bool with_message) must_check;
/* What the transaction that failed would have needed. */
void waits spool_undo(struct change *c, bool with_message);
/* A file that cannot be removed is swept at the next start. */
void waits spool_remove(struct queue *q, const struct message *m);
/* The file's row is on the disk; it is about to go.  The writer's thread. */
void spool_mark(struct queue *q, int64_t number);
void spool_unmark(struct queue *q, int64_t number);

#endif
