/*
 * The statements of queue.db.
 *
 * Invariants:
 *  1. Every statement is reset before the function that stepped it returns,
 *     apart from DUE, which store_due_end() resets.
 *  2. Every value is bound; no SQL is made at run time.
 *  3. After a commit that failed nothing of it can come back (store_commit).
 */
#include "queue/store.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/address.h"

extern const char queue_schema[];

enum {
	SCHEMA_VERSION = 1,
	FLAG_8BIT = 1,
	FLAG_UTF8 = 2,
	FLAG_CRLF = 4,
	VERDICT_BOUNCE = 1,
};

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	MARK,
	UNMARK,
	UNDO,
	LOOK,
	SCAR,
	VERSION,
	ADD_MESSAGE,
	ADD_BODY,
	ADD_RECIPIENT,
	HAS,
	UPDATE,
	REMOVE,
	HURRY,
	LEFT,
	END_MESSAGE,
	END_BODY,
	DUE,
	NEXT,
	LOAD_MESSAGE,
	LOAD_BODY,
	LOAD_RECIPIENTS,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
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
	                " asker, client, helo, arrived, trace, bytes, spool)"
	                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
	[ADD_BODY] = "INSERT INTO body (message, bytes) VALUES (?,?)",
	[ADD_RECIPIENT] = "INSERT INTO recipient (message, row, address,"
	                  " domain, orcpt, notify, trail, part, is_member,"
	                  " held, verdict, attempts, next_attempt, code,"
	                  " status, reply, remote, system, delay_told)"
	                  " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[HAS] = "SELECT (SELECT max(row) FROM recipient WHERE message = ?1)"
	        " FROM message WHERE row = ?1",
	/* an order to bounce, given meanwhile, stays due */
	[UPDATE] = "UPDATE recipient SET attempts = ?3, next_attempt ="
	           " CASE verdict WHEN 0 THEN ?4 ELSE next_attempt END,"
	           " code = ?5, status = ?6, reply = ?7, remote = ?8,"
	           " system = ?9, delay_told = ?10, trail = ?11, part = ?12"
	           " WHERE message = ?1 AND row = ?2",
	[REMOVE] = "DELETE FROM recipient WHERE message = ?1 AND row = ?2",
	[LEFT] = "SELECT m.spool, EXISTS (SELECT 1 FROM recipient"
	         " WHERE message = m.row) FROM message m WHERE m.row = ?1",
	[END_MESSAGE] = "DELETE FROM message WHERE row = ?1",
	[END_BODY] = "DELETE FROM body WHERE message = ?1",
	[HURRY] = "UPDATE recipient SET next_attempt = ?2 WHERE held = 0"
	          " AND next_attempt > ?2 AND system = ?1",
	[DUE] = "SELECT message, next_attempt FROM recipient"
	        " INDEXED BY recipient_due WHERE held = 0"
	        " AND next_attempt <= ?1 ORDER BY next_attempt",
	[NEXT] = "SELECT min(next_attempt) FROM recipient"
	         " INDEXED BY recipient_due WHERE held = 0"
	         " AND next_attempt > ?1",
	[LOAD_MESSAGE] = "SELECT " MESSAGE_COLUMNS " FROM message"
	                 " WHERE row = ?1",
	[LOAD_BODY] = "SELECT bytes FROM body WHERE message = ?1",
	[LOAD_RECIPIENTS] = "SELECT " RECIPIENT_COLUMNS " FROM recipient"
	                    " WHERE message = ?1 AND held = 0"
	                    " AND next_attempt <= ?2 ORDER BY row",
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	int log_pages;
};

bool store_trouble(sqlite3 *db)
{
	if (sqlite3_errcode(db) == SQLITE_FULL)
		return fail("queue.db: no space");
	return fail("queue.db: %s", sqlite3_errmsg(db));
}

/* ---- opening ---- */

static bool run_text(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ||
	       store_trouble(db);
}

static bool version_of(sqlite3 *db, int *version)
{
	sqlite3_stmt *st;
	bool ok;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL))
		return store_trouble(db);
	ok = sqlite3_step(st) == SQLITE_ROW;
	if (ok)
		*version = sqlite3_column_int(st, 0);
	else
		store_trouble(db);
	sqlite3_finalize(st);
	return ok;
}

