/*
 * Files, as both implementations have them: whatever may touch the disk is
 * offloaded, and who is spoilt fails at once.
 */
#include "rt/file_inside.h"
#include "rt/worker.h"

bool file_spoil(struct file *f)
{
	f->spoilt = true;
	f->spoilt_by = cause_kind();
	return false;
}

/* Did an earlier write fail?  WHAT is not done then, "WHAT NAME: ...". */
static bool is_spoilt(const struct file *f, const char *what, const char *name)
{
	if (f->spoilt)
		fail_kind(f->spoilt_by, "%s %s: an earlier write failed", what,
			  name);
	return f->spoilt;
}

bool file_add(struct file *f, struct str bytes)
{
	struct transfer t = { .file = f, .bytes = bytes };

	return !is_spoilt(f, "write in", f->path) && offload(file_add_now, &t);
}

ptrdiff_t file_read(struct file *f, uint64_t offset, char *to, size_t room)
{
	struct transfer t = {
		.file = f,
		.to = to,
		.room = room,
		.offset = offset,
	};

	return offload(file_read_now, &t) ? t.got : -1;
}

bool file_keep(struct file *f, const char *name)
{
	struct naming n = { .file = f, .folder = f->path, .name = name };

	return !is_spoilt(f, "keep", name) &&
	       (offload(file_keep_now, &n) || file_spoil(f));
}

bool file_remove(const char *folder, const char *name)
{
	struct naming n = { .folder = folder, .name = name };

	return offload(file_remove_now, &n);
}

bool file_rename(const char *folder, const char *from, const char *to)
{
	struct naming n = { .folder = folder, .name = from, .to = to };

	return offload(file_rename_now, &n);
}

bool file_sync(struct file *f)
{
	return !is_spoilt(f, "sync", f->path) && offload(file_sync_now, f);
}
