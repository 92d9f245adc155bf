/*
 * The administrator's hands on queue.db.
 *
 * Everything goes in pages of messages, each in a transaction of its own: a
 * long list does not keep the engine's log from being checkpointed, and orders
 * for a million messages do not keep the engine waiting.
 */
#include "queue/tools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue/store.h"
#include "rt/clock.h"
#include "rt/folder.h"
#include "wire/address.h"

enum {
	PAGE = 500,   /* messages */
	PAUSE_MS = 2, /* between two orders' transactions */
};

/* The parameters of every statement: ?1 message, ?2 time or last message,
 * ?3 recipient, ?4 system, ?5 domain; NULL matches all. */
#define MATCHES                                                                \
	" (?3 IS NULL OR address = ?3 COLLATE NOCASE)"                         \
	" AND (?4 IS NULL OR system = ?4 COLLATE NOCASE)"                      \
	" AND (?5 IS NULL OR domain = ?5)"

enum statement {
	BEGIN,
	LOOK,
	COMMIT,
	ROLLBACK,
	NEXT_BY_DOMAIN,
	NEXT_BY_ID,
	NEXT_OF_ALL,
	MESSAGE,
	RECIPIENTS,
	BODY,
	LOADS,
	TOTAL,
	VERSION,
	MARK,
	DOMAINS,
	ORDERS,
	RETRY = ORDERS + ORDER_RETRY,
	HOLD = ORDERS + ORDER_HOLD,
	RELEASE = ORDERS + ORDER_RELEASE,
	DELETE = ORDERS + ORDER_DELETE,
	BOUNCE = ORDERS + ORDER_BOUNCE,
	END_MESSAGE,
	END_BODY,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[LOOK] = "BEGIN",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	/* clang-format off */
	[NEXT_BY_DOMAIN] = "SELECT DISTINCT message FROM recipient"
		" INDEXED BY recipient_domain WHERE domain = ?5"
		" AND message > ?2 AND" MATCHES " ORDER BY message LIMIT 500",
	[NEXT_BY_ID] = "SELECT DISTINCT message FROM recipient"
		" WHERE message = ?1 AND message > ?2 AND" MATCHES,
	[NEXT_OF_ALL] = "SELECT DISTINCT message FROM recipient"
		" WHERE message > ?2 AND" MATCHES " ORDER BY message LIMIT 500",
	[MESSAGE] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE row = ?1",
	[RECIPIENTS] = "SELECT " RECIPIENT_COLUMNS " FROM recipient"
		" WHERE message = ?1 AND" MATCHES " ORDER BY row",
	[BODY] = "SELECT bytes FROM body WHERE message = ?1",
	/* Beside min() the other columns are of the row where it was found. */
	[LOADS] = "SELECT system, count(*), sum(held), min(message), held,"
		" next_attempt, code, status, reply, remote FROM recipient"
		" WHERE (?5 IS NULL OR domain = ?5)"
		" GROUP BY system ORDER BY system",
	[TOTAL] = "SELECT count(*), coalesce(sum(bytes), 0), min(arrived)"
		" FROM message WHERE ?5 IS NULL OR row IN"
		" (SELECT message FROM recipient WHERE domain = ?5)",
	[VERSION] = "PRAGMA data_version",
	/* The remainders keep the sums of very many in range. */
	[MARK] = "SELECT count(*), coalesce(sum(message % 1000000007), 0),"
		" coalesce(sum(next_attempt % 1000000007), 0),"
		" coalesce(sum(attempts), 0), coalesce(sum(held), 0)"
		" FROM recipient WHERE domain = ?5",
	[DOMAINS] = "SELECT domain, count(*) FROM recipient GROUP BY domain",
	[RETRY] = "UPDATE recipient SET next_attempt = ?2"
		" WHERE message = ?1 AND held = 0 AND" MATCHES,
	[HOLD] = "UPDATE recipient SET held = 1"
		" WHERE message = ?1 AND held = 0 AND" MATCHES,
	[RELEASE] = "UPDATE recipient SET held = 0"
		" WHERE message = ?1 AND held = 1 AND" MATCHES,
	[DELETE] = "DELETE FROM recipient WHERE message = ?1 AND" MATCHES,
	[BOUNCE] = "UPDATE recipient SET verdict = 1, held = 0,"
		" next_attempt = ?2 WHERE message = ?1 AND" MATCHES,
	[END_MESSAGE] = "DELETE FROM message WHERE row = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM recipient WHERE message = ?1)",
	[END_BODY] = "DELETE FROM body WHERE message = ?1",
	/* clang-format on */
};