static bool make_tables(sqlite3 *db)
{
	return run_text(db, "BEGIN IMMEDIATE") && run_text(db, queue_schema) &&
	       run_text(db, "PRAGMA user_version = 1; COMMIT");
}

static bool have_tables(sqlite3 *db, bool make)
{
	int version = 0;

	if (!version_of(db, &version))
		return false;
	if (version == 0 && make)
		return make_tables(db);
	if (version != SCHEMA_VERSION)
		return fail("queue.db has version %d, this Splitmail reads %d",
		            version, SCHEMA_VERSION);
	return true;
}

/* Small pages: a commit writes every page it touched, whole, and measured for
 * bodies of 2 to 64 KiB that matters more than long bodies in few pages.
 * Debian's SQLite wipes what is deleted, and so would write each body twice;
 * FAST wipes only what is written anyway. */
static const char settings[] =
        "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;"
        "PRAGMA secure_delete = FAST;"
        "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -65536; PRAGMA trusted_schema = OFF;"
        "PRAGMA journal_size_limit = 67108864;";

sqlite3 *store_connect(const char *path, bool make)
{
	sqlite3 *db;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

	if (make)
		flags |= SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
		fail("open %s: %s", path, sqlite3_errmsg(db));
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, 10000);
	if (run_text(db, settings) && have_tables(db, make))
		return db;
	add_cause("open %s", path);
	sqlite3_close(db);
	return NULL;
}

static int on_log_grown(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	s->log_pages = pages;
	return SQLITE_OK;
}

static bool prepare_all(struct store *s)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1,
		                       SQLITE_PREPARE_PERSISTENT, &s->st[i],
		                       NULL) != SQLITE_OK)
			return store_trouble(s->db);
	return true;
}

struct store *store_open(const char *path)
{
	sqlite3 *db = store_connect(path, true);
	struct store *s;

	if (!db)
		return NULL;
	s = must_alloc(sizeof(*s));
	*s = (struct store){ .db = db };
	/* takes the place of SQLite's own checkpoint in the midst of commits */
	sqlite3_wal_hook(db, on_log_grown, s);
	if (prepare_all(s))
		return s;
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	free(s);
}

/* ---- statements ---- */

/* Run one that returns no row. */
static bool run(struct store *s, enum statement which)
{
	bool ok = sqlite3_step(s->st[which]) == SQLITE_DONE;

	if (!ok)
		store_trouble(s->db);
	sqlite3_reset(s->st[which]);
	return ok;
}

/* Step one that returns rows: *ROW says whether one came; the caller resets. */
static bool next_row(struct store *s, enum statement which, bool *row)
{
	int rc = sqlite3_step(s->st[which]);

	*row = rc == SQLITE_ROW;
	return *row || rc == SQLITE_DONE || store_trouble(s->db);
}

static void bind_str(sqlite3_stmt *st, int at, struct str s)
{
	sqlite3_bind_text64(st, at, s.p ? s.p : "", s.n, SQLITE_STATIC,
	                    SQLITE_UTF8);
}

static struct str column_str(sqlite3_stmt *st, int at, struct arena *a)
{
	const char *p = (const char *)sqlite3_column_text(st, at);

	return p ? arena_str(a, (struct str){ p, (size_t)sqlite3_column_bytes(
	                                                 st, at) })
	         : S("");
}

/* ---- transactions ---- */

bool store_begin(struct store *s)
{
	return run(s, BEGIN);
}

bool store_is_broken(struct store *s)
{
	return sqlite3_get_autocommit(s->db);
}

void store_undo_all(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db)) {
		sqlite3_step(s->st[ROLLBACK]);
		sqlite3_reset(s->st[ROLLBACK]);
	}
}

/*
 * A commit whose sync failed has left whole frames in the log.  This process
 * does not see them any more, but recovery after a crash would: mail that was
 * answered 451 would come back, its spool file gone.  A small commit of no
 * meaning takes their place in the log.
 */
static void cover_scar(struct store *s)
{
	sqlite3_step(s->st[SCAR]);
	sqlite3_reset(s->st[SCAR]);
}

bool store_commit(struct store *s)
{
	if (sqlite3_get_autocommit(s->db))
		return fail("queue.db: the transaction was undone");
	if (run(s, COMMIT))
		return true;
	store_undo_all(s);
	cover_scar(s);
	return false;
}

