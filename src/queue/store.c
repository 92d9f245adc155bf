/*
 * The statements of queue.db, and transactions of them; those that write and
 * read messages are run by store_rows.c.
 *
 * Invariants:
 *  1. Every statement is reset before the function that stepped it returns,
 *     apart from DUE, which store_due_end() resets.
 *  2. Every value is bound; no SQL is made at run time.
 *  3. After a commit that failed nothing of it can come back (store_commit).
 */
#include "queue/store_inside.h"

#include <stdio.h>
#include <stdlib.h>

#define WAITS_FOR \
	" FROM recipient INDEXED BY recipient_due WHERE held = 0" \
	" AND next_hop = ?1 AND " LANE " = ?2"

#define WAITING_COLUMNS \
	"r.message, asker, bytes, r.row, address, r.trail, part," \
	" next_hop, " LANE ", ours FROM recipient r" \
	" JOIN message m ON m.row = r.message"

/* Who changed its time during the attempt has the last word: an order, or that
 * it goes elsewhere now. */
#define UNCHANGED "verdict = 0 AND next_attempt = ?15"

static const char *const texts[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[MARK] = "SAVEPOINT call",
	[UNMARK] = "RELEASE call",
	[UNDO] = "ROLLBACK TO call",
	[LOOK] = "BEGIN",
	[SCAR] = "UPDATE scar SET n = n + 1",
	[VERSION] = "PRAGMA data_version",
	[ADD_MESSAGE] = "INSERT INTO message (row, sender, envid, ret, flags,"
			" asker, client, helo, arrived, trace, bytes, spool,"
			" entered) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[ADD_BODY] = "INSERT INTO body (message, bytes) VALUES (?,?)",
	[ADD_RECIPIENT] = "INSERT INTO recipient (message, row, address,"
			  " domain, orcpt, notify, trail, part, is_member,"
			  " held, verdict, attempts, next_attempt, code,"
			  " status, reply, remote, system, delay_told,"
			  " next_hop, ours, sender) VALUES"
			  " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[HAS] = "SELECT (SELECT max(row) FROM recipient WHERE message = ?1)"
		" FROM message WHERE row = ?1",
	[ANY] = "SELECT 1 FROM message LIMIT 1",
	[UPDATE] = "UPDATE recipient SET attempts = ?3, next_attempt ="
		   " CASE WHEN " UNCHANGED " THEN ?4 ELSE next_attempt END,"
		   " code = ?5, status = ?6, reply = ?7, remote = ?8,"
		   " system = CASE WHEN " UNCHANGED " THEN ?9 ELSE system"
		   " END, delay_told = ?10, trail = ?11, part = ?12,"
		   " next_hop = CASE WHEN " UNCHANGED " THEN ?13"
		   " ELSE next_hop END, ours = ?14, sender = ?16"
		   " WHERE message = ?1 AND row = ?2",
	[REMOVE] = "DELETE FROM recipient WHERE message = ?1 AND row = ?2",
	[HOLD] = "UPDATE recipient SET held = 1, verdict = 2, code = 451,"
		 " status = '4.3.0', reply = ?2, remote = ''"
		 " WHERE message = ?1",
	[LEFT] = "SELECT m.spool, EXISTS (SELECT 1 FROM recipient"
		 " WHERE message = m.row) FROM message m WHERE m.row = ?1",
	[END_MESSAGE] = "DELETE FROM message WHERE row = ?1",
	[END_BODY] = "DELETE FROM body WHERE message = ?1",
	/* Not as one, by (next_hop, LANE) > (?1, ?2): of an expression SQLite
	 * makes no bound there, and reads all lanes before each. */
	[NEXT_LANE] = "SELECT next_hop, " LANE ", next_attempt"
		      " FROM recipient INDEXED BY recipient_due WHERE held = 0"
		      " AND next_hop = ?1 AND " LANE " > ?2"
		      " ORDER BY " LANE ", next_attempt LIMIT 1",
	[NEXT_KIND] = "SELECT next_hop, " LANE ", next_attempt"
		      " FROM recipient INDEXED BY recipient_due WHERE held = 0"
		      " AND next_hop > ?1"
		      " ORDER BY next_hop, " LANE ", next_attempt LIMIT 1",
	[DUES] = "SELECT next_hop, " LANE ", next_attempt FROM recipient"
		 " WHERE message = ?1 AND held = 0",
	[DUE] = "SELECT message, next_attempt" WAITS_FOR
		" ORDER BY next_attempt",
	[ENTERED] = "SELECT row, entered FROM message"
		    " INDEXED BY message_entered WHERE (entered, row) >"
		    " (?1, ?3) AND entered <= ?2 ORDER BY entered, row",
	[HURRY] = "UPDATE recipient SET next_attempt = ?3"
		  " WHERE (message, row) IN (SELECT message, row" WAITS_FOR
		  " AND next_attempt > ?3 LIMIT ?4)",
	[LATEST] = "SELECT max(next_attempt)" WAITS_FOR,
	[MEND_ATTEMPTS] = "UPDATE recipient SET next_attempt = ?1"
			  " WHERE held = 0 AND next_attempt > ?2",
	[WRONG_ENTERED] = "SELECT EXISTS (SELECT 1 FROM message"
			  " WHERE entered > ?1) OR EXISTS (SELECT 1"
			  " FROM message WHERE entered <= 0)",
	[MEND_ENTERED] = "UPDATE message SET entered = ?1"
			 " WHERE entered > ?1 OR entered <= 0",
	[LOAD_MESSAGE] = "SELECT " MESSAGE_COLUMNS " FROM message"
			 " WHERE row = ?1",
	[LOAD_BODY] = "SELECT bytes FROM body WHERE message = ?1",
	[LOAD_RECIPIENTS] = "SELECT " RECIPIENT_COLUMNS " FROM recipient"
			    " WHERE message = ?1 AND held = 0"
			    " AND next_attempt <= ?2 ORDER BY row",
	[WAITING] = "SELECT " WAITING_COLUMNS " WHERE held = 0 AND verdict = 0"
		    " AND (r.message, r.row) > (?1, ?2)"
		    " ORDER BY r.message, r.row LIMIT ?3",
	[WAITING_OF_DOMAIN] = "SELECT " WAITING_COLUMNS " WHERE held = 0"
			      " AND verdict = 0 AND domain = ?4"
			      " AND (r.message, r.row) > (?1, ?2)"
			      " ORDER BY r.message, r.row LIMIT ?3",
	[REDIRECT] = "UPDATE recipient SET next_attempt = ?3, next_hop = ?4,"
		     " system = ?5 WHERE message = ?1 AND row = ?2"
		     " AND held = 0 AND verdict = 0",
	[FOLLOWED] = "SELECT change FROM followed WHERE row = 1",
	[SET_FOLLOWED] = "INSERT OR REPLACE INTO followed VALUES (1, ?1)",
	[CLOCK] = "SELECT queue, wall, boot, boot_id FROM clock WHERE row = 1",
	[SET_CLOCK] = "INSERT OR REPLACE INTO clock VALUES (1, ?1, ?2, ?3, ?4)",
	[IDENTITY] = "SELECT id FROM identity WHERE row = 1",
};

