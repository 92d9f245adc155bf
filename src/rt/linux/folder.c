/*
 * Folders and locks on Linux.  A lock is a flock() of a file that stays: it
 * belongs to the open file, so it ends with the process however that ends.
 */
#include "rt/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct lock {
	int fd;
};

static bool sync_folder(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		fail("sync %s: %m", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool sync_parent(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail("open %s: %m", path);
	ok = sync_folder(fd, "..");
	close(fd);
	return ok;
}

bool folder_make(const char *path)
{
	if (mkdir(path, 0700) == 0)
		return sync_parent(path);
	if (errno != EEXIST)
		return fail("make folder %s: %m", path);
	return true;
}

bool folder_make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail("make %s: %m", path);
	close(fd);
	return true;
}

bool folder_remove(const char *folder, const char *name)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail("open %s: %m", folder);
	ok = unlinkat(fd, name, 0) == 0 || errno == ENOENT;
	if (!ok)
		fail("remove %s/%s: %m", folder, name);
	close(fd);
	return ok;
}

uint64_t folder_free_files(const char *folder)
{
	struct statvfs v;

	if (statvfs(folder, &v) != 0)
		return 0;
	return v.f_files ? v.f_favail : UINT64_MAX;
}

struct lock *lock_take(const char *path)
{
	struct lock *l;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		fail("open %s: %m", path);
		return NULL;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			fail("%s is held by another process", path);
		else
			fail("lock %s: %m", path);
		close(fd);
		return NULL;
	}
	l = must_alloc(sizeof(*l));
	l->fd = fd;
	return l;
}

void lock_drop(struct lock *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}
