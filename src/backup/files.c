/* Copies and links (files.h). */
#include "backup/files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <linux/fs.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/folder.h"

enum { PIECE = 1 << 17 };

static void end_hash(crypto_hash_sha256_state *h, struct file_made *out)
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(h, digest);
	sodium_bin2hex(out->hash, sizeof(out->hash), digest, sizeof(digest));
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t did = write(fd, p, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return false;
		p += did;
		n -= (size_t)did;
	}
	return true;
}

/* What FROM has, hashed; to TO as well unless that is -1. */
static bool pass_on(int from, int to, struct file_made *out)
{
	static char piece[PIECE];
	crypto_hash_sha256_state h;
	ssize_t n;

	crypto_hash_sha256_init(&h);
	out->bytes = 0;
	while ((n = read(from, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (to >= 0 && !write_all(to, piece, (size_t)n)))
			return false;
		crypto_hash_sha256_update(&h, (unsigned char *)piece,
					  (size_t)n);
		out->bytes += (uint64_t)n;
	}
	end_hash(&h, out);
	return true;
}

static enum file_done trouble(const char *what, const char *path)
{
	fail_errno("%s %s: %m", what, path);
	return FILE_TROUBLE;
}

/* Only a regular file: nobody waits for a pipe that somebody has put there. */
static int open_to_read(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

enum file_done file_copy(const char *from, const char *to,
			 struct file_made *out)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *part = arena_printf(arena, "%s.part", to);
	int in = open_to_read(from), fd;
	enum file_done done = FILE_MADE;

	*out = (struct file_made){ .kind = FILE_COPIED };
	if (in < 0)
		return errno == ENOENT ? FILE_GONE : trouble("open", from);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		done = trouble("create", part);
	else if (!pass_on(in, fd, out))
		done = trouble("copy to", part);
	else if (rename(part, to) != 0)
		done = trouble("write", to);
	if (fd >= 0)
		close(fd);
	close(in);
	return done;
}

enum file_done file_read_hash(const char *path, struct file_made *out)
{
	int in = open_to_read(path);
	bool ok;

	*out = (struct file_made){ .kind = FILE_COPIED };
	if (in < 0 && errno == ELOOP)
		return file_link_text(path, NULL, out);
	if (in < 0)
		return errno == ENOENT ? FILE_GONE : trouble("open", path);
	ok = pass_on(in, -1, out);
	if (!ok)
		(void)trouble("read", path);
	close(in);
	return ok ? FILE_MADE : FILE_TROUBLE;
}

/* Where a file cannot have two names, its bytes may be shared until one of them
 * changes. */
static bool clone(const char *from, const char *to)
{
	int in = open_to_read(from), fd = -1;
	bool ok = false;

	if (in >= 0)
		fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		ok = ioctl(fd, FICLONE, in) == 0;
		close(fd);
		if (!ok)
			unlink(to);
	}
	if (in >= 0)
		close(in);
	return ok;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, two;

	return lstat(a, &one) == 0 && lstat(b, &two) == 0 &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

enum file_done file_link(const char *from, const char *to, bool hashed,
			 struct file_made *out)
{
	struct stat st;

	if (link(from, to) != 0) {
		if (errno == ENOENT && !folder_is_there(from))
			return FILE_GONE;
		if (errno != EEXIST || !is_same_file(from, to)) {
			if (errno == EEXIST || !clone(from, to))
				return file_copy(from, to, out);
		}
	}
	if (hashed)
		return file_read_hash(to, out);
	*out = (struct file_made){ .kind = FILE_LINKED };
	if (lstat(to, &st) != 0)
		return trouble("look at", to);
	out->bytes = (uint64_t)st.st_size;
	return FILE_MADE;
}

/* TO may be NULL: only read. */
enum file_done file_link_text(const char *from, const char *to,
			      struct file_made *out)
{
	char text[PATH_MAX];
	ssize_t n = readlink(from, text, sizeof(text) - 1);
	crypto_hash_sha256_state h;

	*out = (struct file_made){ .kind = FILE_SYMLINK };
	if (n < 0)
		return errno == ENOENT ? FILE_GONE : trouble("read", from);
	text[n] = 0;
	out->bytes = (uint64_t)n;
	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, (unsigned char *)text, (size_t)n);
	end_hash(&h, out);
	if (!to)
		return FILE_MADE;
	if (unlink(to) != 0 && errno != ENOENT)
		return trouble("replace", to);
	return symlink(text, to) == 0 ? FILE_MADE : trouble("create", to);
}

/* ---- trees ---- */

static bool visit(const FTSENT *e, size_t prefix,
		  bool (*each)(void *arg, const struct tree_entry *e),
		  void *arg)
{
	struct tree_entry t = { .path = e->fts_path, .status = e->fts_statp };

	switch (e->fts_info) {
	case FTS_D:
		t.kind = TREE_FOLDER;
		break;
	case FTS_F:
		t.kind = TREE_FILE;
		break;
	case FTS_SL:
	case FTS_SLNONE:
		t.kind = TREE_SYMLINK;
		break;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		errno = e->fts_errno;
		return errno == ENOENT || fail("read %s: %m", e->fts_path);
	default:
		return true; /* a folder's end; sockets, pipes */
	}
	if (e->fts_level == 0)
		return true;
	t.name = e->fts_path + prefix + 1;
	return each(arg, &t);
}

bool tree_walk(const char *folder,
	       bool (*each)(void *arg, const struct tree_entry *e), void *arg)
{
	char *const roots[] = { (char *)folder, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t prefix = strlen(folder);
	bool ok = fts || fail("read %s: %m", folder);
	FTSENT *e = NULL;

	while (ok && (errno = 0, e = fts_read(fts)) != NULL)
		ok = visit(e, prefix, each, arg);
	if (ok && errno != 0)
		ok = fail("read %s: %m", folder);
	if (fts)
		fts_close(fts);
	return ok;
}

bool folder_new(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ||
	       fail_errno("make folder %s: %m", path);
}

bool disk_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && syncfs(fd) == 0;

	if (!ok)
		fail_errno("sync %s: %m", folder);
	if (fd >= 0)
		close(fd);
	return ok;
}
