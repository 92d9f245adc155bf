/*
 * Statements: remembered, bound, stepped, read (sql.h).
 *
 * Invariant: a remembered statement is reset whenever no query uses it.  Its
 * values stay: each query sets all of them before its first step, so what is
 * left of the last one is never read.
 */
#include <stdarg.h>

#include "db/inside.h"

/* Where TEXT is, or belongs. */
static struct statement *slot_of(struct sql *s, const char *text)
{
	uint64_t at = (uintptr_t)text * 0x9e3779b97f4a7c15u >> 55;

	while (s->statements[at].text && s->statements[at].text != text)
		at = (at + 1) % STATEMENT_SLOTS;
	return &s->statements[at];
}

static sqlite3_stmt *prepare(struct sql *s, const char *text)
{
	struct statement *slot = slot_of(s, text);
	sqlite3_stmt *statement;

	if (slot->text)
		return slot->s;
	if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT,
			       &statement, NULL) != SQLITE_OK) {
		sql_trouble(s);
		return NULL;
	}
	check(statement && s->n < STATEMENTS_MOST);
	s->n++;
	*slot = (struct statement){ text, statement };
	return statement;
}

bool sql_prepare(struct sql *s, const char *text, struct query *out)
{
	*out = (struct query){ s, prepare(s, text) };
	return out->s;
}

/* ---- values ---- */

void query_set_int(struct query *q, int at, int64_t n)
{
	check(sqlite3_bind_int64(q->s, at, n) == SQLITE_OK);
}

void query_set_str(struct query *q, int at, struct str s)
{
	check(sqlite3_bind_text64(q->s, at, s.p ? s.p : "", s.n, SQLITE_STATIC,
				  SQLITE_UTF8) == SQLITE_OK);
}

void query_set_bytes(struct query *q, int at, struct str bytes)
{
	check(sqlite3_bind_blob64(q->s, at, bytes.p ? bytes.p : "", bytes.n,
				  SQLITE_STATIC) == SQLITE_OK);
}

void query_set_null(struct query *q, int at)
{
	check(sqlite3_bind_null(q->s, at) == SQLITE_OK);
}

static void set_one(struct query *q, int at, char type, va_list *args)
{
	int64_t n;

	switch (type) {
	case 's':
		query_set_str(q, at, va_arg(*args, struct str));
		return;
	case 't':
		query_set_str(q, at, str_of(va_arg(*args, const char *)));
		return;
	case 'i':
		query_set_int(q, at, va_arg(*args, int64_t));
		return;
	case 'I':
		n = va_arg(*args, int64_t);
		if (n)
			query_set_int(q, at, n);
		else
			query_set_null(q, at);
		return;
	case 'b':
		query_set_int(q, at, va_arg(*args, int) != 0);
		return;
	default:
		check(!"a type letter of sql.h");
	}
}

struct query sql_query_list(struct sql *s, const char *text, const char *types,
			    va_list *args)
{
	struct query q = { s, prepare(s, text) };
	int n = 0;

	if (!q.s)
		return q;
	check(!sqlite3_stmt_busy(q.s));
	for (; types[n]; n++)
		set_one(&q, n + 1, types[n], args);
	check(sqlite3_bind_parameter_count(q.s) == n);
	return q;
}

struct query sql_query(struct sql *s, const char *text, const char *types, ...)
{
	struct query q;
	va_list args;

	va_start(args, types);
	q = sql_query_list(s, text, types, &args);
	va_end(args);
	return q;
}

void query_reset(struct query *q)
{
	sqlite3_reset(q->s); /* NULL is allowed */
}

bool query_is_stepping(const struct query *q)
{
	return sqlite3_stmt_busy(q->s);
}

int query_parameters(const struct query *q)
{
	return sqlite3_bind_parameter_count(q->s);
}

/* ---- steps ---- */

enum sql_verdict query_step(struct query *q)
{
	int code = q->s ? sqlite3_step(q->s) : SQLITE_ERROR;

	if (code == SQLITE_ROW)
		return SQL_ROW;
	if (code == SQLITE_DONE)
		return SQL_DONE;
	return q->s ? sql_trouble(q->sql) : SQL_TROUBLE;
}

void query_run_quietly(struct query *q)
{
	sqlite3_step(q->s);
	sqlite3_reset(q->s);
}

bool sql_run(struct sql *s, const char *text, const char *types, ...)
{
	struct query q scoped(query) = { 0 };
	va_list args;

	va_start(args, types);
	q = sql_query_list(s, text, types, &args);
	va_end(args);
	return !sql_is_trouble(query_step(&q));
}

enum sql_verdict sql_number(struct sql *s, int64_t *out, const char *text,
			    const char *types, ...)
{
	struct query q scoped(query) = { 0 };
	enum sql_verdict v;
	va_list args;

	va_start(args, types);
	q = sql_query_list(s, text, types, &args);
	va_end(args);
	v = query_step(&q);
	if (v == SQL_ROW)
		*out = query_int(&q, 0);
	return v;
}

/* ---- columns ---- */

int query_columns(struct query *q)
{
	return sqlite3_column_count(q->s);
}

int64_t query_int(struct query *q, int column)
{
	return sqlite3_column_int64(q->s, column);
}

bool query_is_null(struct query *q, int column)
{
	return sqlite3_column_type(q->s, column) == SQLITE_NULL;
}

struct str query_peek(struct query *q, int column)
{
	const char *p = (const char *)sqlite3_column_text(q->s, column);

	if (!p)
		return S("");
	return (struct str){ p, (size_t)sqlite3_column_bytes(q->s, column) };
}

struct str query_peek_bytes(struct query *q, int column)
{
	const char *p = sqlite3_column_blob(q->s, column);

	if (!p)
		return S("");
	return (struct str){ p, (size_t)sqlite3_column_bytes(q->s, column) };
}

struct str query_text(struct query *q, int column, struct arena *arena)
{
	return arena_str(arena, query_peek(q, column));
}