bool store_mark(struct store *s)
{
	return run(s, MARK);
}

void store_unmark(struct store *s)
{
	sqlite3_step(s->st[UNMARK]);
	sqlite3_reset(s->st[UNMARK]);
}

void store_undo(struct store *s)
{
	if (sqlite3_get_autocommit(s->db))
		return;
	sqlite3_step(s->st[UNDO]);
	sqlite3_reset(s->st[UNDO]);
	store_unmark(s);
}

bool store_look(struct store *s)
{
	return run(s, LOOK);
}

void store_look_end(struct store *s)
{
	sqlite3_step(s->st[COMMIT]);
	sqlite3_reset(s->st[COMMIT]);
}

void store_checkpoint(struct store *s)
{
	int left, moved;

	if (s->log_pages &&
	    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
	                              &left, &moved) == SQLITE_OK)
		s->log_pages = left > moved ? left - moved : 0;
}

int store_log_pages(const struct store *s)
{
	return s->log_pages;
}

int64_t store_version(struct store *s)
{
	bool row;
	int64_t version = -1;

	if (next_row(s, VERSION, &row) && row)
		version = sqlite3_column_int64(s->st[VERSION], 0);
	sqlite3_reset(s->st[VERSION]);
	return version;
}

/* ---- adding ---- */

static bool add_body(struct store *s, int64_t number, struct str bytes)
{
	sqlite3_stmt *st = s->st[ADD_BODY];

	sqlite3_bind_int64(st, 1, number);
	sqlite3_bind_blob64(st, 2, bytes.p, bytes.n, SQLITE_STATIC);
	return run(s, ADD_BODY);
}

static int flags_of(const struct message *m)
{
	return (m->is_8bit ? FLAG_8BIT : 0) | (m->is_utf8 ? FLAG_UTF8 : 0) |
	       (m->body.ends_with_crlf ? FLAG_CRLF : 0);
}

static bool add_message(struct store *s, struct message *m, int64_t number,
                        const char *spool_name)
{
	sqlite3_stmt *st = s->st[ADD_MESSAGE];
	struct inet_text client = inet_text(&m->client);

	sqlite3_bind_int64(st, 1, number);
	bind_str(st, 2, m->sender);
	bind_str(st, 3, m->envid);
	sqlite3_bind_int(st, 4, m->ret);
	sqlite3_bind_int(st, 5, flags_of(m));
	bind_str(st, 6, m->as);
	bind_str(st, 7, str_of(client.c));
	bind_str(st, 8, m->helo);
	sqlite3_bind_int64(st, 9, m->arrived_wall_ms);
	bind_str(st, 10, m->trace);
	sqlite3_bind_int64(st, 11, (int64_t)m->body.bytes);
	sqlite3_bind_text(st, 12, spool_name, -1, SQLITE_STATIC);
	return run(s, ADD_MESSAGE);
}

/* The canonical domain; what is no address has none. */
static struct str domain_of(struct message *m, struct str address)
{
	struct address a;

	return address_parse(address, m->arena, &a) ? a.domain : S("");
}

static bool add_recipient(struct store *s, struct message *m, int64_t number,
                          const struct recipient *r, int64_t row)
{
	sqlite3_stmt *st = s->st[ADD_RECIPIENT];

	sqlite3_bind_int64(st, 1, number);
	sqlite3_bind_int64(st, 2, row);
	bind_str(st, 3, r->address);
	bind_str(st, 4, domain_of(m, r->address));
	bind_str(st, 5, r->orcpt);
	sqlite3_bind_int(st, 6, (int)r->notify);
	bind_str(st, 7, r->trail);
	sqlite3_bind_int(st, 8, r->part);
	sqlite3_bind_int(st, 9, r->is_member);
	sqlite3_bind_int(st, 10, r->held);
	sqlite3_bind_int(st, 11, r->bounce_wanted ? VERDICT_BOUNCE : 0);
	sqlite3_bind_int64(st, 12, r->attempts);
	sqlite3_bind_int64(st, 13, r->next_attempt_ms);
	sqlite3_bind_int(st, 14, r->reply.code);
	bind_str(st, 15, str_of(r->reply.status));
	bind_str(st, 16, r->reply.text);
	bind_str(st, 17, r->remote);
	bind_str(st, 18, r->system);
	sqlite3_bind_int(st, 19, r->delay_told);
	return run(s, ADD_RECIPIENT);
}

