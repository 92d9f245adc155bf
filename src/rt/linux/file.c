/*
 * Spool files: O_TMPFILE, then a name when the bytes are on the disk.
 *
 * Whatever may touch the disk is offloaded.  After any failed write or sync
 * the file is spoilt: the kernel may have dropped the pages and would call
 * the next fsync() a success.
 */
#include "rt/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "rt/worker.h"

struct file {
	int fd;
	bool spoilt;
	uint64_t bytes;
	char path[]; /* the folder of a spool file, else the file */
};

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
		return fail("open %s: %m", o->path);
	if (fstat(o->fd, &st) != 0) {
		fail("stat %s: %m", o->path);
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

void file_close(struct file *f)
{
	if (!f)
		return;
	close(f->fd);
	free(f);
}

uint64_t file_bytes(const struct file *f)
{
	return f->bytes;
}

/* ---- bytes ---- */

struct transfer {
	struct file *file;
	struct str bytes;
	char *to;
	size_t room;
	uint64_t offset;
	ptrdiff_t got;
};

static bool add_now(void *arg)
{
	struct transfer *t = arg;

	while (t->bytes.n > 0) {
		ssize_t n = pwrite(t->file->fd, t->bytes.p, t->bytes.n,
		                   (off_t)t->file->bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			t->file->spoilt = true;
			return fail("write in %s: %m", t->file->path);
		}
		t->file->bytes += (uint64_t)n;
		t->bytes = str_from(t->bytes, (size_t)n);
	}
	return true;
}

bool file_add(struct file *f, struct str bytes)
{
	struct transfer t = { .file = f, .bytes = bytes };

	if (f->spoilt)
		return fail("write in %s: an earlier write failed", f->path);
	return offload(add_now, &t);
}

static bool read_now(void *arg)
{
	struct transfer *t = arg;

	do
		t->got = pread(t->file->fd, t->to, t->room, (off_t)t->offset);
	while (t->got < 0 && errno == EINTR);
	return t->got >= 0 ? true : fail("read %s: %m", t->file->path);
}

ptrdiff_t file_read(struct file *f, uint64_t offset, char *to, size_t room)
{
	struct transfer t = {
		.file = f,
		.to = to,
		.room = room,
		.offset = offset,
	};

	return offload(read_now, &t) ? t.got : -1;
}

/* ---- names ---- */

struct naming {
	struct file *file;
	const char *folder;
	const char *name;
};

static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail("open %s: %m", folder);
	ok = fsync(fd) == 0;
	if (!ok)
		fail("sync %s: %m", folder);
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
static bool keep_now(void *arg)
{
	struct naming *n = arg;
	char unnamed[64], path[1024];

	if (!name_path(path, sizeof(path), n))
		return false;
	if (fsync(n->file->fd) != 0)
		return fail("sync %s: %m", path);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", n->file->fd);
	if (linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
		return fail("link %s: %m", path);
	if (sync_folder(n->folder))
		return true;
	unlink(path);
	return false;
}

bool file_keep(struct file *f, const char *name)
{
	struct naming n = { .file = f, .folder = f->path, .name = name };

	if (f->spoilt)
		return fail("keep %s: an earlier write failed", name);
	if (offload(keep_now, &n))
		return true;
	f->spoilt = true;
	return false;
}

static bool remove_now(void *arg)
{
	struct naming *n = arg;
	char path[1024];

	if (!name_path(path, sizeof(path), n))
		return false;
	return unlink(path) == 0 ? true : fail("remove %s: %m", path);
}

bool file_remove(const char *folder, const char *name)
{
	struct naming n = { .folder = folder, .name = name };

	return offload(remove_now, &n);
}

/* ---- folders ---- */

bool folder_list(const char *folder, void (*each)(void *, const char *),
                 void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	if (!d)
		return fail("open %s: %m", folder);
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			each(arg, e->d_name);
	if (errno != 0) {
		fail("list %s: %m", folder);
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
