/*
 * Spool files: O_TMPFILE, then a name when the bytes are on the disk.
 *
 * After any failed write or sync the file is spoilt: the kernel may have dropped
 * the pages and would call the next fsync() a success.
 */
#include "rt/file_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "rt/worker.h"

/* ---- opening ---- */

struct opening {
	const char *path;
	int flags;
	int fd;
	uint64_t bytes;
};

static bool open_now(void *arg)
{
	struct opening *o = arg;
	struct stat st;

	o->fd = open(o->path, o->flags | O_CLOEXEC, 0600);
	if (o->fd < 0)
		return fail_errno("open %s: %m", o->path);
	if (fstat(o->fd, &st) != 0) {
		fail_errno("stat %s: %m", o->path);
		close(o->fd);
		return false;
	}
	o->bytes = (uint64_t)st.st_size;
	return true;
}

static struct file *open_with(const char *path, int flags)
{
	struct opening o = { .path = path, .flags = flags };
	size_t n = strlen(path) + 1;
	struct file *f;

	if (!offload(open_now, &o))
		return NULL;
	f = must_alloc(sizeof(*f) + n);
	*f = (struct file){ .fd = o.fd, .bytes = o.bytes };
	memcpy(f->path, path, n);
	return f;
}

struct file *file_spool(const char *folder)
{
	return open_with(folder, O_TMPFILE | O_RDWR);
}

struct file *file_open(const char *path)
{
	return open_with(path, O_RDONLY | O_NOFOLLOW);
}

struct file *file_create(const char *path)
{
	return open_with(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
}

static void close_now(void *arg)
{
	struct file *f = arg;

	close(f->fd);
	free(f);
}

/* Without a name its blocks are given back now, however many. */
void file_close(struct file *f)
{
	if (f && fiber_self())
		offload_forgotten(close_now, f);
	else if (f)
		close_now(f);
}

uint64_t file_bytes(const struct file *f)
{
	return f->bytes;
}

/* ---- bytes ---- */

bool file_add_now(void *arg)
{
	struct transfer *t = arg;

	while (t->bytes.n > 0) {
		ssize_t n = pwrite(t->file->fd, t->bytes.p, t->bytes.n,
				   (off_t)t->file->bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail_errno("write in %s: %m", t->file->path);
			return file_spoil(t->file);
		}
		t->file->bytes += (uint64_t)n;
		t->bytes = str_from(t->bytes, (size_t)n);
	}
	return true;
}

bool file_read_now(void *arg)
{
	struct transfer *t = arg;

	do
		t->got = pread(t->file->fd, t->to, t->room, (off_t)t->offset);
	while (t->got < 0 && errno == EINTR);
	return t->got >= 0 ? true : fail_errno("read %s: %m", t->file->path);
}

/* ---- names ---- */

static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail_errno("open %s: %m", folder);
	ok = fsync(fd) == 0;
	if (!ok)
		fail_errno("sync %s: %m", folder);
	close(fd);
	return ok;
}

static bool name_path(char *to, size_t room, const struct naming *n)
{
	int length = snprintf(to, room, "%s/%s", n->folder, n->name);

	if (length < 0 || (size_t)length >= room)
		return fail("%s/%s: the path is too long", n->folder, n->name);
	return true;
}

/* O_TMPFILE's descriptor is given a name through /proc (open(2)). */
bool file_keep_now(void *arg)
{
	struct naming *n = arg;
	char unnamed[64], path[1024];

	if (!name_path(path, sizeof(path), n))
		return false;
	if (fsync(n->file->fd) != 0)
		return fail_errno("sync %s: %m", path);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", n->file->fd);
	if (linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
		return fail_errno("link %s: %m", path);
	if (sync_folder(n->folder))
		return true;
	unlink(path);
	return false;
}

bool file_remove_now(void *arg)
{
	struct naming *n = arg;
	char path[1024];

	if (!name_path(path, sizeof(path), n))
		return false;
	return unlink(path) == 0 ? true : fail_errno("remove %s: %m", path);
}

bool file_rename_now(void *arg)
{
	struct naming *n = arg;
	struct naming to = { .folder = n->folder, .name = n->to };
	char old[1024], new[1024];

	if (!name_path(old, sizeof(old), n) ||
	    !name_path(new, sizeof(new), &to))
		return false;
	if (rename(old, new) != 0)
		return fail_errno("rename %s to %s: %m", old, new);
	return sync_folder(n->folder);
}

bool file_sync_now(void *arg)
{
	struct file *f = arg;

	if (fdatasync(f->fd) == 0)
		return true;
	fail_errno("sync %s: %m", f->path);
	return file_spoil(f);
}

/* ---- folders ---- */

bool folder_list(const char *folder, void (*each)(void *, const char *),
		 void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	if (!d)
		return fail_errno("open %s: %m", folder);
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			each(arg, e->d_name);
	if (errno != 0) {
		fail_errno("list %s: %m", folder);
		closedir(d);
		return false;
	}
	closedir(d);
	return true;
}

uint64_t folder_free_bytes(const char *folder)
{
	struct statvfs v;

	if (statvfs(folder, &v) != 0)
		return 0;
	return (uint64_t)v.f_bavail * v.f_frsize;
}

static bool read_all(int fd, const char *path, size_t most, struct buf *to)
{
	size_t from = to->n;
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno("read %s: %m", path);
		buf_add(to, (struct str){ piece, (size_t)n });
		if (to->n - from > most)
			return fail("%s has more than %zu bytes", path, most);
	}
	return true;
}

bool file_text(const char *path, size_t most, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return fail_errno("open %s: %m", path);
	ok = read_all(fd, path, most, to);
	close(fd);
	return ok;
}
