/*
 * directory.db as a file (database.h).
 *
 * Invariant: a committed file has application_id APPLICATION and user_version
 * N, and the statements of versions 1..N of schema.sql have run, each version
 * in one transaction together with its number.
 */
#include "directory/database.h"

#include <sodium.h>

#include "base/buf.h"
#include "directory/changes.h"
#include "directory/password.h"
#include "directory/sql.h"
#include "rt/folder.h"
#include "rt/random.h"

enum { APPLICATION = 0x53504c54 }; /* "SPLT" */

extern const char schema_sql[]; /* schema.sql, by tools/embed.py */

static const char version_mark[] = "\n-- version ";

/* What follows "-- version N" up to the next mark; false: there is none. */
static bool schema_version(struct str schema, uint64_t n, struct str *out)
{
	struct str mark = str_of(version_mark), line;
	uint64_t number;
	ptrdiff_t at;

	while ((at = str_search(schema, mark)) >= 0) {
		schema = str_from(schema, (size_t)at + mark.n);
		check(str_split(&schema, '\n', &line));
		check(str_number(line, 100000, &number));
		if (number != n)
			continue;
		at = str_search(schema, mark);
		*out = at < 0 ? schema : str_part(schema, 0, (size_t)at);
		return true;
	}
	return false;
}

static bool read_version(struct sql *s, uint64_t *out)
{
	int64_t application = 0, version = 0;

	if (sql_int(s, &application, "PRAGMA application_id", "") !=
		    ANSWER_YES ||
	    sql_int(s, &version, "PRAGMA user_version", "") != ANSWER_YES)
		return false;
	if (version > 0 && application != APPLICATION)
		return fail("it is no Splitmail directory");
	*out = (uint64_t)version;
	return true;
}

static bool run_version(struct sql *s, struct str text, uint64_t n)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_add(&b, text);
	buf_printf(&b,
		   "\nPRAGMA application_id = %d;\n"
		   "PRAGMA user_version = %d;\n",
		   APPLICATION, (int)n);
	buf_add_char(&b, '\0');
	return sql_script(s, b.p);
}

/* Within a transaction, so that two that start together do it once. */
static bool migrate_locked(struct sql *s)
{
	struct str schema = str_of(schema_sql), text;
	uint64_t have = 0;

	if (!read_version(s, &have))
		return false;
	if (have > 0 && !schema_version(schema, have, &text))
		return fail("it was made by a newer version of Splitmail "
			    "(schema %d)",
			    (int)have);
	while (schema_version(schema, ++have, &text))
		if (!run_version(s, text, have))
			return false;
	return true;
}

static bool is_current(struct sql *s)
{
	struct str schema = str_of(schema_sql), text;
	uint64_t have = 0;

	return read_version(s, &have) && have > 0 &&
	       schema_version(schema, have, &text) &&
	       !schema_version(schema, have + 1, &text);
}

static bool migrate(struct sql *s)
{
	if (is_current(s))
		return true;
	if (!sql_script(s, "BEGIN IMMEDIATE"))
		return false;
	if (migrate_locked(s) && sql_script(s, "COMMIT"))
		return true;
	/* The reason is said already; closing rolls back in any case. */
	return false;
}

bool directory_migrate(const char *path)
{
	struct sql *s = directory_connect(path, SQL_WRITE);
	bool ok = s && migrate(s);

	/* The version is to stand in the file itself, where packages look for it:
	 * closing does not see to that while somebody else has it open.  On a full
	 * disk it has to wait. */
	if (ok)
		(void)!sql_script(s, "PRAGMA wal_checkpoint");
	sql_close(s);
	return ok ? true : add_cause("%s", path);
}

/* ---- creation ---- */

enum { NODE_ID_BYTES = 8, NODE_ID_HEX = 2 * NODE_ID_BYTES };

static void make_node_id(char to[NODE_ID_HEX + 1])
{
	uint8_t id[NODE_ID_BYTES];

	random_bytes(id, sizeof(id));
	sodium_bin2hex(to, NODE_ID_HEX + 1, id, sizeof(id));
}

static bool add_node(struct sql *s)
{
	uint8_t key[32];
	char key_hex[2 * sizeof(key) + 1], id_hex[NODE_ID_HEX + 1];

	random_bytes(key, sizeof(key));
	sodium_bin2hex(key_hex, sizeof(key_hex), key, sizeof(key));
	make_node_id(id_hex);
	return sql_run(s,
		       "INSERT INTO node (only_one, id, key) "
		       "VALUES (1, ?, ?)",
		       "tt", id_hex, key_hex);
}

static bool add_admin0(struct sql *s, struct str password)
{
	char hash[PASSWORD_HASH_BYTES];

	if (!password_hash(password, hash))
		return false;
	return sql_run(s,
		       "INSERT INTO admin (name, role, domain, password) "
		       "VALUES ('" ADMIN_FIRST "', 0, NULL, ?)",
		       "t", hash);
}

static bool fill(const char *path, struct str admin_password)
{
	struct sql *s = directory_connect(path, SQL_CREATE);
	bool ok = s && migrate(s) && sql_script(s, "BEGIN") && add_node(s) &&
		  add_admin0(s, admin_password) && sql_script(s, "COMMIT");

	sql_close(s);
	return ok;
}

static void remove_all(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct arena *arena scoped(arena) = arena_open();
	ptrdiff_t slash = str_find_last(str_of(path), '/');
	const char *folder =
		slash < 0 ? "."
			  : arena_cstr(arena, str_part(str_of(path), 0,
						       (size_t)slash + 1));

	for (size_t i = 0; i < array_size(ends); i++)
		(void)!folder_remove(
			folder,
			arena_printf(arena, "%s%s", path + slash + 1, ends[i]));
}

/* It holds password hashes and keys: nobody else's to read. */
static bool make_file(const char *path)
{
	if (folder_make_new_file(path))
		return true;
	if (cause_kind() == FAIL_HELD)
		return fail("%s exists already.", path);
	return false;
}

bool directory_create(const char *path, struct str admin_password)
{
	if (!make_file(path))
		return false;
	if (fill(path, admin_password))
		return true;
	remove_all(path);
	return add_cause("create %s", path);
}

bool directory_copy(const char *path, const char *to)
{
	struct sql *s = directory_connect(path, SQL_READ);
	bool ok = s && sql_copy(s, to);

	sql_close(s);
	return ok;
}

bool directory_mailboxes(const char *path,
			 void (*each)(void *arg, struct str name), void *arg)
{
	struct sql *s = directory_connect(path, SQL_READ);
	enum sql_verdict v = SQL_DONE;

	if (!s)
		return false;
	{
		struct query q scoped(query) = sql_query(
			s,
			"SELECT mailbox FROM holder WHERE mailbox <> '' UNION "
			"SELECT mailbox FROM deleted WHERE mailbox <> ''",
			"");

		while ((v = query_step(&q)) == SQL_ROW)
			each(arg, query_peek(&q, 0));
	}
	sql_close(s);
	return v == SQL_DONE;
}

bool directory_renew_node(const char *path)
{
	struct sql *s = directory_connect(path, SQL_WRITE);
	char id[NODE_ID_HEX + 1];
	bool ok;

	make_node_id(id);
	ok = s && sql_run(s, "UPDATE node SET id = ?", "t", id);
	sql_close(s);
	return ok ? true : add_cause("%s", path);
}
