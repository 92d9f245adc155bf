/*
 * Spool files and named files on a simulated disk (rt/file.h).
 *
 * Offloaded as on Linux: what a slow disk holds up is a thread.
 */
#include "rt/file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mutants.h"
#include "rt/sim/disk_inside.h"
#include "rt/worker.h"

struct file {
	struct held held;
	struct sim_process *process;
	struct node *node, *folder; /* folder: of a spool file, else NULL */
	bool can_write;
	bool spoilt;
	enum fail_kind spoilt_by;
	char path[];
};

static bool spoil(struct file *f)
{
	f->spoilt = true;
	f->spoilt_by = cause_kind();
	return false;
}

/* ---- opening ---- */

enum opening_kind {
	OPEN_SPOOL,
	OPEN_READ,
	OPEN_NEW,
};

struct opening {
	const char *path;
	enum opening_kind kind;
	struct node *node, *folder;
};

static bool open_new(struct opening *o)
{
	char name[NAME_BYTES];
	struct node *folder = node_folder_of(o->path, name);

	if (!folder)
		return false;
	o->node = node_in(folder, name);
	if (o->node) {
		node_keep(o->node);
		return node_resize(o->node, 0);
	}
	o->node = node_new(false, 0600);
	return o->node && name_link(folder, name, o->node);
}

static bool open_spool(struct opening *o)
{
	o->folder = node_find(o->path);
	if (!o->folder)
		return false;
	node_keep(o->folder);
	o->node = node_new(false, 0600);
	return o->node != NULL;
}

static bool open_read(struct opening *o)
{
	o->node = node_find(o->path);
	if (o->node)
		node_keep(o->node);
	return o->node != NULL;
}

static bool open_now(void *arg)
{
	struct opening *o = arg;
	bool ok = o->kind == OPEN_SPOOL  ? open_spool(o)
		  : o->kind == OPEN_READ ? open_read(o)
					 : open_new(o);

	if (ok)
		return true;
	fail_errno("open %s: %m", o->path);
	node_release(o->node);
	node_release(o->folder);
	return false;
}

static void file_free(struct file *f)
{
	node_release(f->node);
	node_release(f->folder);
	free(f);
}

static void lose(struct held *h)
{
	file_free((struct file *)h);
}

static struct file *open_with(const char *path, enum opening_kind kind)
{
	struct opening o = { .path = path, .kind = kind };
	size_t n = strlen(path) + 1;
	struct file *f;

	if (!descriptor_take("open")) {
		add_cause("%s", path);
		return NULL;
	}
	if (!offload(open_now, &o)) {
		descriptor_give(process_here());
		return NULL;
	}
	f = must_alloc(sizeof(*f) + n);
	*f = (struct file){ .node = o.node,
			    .folder = o.folder,
			    .can_write = kind != OPEN_READ };
	memcpy(f->path, path, n);
	f->process = hold(&f->held, lose);
	return f;
}

struct file *file_spool(const char *folder)
{
	return open_with(folder, OPEN_SPOOL);
}

struct file *file_open(const char *path)
{
	return open_with(path, OPEN_READ);
}

struct file *file_create(const char *path)
{
	return open_with(path, OPEN_NEW);
}

void file_close(struct file *f)
{
	if (!f)
		return;
	hold_end(f->process, &f->held);
	descriptor_give(f->process);
	file_free(f);
}

uint64_t file_bytes(const struct file *f)
{
	return f->node->now.n;
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
	struct node *n = t->file->node;

	errno = EBADF;
	if (t->file->can_write &&
	    node_write(n, n->now.n, t->bytes.p, t->bytes.n))
		return true;
	fail_errno("write in %s: %m", t->file->path);
	return spoil(t->file);
}

bool file_add(struct file *f, struct str bytes)
{
	struct transfer t = { .file = f, .bytes = bytes };

	if (f->spoilt)
		return fail_kind(f->spoilt_by,
				 "write in %s: an earlier write failed",
				 f->path);
	return offload(add_now, &t);
}

static bool read_now(void *arg)
{
	struct transfer *t = arg;

	t->got = node_read(t->file->node, t->offset, t->to, t->room);
	return t->got >= 0 ? true : fail_errno("read %s: %m", t->file->path);
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
	const char *name, *to;
};

static bool keep_now(void *arg)
{
	struct naming *n = arg;
	struct file *f = n->file;

	if (!node_sync(f->node))
		return fail_errno("sync %s/%s: %m", f->path, n->name);
	if (!name_link(f->folder, n->name, f->node))
		return fail_errno("link %s/%s: %m", f->path, n->name);
	if (MUTANT(folder_is_not_synced) || folder_sync(f->folder))
		return true;
	fail_errno("sync %s: %m", f->path);
	(void)name_unlink(f->folder, n->name);
	return false;
}

bool file_keep(struct file *f, const char *name)
{
	struct naming n = { .file = f, .name = name };

	if (f->spoilt)
		return fail_kind(f->spoilt_by,
				 "keep %s: an earlier write failed", name);
	return offload(keep_now, &n) || spoil(f);
}

static bool remove_now(void *arg)
{
	struct naming *n = arg;
	struct node *folder = node_find(n->folder);

	return (folder && name_unlink(folder, n->name)) ||
	       fail_errno("remove %s/%s: %m", n->folder, n->name);
}

bool file_remove(const char *folder, const char *name)
{
	struct naming n = { .folder = folder, .name = name };

	return offload(remove_now, &n);
}

static bool rename_now(void *arg)
{
	struct naming *n = arg;
	struct node *folder = node_find(n->folder);

	if (!folder || !name_move(folder, n->name, folder, n->to))
		return fail_errno("rename %s/%s to %s/%s: %m", n->folder,
				  n->name, n->folder, n->to);
	return folder_sync(folder) || fail_errno("sync %s: %m", n->folder);
}

bool file_rename(const char *folder, const char *from, const char *to)
{
	struct naming n = { .folder = folder, .name = from, .to = to };

	return offload(rename_now, &n);
}

static bool sync_now(void *arg)
{
	struct file *f = arg;

	if (node_sync(f->node))
		return true;
	fail_errno("sync %s: %m", f->path);
	return spoil(f);
}

bool file_sync(struct file *f)
{
	if (f->spoilt)
		return fail_kind(f->spoilt_by,
				 "sync %s: an earlier write failed", f->path);
	return offload(sync_now, f);
}

/* ---- folders ---- */

bool folder_list(const char *folder, void (*each)(void *, const char *),
		 void *arg)
{
	struct node *f = node_find(folder);
	struct entry *next;

	if (!f)
		return fail_errno("open %s: %m", folder);
	for (struct entry *e = f->entries; e; e = next) {
		next = e->next; /* EACH may remove it */
		each(arg, e->name);
	}
	return true;
}

uint64_t folder_free_bytes(const char *folder)
{
	struct disk *d = disk_here();

	if (!node_find(folder) || d->bytes >= d->conduct.room_bytes)
		return 0;
	return d->conduct.room_bytes - d->bytes;
}