struct store *store_open(const char *path)
{
	struct sql *sql;
	struct store *s;

	if (!store_connect(path, true, &sql))
		return NULL;
	s = must_alloc(sizeof(*s));
	*s = (struct store){ .sql = sql };
	sql_keep_log(sql);
	if (store_prepare(sql, texts, STATEMENTS, s->st))
		return s;
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sql_close(s->sql);
	free(s);
}

/* ---- statements ---- */

/* After some failures the whole transaction is gone, and whoever goes on with
 * it is told of the first (sqlite.org/lang_transaction.html, 3). */
static bool trouble(struct store *s)
{
	if (!sql_in_transaction(s->sql))
		failure_save(&s->undone_by);
	return false;
}

/* Step one that returns rows: *ROW says whether one came; the caller resets. */
bool store_step(struct store *s, enum statement which, bool *row)
{
	enum sql_verdict v = query_step(&s->st[which]);

	*row = v == SQL_ROW;
	return !sql_is_trouble(v) || trouble(s);
}

/* Run one that returns no row. */
bool store_run(struct store *s, enum statement which)
{
	bool row, ok = store_step(s, which, &row);

	query_reset(&s->st[which]);
	return ok;
}

/* ---- transactions ---- */

bool store_begin(struct store *s)
{
	return store_run(s, BEGIN);
}