struct tools {
	sqlite3 *db; /* NULL: there is no queue yet */
	sqlite3_stmt *st[STATEMENTS];
	char *spool;
};

/* A filter as the statements take it. */
struct match {
	int64_t number; /* 0: any */
	struct str recipient, system, domain;
	enum statement next;
};

struct page {
	int64_t number[PAGE];
	size_t n;
};

/* ---- opening ---- */

static bool prepare_all(struct tools *t)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v2(t->db, sql[i], -1, &t->st[i], NULL) !=
		    SQLITE_OK)
			return store_trouble(t->db);
	return true;
}

static char *join(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = must_alloc(n);

	snprintf(path, n, "%s/%s", folder, name);
	return path;
}

static bool open_db(struct tools *t, const char *folder)
{
	char *path = join(folder, "queue.db");
	bool is_here = access(path, R_OK | W_OK) == 0;
	bool ok;

	if (!is_here && errno == EACCES) {
		ok = fail("%s: %m", path);
	} else if (!is_here) {
		ok = access(t->spool, F_OK) == 0 ||
		     fail("%s: %m; %s is no data folder", t->spool, folder);
	} else {
		t->db = store_connect(path, false);
		ok = t->db && prepare_all(t);
	}
	free(path);
	return ok;
}

struct tools *tools_open(const char *folder)
{
	struct tools *t = must_alloc(sizeof(*t));

	*t = (struct tools){ .spool = join(folder, "spool") };
	if (open_db(t, folder))
		return t;
	tools_close(t);
	return NULL;
}

void tools_close(struct tools *t)
{
	if (!t)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(t->st[i]);
	sqlite3_close(t->db);
	free(t->spool);
	free(t);
}

/* ---- statements ---- */

static bool run(struct tools *t, enum statement which)
{
	bool ok = sqlite3_step(t->st[which]) == SQLITE_DONE;

	if (!ok)
		store_trouble(t->db);
	sqlite3_reset(t->st[which]);
	return ok;
}

static bool next_row(struct tools *t, enum statement which, bool *row)
{
	int rc = sqlite3_step(t->st[which]);

	*row = rc == SQLITE_ROW;
	return *row || rc == SQLITE_DONE || store_trouble(t->db);
}

static void undo(struct tools *t)
{
	sqlite3_step(t->st[ROLLBACK]);
	sqlite3_reset(t->st[ROLLBACK]);
}

static void bind_str(sqlite3_stmt *st, int at, struct str s)
{
	if (str_empty(s))
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_text64(st, at, s.p, s.n, SQLITE_STATIC,
		                    SQLITE_UTF8);
}

static sqlite3_stmt *bind(struct tools *t, enum statement which,
                          const struct match *m, int64_t number, int64_t second)
{
	sqlite3_stmt *st = t->st[which];

	sqlite3_bind_int64(st, 1, number);
	sqlite3_bind_int64(st, 2, second);
	bind_str(st, 3, m->recipient);
	bind_str(st, 4, m->system);
	bind_str(st, 5, m->domain);
	return st;
}

/* ---- filters ---- */

static bool match_domain(const struct queue_filter *f, struct arena *a,
                         struct match *out)
{
	struct address address;

	if (!str_empty(f->domain))
		return domain_parse(f->domain, a, &out->domain);
	/* a recipient's domain finds it by index */
	if (!str_empty(f->recipient) &&
	    address_parse(f->recipient, a, &address))
		out->domain = address.domain;
	return true;
}

