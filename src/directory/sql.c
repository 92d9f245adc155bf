/*
 * How directory.db is opened, and answers (sql.h).
 */
#include "directory/sql.h"

#include <stdarg.h>

#include "directory/fold.h"
#include "directory/sort_key.h"
#include "directory/spelling.h"

static const struct sql_function functions[] = {
	{ "fold", fold_call },
	{ "sort_key", sort_key_call },
	{ "domain_spellings", domain_spellings_call },
	{ "local_spellings", local_spellings_call },
	{ NULL, NULL },
};

const struct sql_file directory_file = {
	.name = "directory.db",
	.read_wait_ms = 500, /* only while a WAL is recovered */
	.write_wait_ms = 10000,
	.functions = functions,
	.making = "PRAGMA journal_mode = WAL",
	/* 64 MiB of pages, taken as they are needed: 100,000 users fit. Mapping
	 * the file instead costs twice the time: with no page of its own SQLite
	 * allocates and frees its cache at each question. */
	.settings = "PRAGMA cache_size = -65536;"
		    "PRAGMA cell_size_check = ON;"
		    "PRAGMA trusted_schema = OFF;"
		    "PRAGMA foreign_keys = ON",
	/* Somebody has been told that it is done: it must survive power loss. */
	.writing = "PRAGMA synchronous = FULL",
};

struct sql *directory_connect(const char *path, enum sql_mode mode)
{
	return sql_open(&directory_file, path, mode);
}

enum answer sql_int(struct sql *s, int64_t *out, const char *text,
		    const char *types, ...)
{
	struct query q scoped(query) = { 0 };
	enum answer a;
	va_list args;

	va_start(args, types);
	q = sql_query_list(s, text, types, &args);
	va_end(args);
	a = query_next(&q);
	if (a == ANSWER_YES)
		*out = query_int(&q, 0);
	return a;
}

enum answer query_strings(struct query *q, struct arena *arena,
			  const struct str **out, size_t *n)
{
	struct str *list = NULL;
	size_t count = 0, room = 0;
	enum answer a;

	while ((a = query_next(q)) == ANSWER_YES) {
		if (count == room) {
			size_t more = room ? 2 * room : 8;
			struct str *bigger =
				arena_array(arena, struct str, more);

			if (count > 0)
				memcpy(bigger, list, count * sizeof(*list));
			list = bigger;
			room = more;
		}
		list[count++] = query_text(q, 0, arena);
	}
	if (a == ANSWER_UNSURE)
		return a;
	*out = list;
	*n = count;
	return ANSWER_YES;
}
