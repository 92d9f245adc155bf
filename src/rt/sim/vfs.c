/*
 * SQLite on a simulated disk: a VFS of its own, and the default one of a
 * process that links rt/sim.
 *
 * Bytes, syncs and names are the disk's (disk_inside.h); so is what a power
 * cut leaves.  Locks and the index of a WAL are in memory, with the file
 * (vfs_lock.c).  SQLite's clock is the host's, its chance the seed's, and its
 * naps let others run where another thread would have napped.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "rt/clock.h"
#include "rt/folder.h"
#include "rt/random.h"
#include "rt/sim/vfs_inside.h"

const char *folder_vfs(void)
{
	check(world_is_there());
	return "sim";
}

static struct sqlite_file *of(sqlite3_file *f)
{
	return (struct sqlite_file *)f;
}

static int trouble(int otherwise)
{
	return errno == ENOSPC  ? SQLITE_FULL
	       : errno == EROFS ? SQLITE_READONLY
				: otherwise;
}

/* ---- a file ---- */

/* Its process is gone, and with it SQLite's memory. */
static void lose(struct held *h)
{
	struct sqlite_file *f =
		(struct sqlite_file *)((char *)h -
				       offsetof(struct sqlite_file, held));

	sqlite_leave(f);
	node_release(f->node);
}

static int on_close(sqlite3_file *file)
{
	struct sqlite_file *f = of(file);
	char name[NAME_BYTES];
	struct node *folder;

	hold_end(f->process, &f->held);
	sqlite_leave(f);
	if (f->delete_on_close && (folder = node_folder_of(f->path, name)))
		(void)name_unlink(folder, name);
	node_release(f->node);
	f->node = NULL;
	return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *to, int room, sqlite3_int64 at)
{
	ssize_t n = node_read(of(file)->node, (uint64_t)at, to, (size_t)room);

	if (n < 0)
		return SQLITE_IOERR_READ;
	if (n == room)
		return SQLITE_OK;
	memset((char *)to + n, 0, (size_t)(room - n));
	return SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	return node_write(of(file)->node, (uint64_t)at, p, (size_t)n)
		       ? SQLITE_OK
		       : trouble(SQLITE_IOERR_WRITE);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
	return node_resize(of(file)->node, (uint64_t)bytes)
		       ? SQLITE_OK
		       : trouble(SQLITE_IOERR_TRUNCATE);
}

/* A journal that is new is there after a power cut when its folder was synced,
 * too: with its first sync, as SQLite does on Unix. */
