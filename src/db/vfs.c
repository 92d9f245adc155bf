/*
 * What SQLite asks the machine: the disk that rt names, with rt's clock and
 * rt's random numbers in place of its own.
 *
 * SQLite calls such a set of functions a VFS.  Ours is a copy of rt's (the
 * kernel's is SQLite's own), which changes nothing about files, locks and
 * syncs.  It is the default from then on, since SQLite takes its random
 * numbers from the default alone.
 */
#include <string.h>

#include "db/inside.h"
#include "rt/clock.h"
#include "rt/folder.h"
#include "rt/mutex.h"
#include "rt/random.h"

enum { DAY_MS = 86400000 };

/* SQLite counts from noon of a day in November 4714 BC. */
static const int64_t epoch_ms = 24405875LL * (DAY_MS / 10);

static sqlite3_vfs ours;
static bool is_there;

static int current_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	*out = epoch_ms + wall_ms();
	return SQLITE_OK;
}

static int current_time(sqlite3_vfs *vfs, double *days)
{
	*days = (double)(epoch_ms + wall_ms()) / DAY_MS;
	return SQLITE_OK;
}

static int randomness(sqlite3_vfs *vfs, int n, char *to)
{
	random_bytes(to, (size_t)n);
	return n;
}

/* Counting all memory of the process, as SQLite does unless told, puts every
 * allocation of every thread behind one lock. */
static void make(void)
{
	sqlite3_vfs *below;

	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	below = sqlite3_vfs_find(folder_vfs());
	if (!below)
		return;
	ours = *below;
	ours.iVersion = below->iVersion < 2 ? 2 : below->iVersion;
	ours.pNext = NULL;
	ours.zName = "splitmail";
	ours.xCurrentTime = current_time;
	ours.xCurrentTimeInt64 = current_time_ms;
	ours.xRandomness = randomness;
	is_there = sqlite3_vfs_register(&ours, 1) == SQLITE_OK;
}

const char *vfs_name(void)
{
	static struct once once = ONCE;

	once_do(&once, make);
	if (is_there)
		return ours.zName;
	fail("SQLite has no disk \"%s\"", folder_vfs() ? folder_vfs() : "");
	return NULL;
}
