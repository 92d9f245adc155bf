/*
 * queue.db: its statements, as functions.  Inside of queue/ only.
 *
 * A store is one connection and belongs to one thread at a time.  It knows
 * rows and messages; batches, claims and spool files are queue.c's.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include <sqlite3.h>

#include "queue/message.h"

struct store;

/* A connection with everything set that matters for its safety.  MAKE: the
 * file and its tables are made when missing.  NULL: cause(). */
sqlite3 *store_connect(const char *path, bool make);
/* SQLite's own words for what went wrong; "no space" for a full disk. */
bool store_trouble(sqlite3 *db);

struct store *store_open(const char *path);	/* NULL: cause() */
void store_close(struct store *s);		/* NULL is allowed */

/* ---- transactions ---- */

bool store_begin(struct store *s) must_check;
/* Did SQLite end the transaction by itself (disk full, EIO)? */
bool store_is_broken(struct store *s);
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

/* ---- rows ---- */

static inline bool recipient_is_open(const struct recipient *r)
{
	return r->state == RECIPIENT_WAITING || r->state == RECIPIENT_LATER;
}
static inline bool recipient_is_new(const struct recipient *r)
{
	return !r->row && recipient_is_open(r);
}

/* M, its body (SPOOL_NAME or NULL) and its WAITING and LATER recipients, whose
 * rows are FIRST, FIRST + 1, ... in their order. */
bool store_add(struct store *s, struct message *m, const char *spool_name)
	must_check;
bool store_add_recipients(struct store *s, struct message *m, int64_t number,
			  int64_t first) must_check;
/* Is the message there?  *LAST: the highest row of its recipients. */
bool store_has(struct store *s, int64_t number, bool *yes, int64_t *last)
	must_check;
bool store_update(struct store *s, int64_t number, const struct recipient *r)
	must_check;
bool store_remove(struct store *s, int64_t number, int64_t row) must_check;
/* What waits for SYSTEM and is not held is due NOW. */
bool store_hurry(struct store *s, struct str system, int64_t now_ms)
	must_check;
/* Remove the message when its last recipient has left; *GONE says so, also when it
 * was gone before; *SPOOLED: it had a file. */
bool store_end(struct store *s, int64_t number, bool *gone, bool *spooled)
	must_check;

/* What is due, the longest first: *NUMBER may come several times.  False: no
 * more, or trouble (*FAILED). */
bool store_due(struct store *s, int64_t now_ms, int64_t *number, int64_t *due,
	       bool *failed) must_check;
void store_due_end(struct store *s);
/* The earliest that is due after NOW; INT64_MAX: none. */
bool store_next(struct store *s, int64_t now_ms, int64_t *due) must_check;
/* What a message and a recipient are read from, in this order. */
#define MESSAGE_COLUMNS                                                  \
	"sender, envid, ret, flags, asker, client, helo, arrived, trace," \
	" bytes, spool"
#define RECIPIENT_COLUMNS                                                   \
	"row, address, orcpt, notify, trail, part, is_member, verdict, held," \
	" attempts, next_attempt, code, status, reply, remote, system,"       \
	" delay_told"

void store_read_message(sqlite3_stmt *st, struct message *m,
			const char *spool);
void store_read_recipient(sqlite3_stmt *st, struct message *m);
/* A message with its recipients that are due at NOW.  *OUT stays NULL when it is
 * not there. */
bool store_load(struct store *s, int64_t number, int64_t now_ms,
		const char *spool, struct message **out) must_check;

#endif