bool store_add_recipients(struct store *s, struct message *m, int64_t number,
                          int64_t first)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct recipient *r = &m->recipients[i];

		if (!recipient_is_new(r))
			continue;
		if (!add_recipient(s, m, number, r, first++))
			return false;
	}
	return true;
}

bool store_add(struct store *s, struct message *m, const char *spool_name)
{
	int64_t number = id_number(str_of(m->id));

	if (!number)
		return fail("keep: %s is no queue id", m->id);
	return add_message(s, m, number, spool_name) &&
	       (spool_name || add_body(s, number, body_in_memory(&m->body))) &&
	       store_add_recipients(s, m, number, 1);
}

/* ---- changing ---- */

bool store_has(struct store *s, int64_t number, bool *yes, int64_t *last)
{
	sqlite3_stmt *st = s->st[HAS];
	bool ok;

	sqlite3_bind_int64(st, 1, number);
	ok = next_row(s, HAS, yes);
	*last = ok && *yes ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return ok;
}

bool store_update(struct store *s, int64_t number, const struct recipient *r)
{
	sqlite3_stmt *st = s->st[UPDATE];

	sqlite3_bind_int64(st, 1, number);
	sqlite3_bind_int64(st, 2, r->row);
	sqlite3_bind_int64(st, 3, r->attempts);
	sqlite3_bind_int64(st, 4, r->next_attempt_ms);
	sqlite3_bind_int(st, 5, r->reply.code);
	bind_str(st, 6, str_of(r->reply.status));
	bind_str(st, 7, r->reply.text);
	bind_str(st, 8, r->remote);
	bind_str(st, 9, r->system);
	sqlite3_bind_int(st, 10, r->delay_told);
	bind_str(st, 11, r->trail);
	sqlite3_bind_int(st, 12, r->part);
	return run(s, UPDATE);
}

bool store_hurry(struct store *s, struct str system, int64_t now_ms)
{
	bind_str(s->st[HURRY], 1, system);
	sqlite3_bind_int64(s->st[HURRY], 2, now_ms);
	return run(s, HURRY);
}

bool store_remove(struct store *s, int64_t number, int64_t row)
{
	sqlite3_bind_int64(s->st[REMOVE], 1, number);
	sqlite3_bind_int64(s->st[REMOVE], 2, row);
	return run(s, REMOVE);
}

bool store_end(struct store *s, int64_t number, bool *gone, bool *spooled)
{
	sqlite3_stmt *st = s->st[LEFT];
	bool ok, row, left;

	sqlite3_bind_int64(st, 1, number);
	ok = next_row(s, LEFT, &row);
	*spooled = ok && row && sqlite3_column_type(st, 0) != SQLITE_NULL;
	left = ok && row && sqlite3_column_int(st, 1);
	*gone = ok && !left;
	sqlite3_reset(st);
	if (!ok || !row || left)
		return ok;
	sqlite3_bind_int64(s->st[END_MESSAGE], 1, number);
	sqlite3_bind_int64(s->st[END_BODY], 1, number);
	return run(s, END_MESSAGE) && (*spooled || run(s, END_BODY));
}

/* ---- what is due ---- */

bool store_due(struct store *s, int64_t now_ms, int64_t *number, int64_t *due,
               bool *failed)
{
	sqlite3_stmt *st = s->st[DUE];
	bool row;

	if (!sqlite3_stmt_busy(st))
		sqlite3_bind_int64(st, 1, now_ms);
	*failed = !next_row(s, DUE, &row);
	if (!row)
		return false;
	*number = sqlite3_column_int64(st, 0);
	*due = sqlite3_column_int64(st, 1);
	return true;
}

void store_due_end(struct store *s)
{
	sqlite3_reset(s->st[DUE]);
}

bool store_next(struct store *s, int64_t now_ms, int64_t *due)
{
	sqlite3_stmt *st = s->st[NEXT];
	bool ok, row;

	*due = INT64_MAX;
	sqlite3_bind_int64(st, 1, now_ms);
	ok = next_row(s, NEXT, &row);
	if (row && sqlite3_column_type(st, 0) != SQLITE_NULL)
		*due = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return ok;
}