/* *NONE: nothing can match. */
static bool match_of(const struct queue_filter *f, struct arena *a,
                     struct match *out, bool *none)
{
	*out = (struct match){ .number = id_number(f->id),
		               .recipient = f->recipient,
		               .system = f->system,
		               .next = NEXT_OF_ALL };
	*none = !str_empty(f->id) && !out->number;
	if (!match_domain(f, a, out))
		return false;
	if (!str_empty(out->domain))
		out->next = NEXT_BY_DOMAIN;
	if (out->number)
		out->next = NEXT_BY_ID;
	return true;
}

/* The messages after LAST that match. */
static bool next_page(struct tools *t, const struct match *m, int64_t last,
                      struct page *page)
{
	sqlite3_stmt *st = bind(t, m->next, m, m->number, last);
	bool ok, row;

	page->n = 0;
	while ((ok = next_row(t, m->next, &row)) && row && page->n < PAGE)
		page->number[page->n++] = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return ok;
}

/* ---- list ---- */

/* NULL in *OUT: it has left. */
static bool load(struct tools *t, const struct match *match, int64_t number,
                 struct message **out)
{
	struct message *m = message_again(number);
	sqlite3_stmt *st = bind(t, MESSAGE, match, number, 0);
	bool ok, row;

	m->row = number;
	m->is_kept = true;
	ok = next_row(t, MESSAGE, &row);
	if (row)
		store_read_message(st, m, t->spool);
	sqlite3_reset(st);
	st = bind(t, RECIPIENTS, match, number, 0);
	*out = ok && row ? m : NULL;
	while (*out && (ok = next_row(t, RECIPIENTS, &row)) && row)
		store_read_recipient(st, m);
	sqlite3_reset(st);
	if (!ok)
		*out = NULL;
	if (!*out)
		message_drop(m);
	return ok;
}

static bool list_page(struct tools *t, const struct match *match,
                      const struct page *page,
                      void (*each)(void *, const struct message *), void *arg)
{
	for (size_t i = 0; i < page->n; i++) {
		struct message *m;

		if (!load(t, match, page->number[i], &m))
			return false;
		if (!m)
			continue;
		each(arg, m);
		message_drop(m);
	}
	return true;
}

static bool list_all(struct tools *t, const struct match *match,
                     void (*each)(void *, const struct message *), void *arg)
{
	struct page page;
	int64_t last = 0;
	bool ok = true;

	do {
		if (!run(t, LOOK))
			return false;
		ok = next_page(t, match, last, &page) &&
		     list_page(t, match, &page, each, arg);
		undo(t);
		if (page.n)
			last = page.number[page.n - 1];
	} while (ok && page.n == PAGE);
	return ok;
}

bool tools_list(struct tools *t, const struct queue_filter *f,
                void (*each)(void *, const struct message *), void *arg)
{
	struct arena *a = arena_open();
	struct match match;
	bool none, ok = match_of(f, a, &match, &none);

	if (ok && t->db && !none)
		ok = list_all(t, &match, each, arg);
	arena_close(a);
	return ok;
}

bool tools_page(struct tools *t, const struct queue_filter *f,
                struct str after, size_t limit,
                void (*each)(void *, const struct message *), void *arg)
{
	struct arena *a = arena_open();
	struct match match;
	struct page page;
	bool none, ok = match_of(f, a, &match, &none);

	check(limit <= PAGE);
	if (ok && t->db && !none) {
		ok = run(t, LOOK);
		if (ok) {
			ok = next_page(t, &match, id_number(after), &page);
			if (page.n > limit)
				page.n = limit;
			ok = ok && list_page(t, &match, &page, each, arg);
			undo(t);
		}
	}
	arena_close(a);
	return ok;
}

/* ---- count ---- */

static struct str column_str(sqlite3_stmt *st, int column)
{
	const char *p = (const char *)sqlite3_column_text(st, column);

	return (struct str){ p ? p : "",
		             (size_t)sqlite3_column_bytes(st, column) };
}

static struct queue_load read_load(sqlite3_stmt *st)
{
	struct queue_load l = {
		.system = column_str(st, 0),
		.recipients = (uint64_t)sqlite3_column_int64(st, 1),
		.held = (uint64_t)sqlite3_column_int64(st, 2),
		.is_held = sqlite3_column_int(st, 4) != 0,
		.next_attempt_ms = sqlite3_column_int64(st, 5),
		.reply = { .code = sqlite3_column_int(st, 6),
		           .text = column_str(st, 8) },
		.remote = column_str(st, 9),
	};

