/*
 * queue.db: its statements, as functions.  Inside of queue/ only.
 *
 * A store is one connection and belongs to one thread at a time.  It knows
 * rows and messages; batches, claims and spool files are queue.c's.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include "db/sql.h"
#include "queue/clock.h"
#include "queue/message.h"

struct store;

/* A connection with everything set that matters for its safety.  MAKE: the
 * file and its tables are made when missing; otherwise *OUT is NULL while the
 * engine has not made them yet.  False: cause(). */
bool store_connect(const char *path, bool make, struct sql **out) must_check;
/* All of them, so that nothing is prepared while mail waits. */
bool store_prepare(struct sql *sql, const char *const *texts, size_t n,
		   struct query *out) must_check;

struct store *store_open(const char *path); /* NULL: cause() */
void store_close(struct store *s);          /* NULL is allowed */

/* ---- transactions ---- */

bool store_begin(struct store *s) must_check;
/* Is the transaction still there?  False: SQLite has ended it by itself, and
 * cause() is what made it do so (disk full, EIO). */
bool store_stands(struct store *s) must_check;
/* False: nothing of the transaction is there, now or after a crash. */
bool store_commit(struct store *s) must_check;
void store_undo_all(struct store *s);
/* One call's part of a transaction. */
bool store_mark(struct store *s) must_check;
void store_unmark(struct store *s);
void store_undo(struct store *s);
/* A reading transaction: everything until the end sees one state. */
bool store_look(struct store *s) must_check;
void store_look_end(struct store *s);

/* Move the log into the database; nobody waits for it. */
void store_checkpoint(struct store *s);
int store_log_pages(const struct store *s);
/* Changes when another connection has committed; -1: cause(). */
int64_t store_version(struct store *s);
/* The instant that was written down last; queue_ms is 0: none was. */
bool store_clock(struct store *s, struct instant *out) must_check;
bool store_set_clock(struct store *s, const struct instant *now) must_check;
/* What this queue.db calls itself: 16 hex digits. */
bool store_identity(struct store *s, char to[17]) must_check;

/* ---- rows ---- */

static inline bool recipient_is_open(const struct recipient *r)
{
	return r->state == RECIPIENT_WAITING || r->state == RECIPIENT_LATER;
}
static inline bool recipient_is_new(const struct recipient *r)
{
	return !r->row && recipient_is_open(r);
}

/* The canonical domain of R, which is M's; of what is no address: empty. */
struct str store_domain(struct message *m, const struct recipient *r);
/* M, its body (SPOOL_NAME or NULL) and its WAITING and LATER recipients, whose
 * rows are FIRST, FIRST + 1, ... in their order. */
bool store_add(struct store *s, struct message *m,
	       const char *spool_name) must_check;
bool store_add_recipients(struct store *s, struct message *m, int64_t number,
			  int64_t first) must_check;
/* Is the message there?  *LAST: the highest row of its recipients. */
bool store_has(struct store *s, int64_t number, bool *yes,
	       int64_t *last) must_check;
bool store_has_any(struct store *s, bool *yes) must_check;
bool store_update(struct store *s, int64_t number,
		  const struct recipient *r) must_check;
bool store_remove(struct store *s, int64_t number, int64_t row) must_check;
/* It has killed us too often, and WHY says so in its recipients' replies. */
bool store_hold(struct store *s, int64_t number, struct str why) must_check;
/* Remove the message when its last recipient has left; *GONE says so, also when it
 * was gone before; *SPOOLED: it had a file. */
bool store_end(struct store *s, int64_t number, bool *gone,
	       bool *spooled) must_check;

/* ---- what is due (store_due.c) ---- */

/* Each next hop that rows wait for, and when the first of them is due. */
bool store_lanes(struct store *s,
		 void (*each)(void *, struct next_hop hop, int64_t due_ms),
		 void *arg) must_check;
/* The same of the recipients of one message that are not held. */
bool store_dues(struct store *s, int64_t number,
		void (*each)(void *, struct next_hop hop, int64_t due_ms),
		void *arg) must_check;
/* What waits for HOP and is not held, the longest first: *NUMBER may come
 * several times.  False: no more, or trouble (*FAILED). */
bool store_due(struct store *s, struct next_hop hop, int64_t *number,
	       int64_t *due, bool *failed) must_check;
void store_due_end(struct store *s);
/* Where a message stands in the order of being kept. */
struct entry {
	int64_t ms, number;
};
/* Messages that were kept after AFTER and until UNTIL_MS, in that order. */
bool store_entered(struct store *s, struct entry after, int64_t until_ms,
		   struct entry *out, bool *failed) must_check;
void store_entered_end(struct store *s);
/* Up to MOST of what waits for HOP is due NOW; *CHANGED: how many were. */
bool store_hurry(struct store *s, struct next_hop hop, int64_t now_ms, int most,
		 int *changed) must_check;
/* Is anything due later than MOST_MS from now, or kept in the future or never?
 * Then it is due now, and was kept now. */
bool store_has_wrong_times(struct store *s, int64_t now_ms, int64_t most_ms,
			   bool *yes) must_check;
bool store_mend_times(struct store *s, int64_t now_ms,
		      int64_t most_ms) must_check;

/* ---- where it goes now (store_waiting.c); queue.h ---- */

struct waiting;
bool store_waiting(struct store *s, struct str domain, int64_t message,
		   int64_t row, struct arena *arena, struct waiting *out,
		   size_t most, size_t *n) must_check;
bool store_redirect(struct store *s, const struct waiting *w,
		    int64_t now_ms) must_check;
bool store_followed(struct store *s, int64_t *change) must_check;
bool store_set_followed(struct store *s, int64_t change) must_check;

/* ---- reading ---- */

/* What a next hop is called beside its kind: the column `system` knows no
 * domains (schema.sql, recipient_due). */
#define LANE "(CASE next_hop WHEN 4 THEN domain ELSE system END)"

/* What a message and a recipient are read from, in this order. */
#define MESSAGE_COLUMNS \
	"sender, envid, ret, flags, asker, client, helo, arrived, trace," \
	" bytes, spool, entered"
#define RECIPIENT_COLUMNS \
	"row, address, orcpt, notify, trail, part, is_member, verdict, held," \
	" attempts, next_attempt, code, status, reply, remote, next_hop, " LANE \
	", delay_told, ours, sender"

void store_read_message(struct query *q, struct message *m,
			struct spool *spool);
void store_read_recipient(struct query *q, struct message *m);
/* A message with those of its recipients that are not held, are due at DUE_MS
 * and that WANTS (NULL: all) takes.  *OUT stays NULL when it is not there. */
bool store_load(struct store *s, int64_t number, int64_t due_ms,
		struct spool *spool,
		bool (*wants)(void *, const struct recipient *), void *arg,
		struct message **out) must_check;

#endif