bool store_stands(struct store *s)
{
	if (sql_in_transaction(s->sql))
		return true;
	fail_again(&s->undone_by);
	return add_cause("the transaction was undone");
}

void store_undo_all(struct store *s)
{
	if (sql_in_transaction(s->sql))
		query_run_quietly(&s->st[ROLLBACK]);
}

/*
 * A commit whose sync failed has left whole frames in the log.  This process
 * does not see them any more, but recovery after a crash would: mail that was
 * answered 451 would come back, its spool file gone.  A small commit of no
 * meaning takes their place in the log.
 */
static void cover_scar(struct store *s)
{
	query_run_quietly(&s->st[SCAR]);
}

bool store_commit(struct store *s)
{
	if (!store_stands(s))
		return false;
	if (store_run(s, COMMIT))
		return true;
	store_undo_all(s);
	cover_scar(s);
	return false;
}

bool store_mark(struct store *s)
{
	return store_run(s, MARK);
}

void store_unmark(struct store *s)
{
	query_run_quietly(&s->st[UNMARK]);
}

void store_undo(struct store *s)
{
	if (!sql_in_transaction(s->sql))
		return;
	query_run_quietly(&s->st[UNDO]);
	store_unmark(s);
}

bool store_look(struct store *s)
{
	return store_run(s, LOOK);
}

void store_look_end(struct store *s)
{
	query_run_quietly(&s->st[COMMIT]);
}

void store_checkpoint(struct store *s)
{
	sql_checkpoint(s->sql);
}

int store_log_pages(const struct store *s)
{
	return sql_log_pages(s->sql);
}

int64_t store_version(struct store *s)
{
	bool row;
	int64_t version = -1;

	if (store_step(s, VERSION, &row) && row)
		version = query_int(&s->st[VERSION], 0);
	query_reset(&s->st[VERSION]);
	return version;
}

static void column_text(struct query *q, int at, char *to, size_t room)
{
	snprintf(to, room, "%.*s", STR(query_peek(q, at)));
}

bool store_clock(struct store *s, struct instant *out)
{
	struct query *q = &s->st[CLOCK];
	bool row, ok = store_step(s, CLOCK, &row);

	*out = (struct instant){ .queue_ms = 0 };
	if (row) {
		out->queue_ms = query_int(q, 0);
		out->wall_ms = query_int(q, 1);
		out->boot_ms = query_int(q, 2);
		column_text(q, 3, out->boot_id, sizeof(out->boot_id));
	}
	query_reset(q);
	return ok;
}

bool store_set_clock(struct store *s, const struct instant *now)
{
	struct query *q = &s->st[SET_CLOCK];

	query_set_int(q, 1, now->queue_ms);
	query_set_int(q, 2, now->wall_ms);
	query_set_int(q, 3, now->boot_ms);
	query_set_str(q, 4, str_of(now->boot_id));
	return store_run(s, SET_CLOCK);
}

bool store_identity(struct store *s, char to[17])
{
	bool row, ok = store_step(s, IDENTITY, &row);

	to[0] = '\0';
	if (row)
		column_text(&s->st[IDENTITY], 0, to, 17);
	query_reset(&s->st[IDENTITY]);
	return ok;
}