	snprintf(l.reply.status, sizeof(l.reply.status), "%s",
	         (const char *)sqlite3_column_text(st, 7));
	return l;
}

static bool count_loads(struct tools *t, const struct match *m,
                        void (*each)(void *, const struct queue_load *),
                        void *arg, struct queue_total *total)
{
	sqlite3_stmt *st = bind(t, LOADS, m, 0, 0);
	bool ok, row;

	while ((ok = next_row(t, LOADS, &row)) && row) {
		struct queue_load l = read_load(st);

		total->recipients += l.recipients;
		total->held += l.held;
		each(arg, &l);
	}
	sqlite3_reset(st);
	return ok;
}

static bool count_messages(struct tools *t, const struct match *m,
                           struct queue_total *total)
{
	sqlite3_stmt *st = bind(t, TOTAL, m, 0, 0);
	bool row, ok = next_row(t, TOTAL, &row);

	if (ok && row) {
		total->messages = (uint64_t)sqlite3_column_int64(st, 0);
		total->bytes = (uint64_t)sqlite3_column_int64(st, 1);
		total->oldest_ms = sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return ok;
}

bool tools_count(struct tools *t, struct str domain,
                 void (*each)(void *, const struct queue_load *), void *arg,
                 struct queue_total *total)
{
	struct queue_filter f = { .domain = domain };
	struct arena *a = arena_open();
	struct match match;
	bool none, ok = match_of(&f, a, &match, &none);

	*total = (struct queue_total){ 0 };
	if (ok && t->db) {
		ok = run(t, LOOK);
		if (ok) {
			ok = count_loads(t, &match, each, arg, total) &&
			     count_messages(t, &match, total);
			undo(t);
		}
	}
	arena_close(a);
	return ok;
}

/* ---- show ---- */

static bool read_spool(struct message *m)
{
	FILE *f = fopen(m->body.path, "re");
	char block[8192];
	size_t n;
	bool ok;

	if (!f)
		return fail("open %s: %m", m->body.path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&m->body.memory, (struct str){ block, n });
	ok = !ferror(f);
	if (!ok)
		fail("read %s: %m", m->body.path);
	fclose(f);
	m->body.path = NULL;
	return ok;
}

static bool read_row(struct tools *t, struct message *m)
{
	sqlite3_stmt *st = t->st[BODY];
	bool ok, row;

	sqlite3_bind_int64(st, 1, m->row);
	ok = next_row(t, BODY, &row);
	if (row)
		buf_add(&m->body.memory,
		        (struct str){ sqlite3_column_blob(st, 0),
		                      (size_t)sqlite3_column_bytes(st, 0) });
	sqlite3_reset(st);
	return ok;
}

static bool read_body(struct tools *t, struct message *m)
{
	if (!(m->body.path ? read_spool(m) : read_row(t, m)))
		return false;
	body_note(&m->body);
	return true;
}

enum tools_found tools_show(struct tools *t, struct str id,
                            struct message **out)
{
	struct match all = { .number = id_number(id) };
	bool ok;

