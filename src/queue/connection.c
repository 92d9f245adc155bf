/*
 * Opening queue.db: its settings, its tables, and what older versions miss.
 */
#include "queue/store.h"

#include "base/mutants.h"

extern const char queue_schema[], queue_upgrade_2[];

enum { SCHEMA_VERSION = 3 };

static const char upgrade_3[] =
	"ALTER TABLE recipient ADD COLUMN sender TEXT NOT NULL DEFAULT ''";

static bool version_of(struct sql *s, int64_t *version)
{
	return sql_number(s, version, "PRAGMA user_version", "") == SQL_ROW;
}

static bool can_read(int64_t version)
{
	return version <= SCHEMA_VERSION ||
	       fail("queue.db has version %d, this Splitmail reads %d",
		    (int)version, SCHEMA_VERSION);
}

/* In a transaction: somebody else may have done it meanwhile, or more. */
static bool bring_up(struct sql *s)
{
	int64_t version = 0;

	if (!version_of(s, &version) || !can_read(version))
		return false;
	if (version == 0 && !sql_script(s, queue_schema))
		return false;
	if (version == 1 && !sql_script(s, queue_upgrade_2))
		return false;
	if (version > 0 && version < 3 && !sql_script(s, upgrade_3))
		return false;
	return sql_script(s, "PRAGMA user_version = 3; COMMIT");
}

static bool bring_up_whole(struct sql *s)
{
	if (!sql_script(s, "BEGIN IMMEDIATE"))
		return false;
	if (bring_up(s))
		return true;
	sql_rollback(s);
	return false;
}

static bool have_tables(struct sql *s, bool make, bool *there)
{
	int64_t version = 0;

	if (!version_of(s, &version))
		return false;
	*there = make || version;
	if (!can_read(version))
		return false;
	return version == SCHEMA_VERSION || !*there || bring_up_whole(s);
}

/* Small pages: a commit writes every page it touched, whole, and measured for
 * bodies of 2 to 64 KiB that matters more than long bodies in few pages.
 * Debian's SQLite wipes what is deleted, and so would write each body twice;
 * FAST wipes only what is written anyway. */
static const struct sql_file file = {
	.name = "queue.db",
	.read_wait_ms = 10000,
	.write_wait_ms = 10000,
	.making = "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;",
	.settings = "PRAGMA secure_delete = FAST;"
		    "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
		    "PRAGMA cache_size = -65536; PRAGMA trusted_schema = OFF;"
		    "PRAGMA journal_size_limit = 67108864;",
};

bool store_connect(const char *path, bool make, struct sql **out)
{
	struct sql *s = sql_open(&file, path, make ? SQL_CREATE : SQL_WRITE);
	bool ok, there = false;

	*out = NULL;
	if (!s)
		return false;
	ok = have_tables(s, make, &there);
	if (MUTANT(commit_is_not_synced))
		ok = ok && sql_script(s, "PRAGMA synchronous = OFF");
	if (ok && there) {
		*out = s;
		return true;
	}
	if (!ok)
		add_cause("open %s", path);
	sql_close(s);
	return ok;
}

bool store_prepare(struct sql *sql, const char *const *texts, size_t n,
		   struct query *out)
{
	for (size_t i = 0; i < n; i++)
		if (!sql_prepare(sql, texts[i], &out[i]))
			return false;
	return true;
}
