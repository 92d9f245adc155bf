/*
 * Folders and locks on Linux.  A lock is a flock() of a file that stays: it
 * belongs to the open file, so it ends with the process however that ends.
 */
#include "rt/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
		fail_errno("sync %s: %m", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool sync_parent(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail_errno("open %s: %m", path);
	ok = sync_folder(fd, "..");
	close(fd);
	return ok;
}

bool folder_make(const char *path)
{
	if (mkdir(path, 0700) == 0)
		return sync_parent(path);
	if (errno != EEXIST)
		return fail_errno("make folder %s: %m", path);
	return true;
}

static bool make_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	if (fd < 0 && errno == EEXIST)
		return fail_kind(FAIL_HELD, "make %s: %m", path);
	if (fd < 0)
		return fail_errno("make %s: %m", path);
	close(fd);
	return true;
}

bool folder_make_file(const char *path)
{
	return make_file(path, 0);
}

bool folder_make_new_file(const char *path)
{
	return make_file(path, O_EXCL);
}

bool folder_remove(const char *folder, const char *name)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail_errno("open %s: %m", folder);
	ok = unlinkat(fd, name, 0) == 0 || errno == ENOENT;
	if (!ok)
		fail_errno("remove %s/%s: %m", folder, name);
	close(fd);
	return ok;
}

static int open_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fail_errno("open %s: %m", folder);
	return fd;
}

static bool erase_at(int at, const char *name);

/* What lies in FD, which is closed. */
static bool empty(int fd, const char *name)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	bool ok = true;

	if (!d) {
		close(fd);
		return fail_errno("open %s: %m", name);
	}
	for (errno = 0; ok && (e = readdir(d)); errno = 0)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			ok = erase_at(dirfd(d), e->d_name);
	if (ok && errno != 0)
		ok = fail_errno("list %s: %m", name);
	closedir(d);
	return ok;
}

static bool erase_at(int at, const char *name)
{
	int fd;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR)
		return fail_errno("remove %s: %m", name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || fail_errno("open %s: %m", name);
	if (!empty(fd, name))
		return false;
	return unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
	       fail_errno("remove %s: %m", name);
}

bool folder_erase(const char *folder, const char *name)
{
	int fd = open_folder(folder);
	bool ok = fd >= 0 && erase_at(fd, name) && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

bool folder_move(const char *from, const char *name, const char *to)
{
	int a = open_folder(from), b = a < 0 ? -1 : open_folder(to);
	bool ok = b >= 0;

	if (ok && renameat(a, name, b, name) != 0)
		ok = fail_errno("move %s/%s to %s: %m", from, name, to);
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	return ok;
}

bool folder_seal(const char *folder, const char *name, bool sealed)
{
	int fd = open_folder(folder);
	bool ok = fd >= 0;

	if (ok && fchmodat(fd, name, sealed ? 0400 : 0600, 0) != 0)
		ok = fail_errno("change %s/%s: %m", folder, name);
	if (fd >= 0)
		close(fd);
	return ok;
}

bool folder_is_sealed(const char *folder, const char *name)
{
	int fd = open_folder(folder);
	struct stat st = { .st_mode = 0 };
	bool yes = fd >= 0 &&
		   fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		   !(st.st_mode & 0222);

	if (fd >= 0)
		close(fd);
	return yes;
}

static int open_in(const char *folder, const char *name, int flags)
{
	int at = open_folder(folder);
	int fd = at < 0 ? -1 : openat(at, name, flags | O_CLOEXEC, 0600);

	if (at >= 0 && fd < 0)
		fail_errno("open %s/%s: %m", folder, name);
	if (at >= 0)
		close(at);
	return fd;
}

bool folder_is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

bool folder_readable(const char *folder, const char *name, uint64_t *bytes)
{
	int fd = open_in(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct stat st = { .st_size = 0 };
	bool ok = fd >= 0;

	if (ok && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)))
		ok = fail("%s/%s is no file", folder, name);
	*bytes = (uint64_t)st.st_size;
	if (fd >= 0)
		close(fd);
	return ok;
}

bool folder_note(const char *folder, const char *name, const char *text)
{
	char part[64];
	size_t n = strlen(text);
	int fd, at;
	bool ok;

	snprintf(part, sizeof(part), "%s.new", name);
	/* Not what lies there, which may be a link of the folder's owner. */
	if (!folder_remove(folder, part))
		return false;
	fd = open_in(folder, part, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return false;
	ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	close(fd);
	at = open_folder(folder);
	ok = ok && at >= 0 && renameat(at, part, at, name) == 0 &&
	     fsync(at) == 0;
	if (!ok)
		fail_errno("write %s/%s: %m", folder, name);
	if (at >= 0)
		close(at);
	return ok;
}

bool folder_noted(const char *folder, const char *name, char *text, size_t room)
{
	int fd = open_in(folder, name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n >= 0 || fail_errno("read %s/%s: %m", folder, name);
}

uint64_t folder_free_files(const char *folder)
{
	struct statvfs v;

	if (statvfs(folder, &v) != 0)
		return 0;
	return v.f_files ? v.f_favail : UINT64_MAX;
}

bool folder_is_read_only(const char *folder)
{
	struct statvfs v;

	return statvfs(folder, &v) == 0 && (v.f_flag & ST_RDONLY);
}

const char *folder_vfs(void)
{
	return NULL;
}

static struct lock *take(const char *path, int flags)
{
	struct lock *l;
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0) {
		fail_errno("open %s: %m", path);
		return NULL;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			fail_kind(FAIL_HELD, "%s is held by another process",
				  path);
		else
			fail_errno("lock %s: %m", path);
		close(fd);
		return NULL;
	}
	l = must_alloc(sizeof(*l));
	l->fd = fd;
	return l;
}

struct lock *lock_take(const char *path)
{
	return take(path, O_RDWR | O_CREAT);
}

struct lock *lock_take_folder(const char *path)
{
	return take(path, O_RDONLY | O_DIRECTORY);
}

int lock_fd(const struct lock *l)
{
	return l->fd;
}

void lock_drop(struct lock *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}
