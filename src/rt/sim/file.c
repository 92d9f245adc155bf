/*
 * Spool files and named files on a simulated disk (rt/file.h).
 *
 * Offloaded as on Linux: what a slow disk holds up is a thread.
 */
#include "rt/file_inside.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mutants.h"
#include "rt/worker.h"

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

bool file_add_now(void *arg)
{
	struct transfer *t = arg;
	struct node *n = t->file->node;

	errno = EBADF;
	if (t->file->can_write &&
	    node_write(n, n->now.n, t->bytes.p, t->bytes.n))
		return true;
	fail_errno("write in %s: %m", t->file->path);
	return file_spoil(t->file);
}

bool file_read_now(void *arg)
{
	struct transfer *t = arg;

	t->got = node_read(t->file->node, t->offset, t->to, t->room);
	return t->got >= 0 ? true : fail_errno("read %s: %m", t->file->path);
}

/* ---- names ---- */

bool file_keep_now(void *arg)
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

bool file_remove_now(void *arg)
{
	struct naming *n = arg;
	struct node *folder = node_find(n->folder);

	return (folder && name_unlink(folder, n->name)) ||
	       fail_errno("remove %s/%s: %m", n->folder, n->name);
}

bool file_rename_now(void *arg)
{
	struct naming *n = arg;
	struct node *folder = node_find(n->folder);

	if (!folder || !name_move(folder, n->name, folder, n->to))
		return fail_errno("rename %s/%s to %s/%s: %m", n->folder,
				  n->name, n->folder, n->to);
	return folder_sync(folder) || fail_errno("sync %s: %m", n->folder);
}

bool file_sync_now(void *arg)
{
	struct file *f = arg;

	if (node_sync(f->node))
		return true;
	fail_errno("sync %s: %m", f->path);
	return file_spoil(f);
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

/* A world's hosts have no system. */
bool file_text(const char *path, size_t most, struct buf *to)
{
	(void)most;
	(void)to;
	return fail_kind(FAIL_ABSENT, "open %s: no such file", path);
}
