/*
 * Is directory.db whole (directory.h)?
 *
 * SQLite tells a page that is garbage; an index that lost an entry looks whole
 * and says "no row" for ever.  Only comparing tables with their indexes finds
 * that (PRAGMA integrity_check; quick_check does not).
 */
#include "directory/sql.h"

struct checked {
	unsigned doubt;
	const char *statement; /* remembered by db/sql.h: a literal */
};

static const struct checked tables[] = {
	{ DOUBT_DOMAINS, "PRAGMA integrity_check('domain')" },
	{ DOUBT_DOMAINS, "PRAGMA integrity_check('domain_name')" },
	{ DOUBT_ADDRESSES, "PRAGMA integrity_check('address')" },
	{ DOUBT_ADDRESSES, "PRAGMA integrity_check('holder')" },
	{ DOUBT_ADDRESSES, "PRAGMA integrity_check('forward')" },
	{ DOUBT_MEMBERS, "PRAGMA integrity_check('member')" },
	{ DOUBT_SYSTEMS, "PRAGMA integrity_check('system')" },
	{ DOUBT_SYSTEMS, "PRAGMA integrity_check('trust')" },
};

static bool is_whole(struct sql *s, const char *statement)
{
	struct arena *arena scoped(arena) = arena_open();
	struct query q scoped(query) = sql_query(s, statement, "");
	struct str said;

	if (query_next(&q) != ANSWER_YES)
		return false;
	said = query_text(&q, 0, arena);
	return str_same(said, S("ok")) ||
	       fail("directory.db: %.*s", STR(str_cut(said, 300)));
}

unsigned directory_check(const char *path)
{
	struct sql *s = directory_connect(path, SQL_READ);
	unsigned doubts = 0;

	if (!s)
		return DOUBT_ALL;
	for (size_t i = 0; i < array_size(tables); i++)
		if (!is_whole(s, tables[i].statement))
			doubts |= tables[i].doubt;
	sql_close(s);
	return doubts;
}
