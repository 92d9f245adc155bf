/* Folders, notes and locks on a simulated disk (rt/folder.h). */
#include "rt/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rt/sim/disk_inside.h"

struct lock {
	struct held held;
	struct sim_process *process;
	struct node *node;
};

/* ---- making ---- */

static bool make(const char *path, bool is_folder, bool synced)
{
	char name[NAME_BYTES];
	struct node *in = node_folder_of(path, name), *n;
	bool ok;

	if (!in)
		return false;
	if (node_in(in, name))
		return true;
	n = node_new(is_folder, is_folder ? 0700 : 0600);
	ok = n && name_link(in, name, n);
	node_release(n);
	return ok && (!synced || folder_sync(in));
}

bool folder_make(const char *path)
{
	return make(path, true, true) || fail_errno("make folder %s: %m", path);
}

bool folder_make_file(const char *path)
{
	return make(path, false, false) || fail_errno("make %s: %m", path);
}

bool folder_make_new_file(const char *path)
{
	if (node_find(path))
		return fail_kind(FAIL_HELD, "make %s: File exists", path);
	return folder_make_file(path);
}

/* ---- removing and moving ---- */

static struct node *find_folder(const char *folder)
{
	struct node *f = node_find(folder);

	if (!f)
		fail_errno("open %s: %m", folder);
	return f;
}

bool folder_remove(const char *folder, const char *name)
{
	struct node *f = find_folder(folder);

	if (!f)
		return false;
	return name_unlink(f, name) || errno == ENOENT ||
	       fail_errno("remove %s/%s: %m", folder, name);
}

static bool erase_in(struct node *folder, const char *name)
{
	struct node *n = node_in(folder, name);

	while (n && n->entries)
		if (!erase_in(n, n->entries->name))
			return false;
	return name_unlink(folder, name) || errno == ENOENT;
}

bool folder_erase(const char *folder, const char *name)
{
	struct node *f = find_folder(folder);

	if (!f)
		return false;
	return (erase_in(f, name) && folder_sync(f)) ||
	       fail_errno("remove %s: %m", name);
}

bool folder_move(const char *from, const char *name, const char *to)
{
	struct node *a = find_folder(from), *b = a ? find_folder(to) : NULL;

	if (!b)
		return false;
	return name_move(a, name, b, name) ||
	       fail_errno("move %s/%s to %s: %m", from, name, to);
}

/* ---- one file ---- */

static struct node *find_in(const char *folder, const char *name)
{
	struct node *f = find_folder(folder), *n = f ? node_in(f, name) : NULL;

	if (f && !n)
		fail_errno("open %s/%s: %m", folder, name);
	return n;
}

bool folder_seal(const char *folder, const char *name, bool sealed)
{
	struct node *n = find_in(folder, name);

	if (n)
		n->mode = sealed ? 0400 : 0600;
	return n != NULL;
}

bool folder_is_sealed(const char *folder, const char *name)
{
	struct node *f = node_find(folder), *n = f ? node_in(f, name) : NULL;

	return n && !(n->mode & 0222);
}

bool folder_is_there(const char *path)
{
	return node_find(path) != NULL;
}

bool folder_readable(const char *folder, const char *name, uint64_t *bytes)
{
	struct node *n = find_in(folder, name);

	*bytes = n ? n->now.n : 0;
	if (n && n->is_folder)
		return fail("%s/%s is no file", folder, name);
	return n != NULL;
}

static bool note(struct node *f, const char *part, const char *name,
		 const char *text)
{
	struct node *n = node_new(false, 0600);
	bool ok;

	if (!n)
		return false;
	ok = name_link(f, part, n) && node_write(n, 0, text, strlen(text)) &&
	     node_sync(n) && name_move(f, part, f, name) && folder_sync(f);
	node_release(n);
	return ok;
}

bool folder_note(const char *folder, const char *name, const char *text)
{
	char part[NAME_BYTES];
	struct node *f;

	snprintf(part, sizeof(part), "%s.new", name);
	if (!folder_remove(folder, part))
		return false;
	f = find_folder(folder);
	return f && (note(f, part, name, text) ||
		     fail_errno("write %s/%s: %m", folder, name));
}

bool folder_noted(const char *folder, const char *name, char *text, size_t room)
{
	struct node *node = find_in(folder, name);
	ssize_t n = node ? node_read(node, 0, text, room - 1) : -1;

	text[n < 0 ? 0 : n] = '\0';
	if (node && n < 0)
		return fail_errno("read %s/%s: %m", folder, name);
	return n >= 0;
}

uint64_t folder_free_files(const char *folder)
{
	struct disk *d = disk_here();

	if (!node_find(folder) || d->files >= d->conduct.room_files)
		return 0;
	return d->conduct.room_files - d->files;
}

bool folder_is_read_only(const char *folder)
{
	return node_find(folder) && disk_here()->conduct.is_read_only;
}

/* ---- locks ---- */

static void unlock(struct lock *l)
{
	if (l->node->lock == l->process)
		l->node->lock = NULL;
	node_release(l->node);
	free(l);
}

static void lose(struct held *h)
{
	unlock((struct lock *)h);
}

static struct lock *take(const char *path)
{
	struct node *n = node_find(path);
	struct lock *l;

	if (!n) {
		fail_errno("open %s: %m", path);
		return NULL;
	}
	if (n->lock) {
		fail_kind(FAIL_HELD, "%s is held by another process", path);
		return NULL;
	}
	l = must_alloc(sizeof(*l));
	*l = (struct lock){ .node = n };
	l->process = hold(&l->held, lose);
	n->lock = l->process;
	node_keep(n);
	return l;
}

struct lock *lock_take(const char *path)
{
	return folder_make_file(path) ? take(path) : NULL;
}

struct lock *lock_take_folder(const char *path)
{
	return take(path);
}

int lock_fd(const struct lock *l)
{
	(void)l;
	return -1;
}

void lock_drop(struct lock *l)
{
	if (!l)
		return;
	hold_end(l->process, &l->held);
	unlock(l);
}