static int on_sync(sqlite3_file *file, int flags)
{
	struct sqlite_file *f = of(file);
	char name[NAME_BYTES];
	struct node *folder;

	(void)flags;
	if (!node_sync(f->node))
		return SQLITE_IOERR_FSYNC;
	if (!f->folder_is_due)
		return SQLITE_OK;
	f->folder_is_due = false;
	folder = node_folder_of(f->path, name);
	return folder && folder_sync(folder) ? SQLITE_OK
					     : SQLITE_IOERR_DIR_FSYNC;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *bytes)
{
	*bytes = (sqlite3_int64)of(file)->node->now.n;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
	(void)file;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int on_sector(sqlite3_file *file)
{
	(void)file;
	return SECTOR_BYTES;
}

static int on_traits(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = sqlite_lock,
	.xUnlock = sqlite_unlock,
	.xCheckReservedLock = sqlite_is_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
	.xShmMap = sqlite_shm_map,
	.xShmLock = sqlite_shm_lock,
	.xShmBarrier = sqlite_shm_barrier,
	.xShmUnmap = sqlite_shm_unmap,
};

/* ---- files by name ---- */

/* NULL: errno. */
static struct node *find_or_make(const char *path, int flags, bool *made)
{
	char name[NAME_BYTES];
	struct node *folder = node_folder_of(path, name), *n;

	if (!folder)
		return NULL;
	n = node_in(folder, name);
	if (n && n->is_folder) {
		errno = EISDIR;
		return NULL;
	}
	if (n)
		node_keep(n);
	if (n || !(flags & SQLITE_OPEN_CREATE))
		return n;
	n = node_new(false, 0600);
	if (n && !name_link(folder, name, n)) {
		node_release(n);
		return NULL;
	}
	*made = true;
	return n;
}

static unsigned temporary; /* files without a name, of this world */

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file,
		   int flags, int *flags_out)
{
	struct sqlite_file *f = of(file);
	bool made = false;

	(void)vfs;
	memset(f, 0, sizeof(*f));
	if (path)
		snprintf(f->path, sizeof(f->path), "%s", path);
	else
		snprintf(f->path, sizeof(f->path), "/tmp/sqlite-%u",
			 ++temporary);
	f->node = find_or_make(f->path, flags, &made);
	if (!f->node)
		return errno == EIO ? SQLITE_IOERR : SQLITE_CANTOPEN;
	f->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
	f->folder_is_due =
		made && (flags & (SQLITE_OPEN_MAIN_JOURNAL |
				  SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL));
	f->process = hold(&f->held, lose);
	f->base.pMethods = &methods;
	if (flags_out)
		*flags_out = flags;
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	char name[NAME_BYTES];
	struct node *folder = node_folder_of(path, name);

	(void)vfs;
	if (!folder || !name_unlink(folder, name))
		return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT
				       : SQLITE_IOERR_DELETE;
	return !sync_folder || folder_sync(folder) ? SQLITE_OK
						   : SQLITE_IOERR_DIR_FSYNC;
}

/* An empty journal is no journal, as on Unix. */
static int on_access(sqlite3_vfs *vfs, const char *path, int what, int *yes)
{
	struct node *n = node_find(path);

	(void)vfs;
	*yes = n &&
	       (what != SQLITE_ACCESS_EXISTS || n->is_folder || n->now.n > 0);
	return SQLITE_OK;
}

static int on_full_path(sqlite3_vfs *vfs, const char *path, int room, char *to)
{
	(void)vfs;
	return snprintf(to, (size_t)room, "%s%s", path[0] == '/' ? "" : "/",
			path) < room
		       ? SQLITE_OK
		       : SQLITE_CANTOPEN;
}

/* ---- chance and time ---- */

static int on_random(sqlite3_vfs *vfs, int n, char *to)
{
	(void)vfs;
	random_bytes(to, (size_t)n);
	return n;
}

static int on_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	sim_block_us(us);
	return us;
}

/* From noon of 24 November -4713. */
static const int64_t julian_1970_ms = 210866760000000;

static int on_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *ms)
{
	(void)vfs;
	*ms = julian_1970_ms + wall_ms();
	return SQLITE_OK;
}

static int on_time(sqlite3_vfs *vfs, double *days)
{
	(void)vfs;
	*days = (double)(julian_1970_ms + wall_ms()) / 86400000.0;
	return SQLITE_OK;
}

static int on_error(sqlite3_vfs *vfs, int n, char *to)
{
	(void)vfs;
	(void)n;
	(void)to;
	return errno;
}

static sqlite3_vfs sim = {
	.iVersion = 2,
	.szOsFile = sizeof(struct sqlite_file),
	.mxPathname = PATH_BYTES - 1,
	.zName = "sim",
	.xOpen = on_open,
	.xDelete = on_delete,
	.xAccess = on_access,
	.xFullPathname = on_full_path,
	.xRandomness = on_random,
	.xSleep = on_sleep,
	.xCurrentTime = on_time,
	.xGetLastError = on_error,
	.xCurrentTimeInt64 = on_time_ms,
};

void vfs_open(void)
{
	check(sqlite3_vfs_register(&sim, 1) == SQLITE_OK);
	temporary = 0;
	sqlite3_randomness(0, NULL); /* it begins anew, with this seed */
}