	*out = NULL;
	if (!t->db || !all.number)
		return TOOLS_NOT_THERE;
	if (!run(t, LOOK))
		return TOOLS_TROUBLE;
	ok = load(t, &all, all.number, out) && (!*out || read_body(t, *out));
	undo(t);
	if (ok)
		return *out ? TOOLS_FOUND : TOOLS_NOT_THERE;
	message_drop(*out);
	*out = NULL;
	return TOOLS_TROUBLE;
}

/* ---- noticing ---- */

uint64_t tools_version(struct tools *t)
{
	uint64_t version = 0;
	bool row;

	if (!t->db)
		return 0;
	if (next_row(t, VERSION, &row) && row)
		version = (uint64_t)sqlite3_column_int64(t->st[VERSION], 0);
	sqlite3_reset(t->st[VERSION]);
	return version;
}

bool tools_domains(struct tools *t,
                   void (*each)(void *arg, struct str domain,
                                uint64_t recipients),
                   void *arg)
{
	bool ok = true, row = false;
	sqlite3_stmt *st;

	if (!t->db)
		return true;
	st = t->st[DOMAINS];
	while ((ok = next_row(t, DOMAINS, &row)) && row)
		each(arg,
		     (struct str){ (const char *)sqlite3_column_text(st, 0),
		                   (size_t)sqlite3_column_bytes(st, 0) },
		     (uint64_t)sqlite3_column_int64(st, 1));
	sqlite3_reset(st);
	return ok;
}

bool tools_mark(struct tools *t, struct str domain, struct arena *arena,
                const char **mark)
{
	struct match match = { .domain = domain };
	sqlite3_stmt *st;
	bool ok, row;

	*mark = "";
	if (!t->db)
		return true;
	st = bind(t, MARK, &match, 0, 0);
	ok = next_row(t, MARK, &row);
	for (int i = 0; ok && row && i < sqlite3_column_count(st); i++)
		*mark = arena_printf(arena, "%s%s%lld", *mark, i ? "." : "",
		                     (long long)sqlite3_column_int64(st, i));
	sqlite3_reset(st);
	return ok;
}

/* ---- orders ---- */

static bool order_one(struct tools *t, enum order order,
                      const struct match *match, int64_t number, uint64_t *n)
{
	enum statement which = (enum statement)(ORDERS + (int)order);

	bind(t, which, match, number, wall_ms());
	if (!run(t, which))
		return false;
	*n += (uint64_t)sqlite3_changes(t->db);
	return true;
}

/* After its recipients: the message, if none is left.  What has gone is moved
 * to the front of the page. */
static bool end_messages(struct tools *t, struct page *page)
{
	size_t gone = 0;

	for (size_t i = 0; i < page->n; i++) {
		sqlite3_bind_int64(t->st[END_MESSAGE], 1, page->number[i]);
		if (!run(t, END_MESSAGE))
			return false;
		if (!sqlite3_changes(t->db))
			continue;
		sqlite3_bind_int64(t->st[END_BODY], 1, page->number[i]);
		if (!run(t, END_BODY))
			return false;
		page->number[gone++] = page->number[i];
	}
	page->n = gone;
	return true;
}

/* A file that stays is swept at the engine's next start. */
static void remove_files(struct tools *t, const struct page *gone)
{
	for (size_t i = 0; i < gone->n; i++) {
		char id[ID_LETTERS + 1], name[ID_LETTERS + 5];

		id_write(gone->number[i], id);
		snprintf(name, sizeof(name), "%s.eml", id);
		if (!folder_remove(t->spool, name))
			return;
	}
}

static bool order_rows(struct tools *t, enum order order,
                       const struct match *match, struct page *page,
                       uint64_t *n)
{
	for (size_t i = 0; i < page->n; i++)
		if (!order_one(t, order, match, page->number[i], n))
			return false;
	return order != ORDER_DELETE || end_messages(t, page);
}

static bool order_page(struct tools *t, enum order order,
                       const struct match *match, struct page *page,
                       uint64_t *n)
{
	uint64_t changed = 0;

	if (!order_rows(t, order, match, page, &changed) || !run(t, COMMIT))
		return false;
	*n += changed;
	if (order == ORDER_DELETE)
		remove_files(t, page);
	return true;
}

static bool order_all(struct tools *t, enum order order,
                      const struct match *match, uint64_t *n)
{
	struct page page;
	int64_t last = 0;
	bool more;

	do {
		if (!run(t, BEGIN))
			return false;
		if (!next_page(t, match, last, &page)) {
			undo(t);
			return false;
		}
		more = page.n == PAGE;
		if (page.n)
			last = page.number[page.n - 1];
		if (!order_page(t, order, match, &page, n)) {
			undo(t);
			return false;
		}
		if (more)
			sqlite3_sleep(PAUSE_MS);
	} while (more);
	return true;
}

bool tools_order(struct tools *t, enum order order,
                 const struct queue_filter *f, uint64_t *n)
{
	struct arena *a = arena_open();
	struct match match;
	bool none, ok = match_of(f, a, &match, &none);

	*n = 0;
	if (ok && t->db && !none)
		ok = order_all(t, order, &match, n);
	arena_close(a);
	return ok;
}