void store_read_recipient(sqlite3_stmt *st, struct message *m)
{
	struct recipient *r = message_add(m, S(""));
	struct str status = column_str(st, 12, m->arena);

	r->row = sqlite3_column_int64(st, 0);
	r->address = column_str(st, 1, m->arena);
	r->orcpt = column_str(st, 2, m->arena);
	r->notify = (unsigned)sqlite3_column_int(st, 3);
	r->trail = column_str(st, 4, m->arena);
	r->part = (enum recipient_part)sqlite3_column_int(st, 5);
	r->is_member = sqlite3_column_int(st, 6);
	r->bounce_wanted = sqlite3_column_int(st, 7) == VERDICT_BOUNCE;
	r->held = sqlite3_column_int(st, 8);
	r->attempts = (unsigned)sqlite3_column_int64(st, 9);
	r->next_attempt_ms = sqlite3_column_int64(st, 10);
	r->reply.code = sqlite3_column_int(st, 11);
	status = str_part(status, 0, sizeof(r->reply.status) - 1);
	memcpy(r->reply.status, status.p, status.n);
	r->reply.text = column_str(st, 13, m->arena);
	r->remote = column_str(st, 14, m->arena);
	r->system = column_str(st, 15, m->arena);
	r->delay_told = sqlite3_column_int(st, 16);
	r->state = RECIPIENT_WAITING;
}

void store_read_message(sqlite3_stmt *st, struct message *m, const char *spool)
{
	struct arena *a = m->arena;
	int flags = sqlite3_column_int(st, 3);
	const char *name;

	m->sender = column_str(st, 0, a);
	m->envid = column_str(st, 1, a);
	m->ret = (enum ret)sqlite3_column_int(st, 2);
	m->is_8bit = flags & FLAG_8BIT;
	m->is_utf8 = flags & FLAG_UTF8;
	m->as = column_str(st, 4, a);
	if (!inet_parse(column_str(st, 5, a), 0, &m->client))
		m->client = (struct inet){ .port = 0 };
	m->helo = column_str(st, 6, a);
	m->arrived_wall_ms = sqlite3_column_int64(st, 7);
	m->trace = column_str(st, 8, a);
	name = (const char *)sqlite3_column_text(st, 10);
	if (name)
		m->body.path = arena_printf(a, "%s/%s", spool, name);
	m->body.bytes = (uint64_t)sqlite3_column_int64(st, 9);
	m->body.ends_with_crlf = flags & FLAG_CRLF;
}

static bool load_body(struct store *s, struct message *m)
{
	sqlite3_stmt *st = s->st[LOAD_BODY];
	bool ok, row;

	sqlite3_bind_int64(st, 1, m->row);
	ok = next_row(s, LOAD_BODY, &row);
	if (ok && !row)
		ok = fail("queue.db: message %s has no body", m->id);
	if (ok) {
		buf_add(&m->body.memory,
		        (struct str){ sqlite3_column_blob(st, 0),
		                      (size_t)sqlite3_column_bytes(st, 0) });
		body_note(&m->body);
	}
	sqlite3_reset(st);
	return ok;
}

static bool load_recipients(struct store *s, struct message *m, int64_t now_ms)
{
	sqlite3_stmt *st = s->st[LOAD_RECIPIENTS];
	bool ok, row;

	sqlite3_bind_int64(st, 1, m->row);
	sqlite3_bind_int64(st, 2, now_ms);
	while ((ok = next_row(s, LOAD_RECIPIENTS, &row)) && row)
		store_read_recipient(st, m);
	sqlite3_reset(st);
	return ok;
}

bool store_load(struct store *s, int64_t number, int64_t now_ms,
                const char *spool, struct message **out)
{
	sqlite3_stmt *st = s->st[LOAD_MESSAGE];
	struct message *m = message_again(number);
	bool ok, row;

	*out = NULL;
	sqlite3_bind_int64(st, 1, number);
	ok = next_row(s, LOAD_MESSAGE, &row);
	if (row)
		store_read_message(st, m, spool);
	sqlite3_reset(st);
	m->row = number;
	m->is_kept = true;
	if (ok && row)
		ok = load_recipients(s, m, now_ms) &&
		     (m->body.path || load_body(s, m));
	if (ok && row)
		*out = m;
	else
		message_drop(m);
	return ok;
}
