/*
 * Functions of SQL that are ours (sql.h).
 */
#include <stdlib.h>

#include "db/inside.h"

struct sql_call {
	sqlite3_context *to;
	sqlite3_value *value;
};

static void on_call(sqlite3_context *to, int count, sqlite3_value **values)
{
	const struct sql_function *f = sqlite3_user_data(to);
	struct sql_call c = { to, values[0] };

	f->call(&c);
}

bool functions_register(struct sql *s)
{
	const int how = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	const struct sql_function *f = s->file->functions;

	for (; f && f->name; f++)
		if (sqlite3_create_function_v2(s->db, f->name, 1, how,
					       (void *)f, on_call, NULL, NULL,
					       NULL) != SQLITE_OK) {
			sql_trouble(s);
			return false;
		}
	return true;
}

bool call_is_null(const struct sql_call *c)
{
	return sqlite3_value_type(c->value) == SQLITE_NULL;
}

struct str call_text(struct sql_call *c)
{
	const char *p = (const char *)sqlite3_value_text(c->value);

	if (!p)
		return S("");
	return (struct str){ p, (size_t)sqlite3_value_bytes(c->value) };
}

void call_answer(struct sql_call *c, struct str text)
{
	sqlite3_result_text64(c->to, text.p, text.n, SQLITE_TRANSIENT,
			      SQLITE_UTF8);
}

void call_answer_taken(struct sql_call *c, char *text, size_t n)
{
	sqlite3_result_text64(c->to, text, n, free, SQLITE_UTF8);
}

void call_answer_same(struct sql_call *c)
{
	sqlite3_result_value(c->to, c->value);
}
