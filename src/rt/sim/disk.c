/* Names on a disk, and what a power cut leaves of them. */
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "rt/sim/disk_inside.h"

enum { PLENTY_FILES = 1 << 24 };

/* One or two names that change together. */
struct name_set {
	struct node *folder; /* NULL: no second */
	struct node *node;   /* NULL: the name goes */
	char name[NAME_BYTES];
};

struct renaming {
	struct renaming *prev, *next;
	struct name_set set[2];
};

/* ---- nodes ---- */

static struct node *node_on(struct disk *d, bool is_folder, unsigned mode)
{
	struct node *n = must_alloc(sizeof(*n));

	*n = (struct node){ .disk = d,
			    .number = ++d->last_number,
			    .refs = 1,
			    .mode = mode,
			    .is_folder = is_folder };
	DL_APPEND(d->nodes, n);
	d->files++;
	return n;
}

struct node *node_new(bool is_folder, unsigned mode)
{
	struct disk *d = disk_here();

	if (d->conduct.is_read_only)
		errno = EROFS;
	else if (d->files >= d->conduct.room_files)
		errno = ENOSPC;
	else
		return node_on(d, is_folder, mode);
	return NULL;
}

void node_keep(struct node *n)
{
	n->refs++;
}

static void entries_free(struct entry **list)
{
	while (*list) {
		struct entry *e = *list;

		*list = e->next;
		node_release(e->node);
		free(e);
	}
}

void node_release(struct node *n)
{
	if (!n || --n->refs > 0)
		return;
	entries_free(&n->entries);
	entries_free(&n->kept_entries);
	bytes_forget(n);
	sqlite_forget(n);
	n->disk->files--;
	DL_DELETE(n->disk->nodes, n);
	free(n);
}

/* ---- lists of names ---- */

static struct entry **entry_place(struct entry **list, const char *name)
{
	while (*list && strcmp((*list)->name, name) != 0)
		list = &(*list)->next;
	return list;
}

static void entry_set(struct entry **list, const char *name, struct node *n)
{
	struct entry **place = entry_place(list, name), *e = *place;
	size_t bytes = strlen(name) + 1;

	if (n)
		node_keep(n);
	if (e && n) {
		node_release(e->node);
		e->node = n;
	} else if (e) {
		*place = e->next;
		node_release(e->node);
		free(e);
	} else if (n) {
		e = must_alloc(sizeof(*e) + bytes);
		*e = (struct entry){ .node = n };
		memcpy(e->name, name, bytes);
		*place = e;
	}
}

struct node *node_in(struct node *folder, const char *name)
{
	struct entry *e = *entry_place(&folder->entries, name);

	if (!e)
		errno = ENOENT;
	return e ? e->node : NULL;
}

/* ---- paths: absolute, or from the root all the same ---- */

static bool take_part(struct str *rest, char part[NAME_BYTES])
{
	struct str one = STR_NONE;

	while (!str_empty(*rest) && str_empty(one))
		str_split(rest, '/', &one);
	check(one.n < NAME_BYTES);
	if (!str_empty(one))
		memcpy(part, one.p, one.n);
	part[one.n] = '\0';
	return !str_empty(one);
}

static struct node *step(struct node *n, const char *part)
{
	if (!n->is_folder) {
		errno = ENOTDIR;
		return NULL;
	}
	return strcmp(part, ".") == 0 ? n : node_in(n, part);
}

struct node *node_find(const char *path)
{
	struct node *n = disk_here()->root;
	struct str rest = str_of(path);
	char part[NAME_BYTES];

	while (n && take_part(&rest, part))
		n = step(n, part);
	return n;
}

struct node *node_folder_of(const char *path, char name[NAME_BYTES])
{
	struct node *n = disk_here()->root;
	struct str rest = str_of(path);
	char part[NAME_BYTES];

	check(take_part(&rest, name));
	while (n && take_part(&rest, part)) {
		n = step(n, name);
		memcpy(name, part, sizeof(part));
	}
	if (n && !n->is_folder) {
		errno = ENOTDIR;
		return NULL;
	}
	return n;
}

/* ---- changes of names ---- */

static void set_names(struct renaming *r, bool kept)
{
	for (int i = 0; i < 2 && r->set[i].folder; i++) {
		struct node *f = r->set[i].folder;

		entry_set(kept ? &f->kept_entries : &f->entries, r->set[i].name,
			  r->set[i].node);
	}
}

static void renaming_free(struct disk *d, struct renaming *r)
{
	DL_DELETE(d->renamings, r);
	for (int i = 0; i < 2 && r->set[i].folder; i++) {
		node_release(r->set[i].folder);
		node_release(r->set[i].node);
	}
	free(r);
}

static void set_one(struct name_set *s, struct node *folder, const char *name,
		    struct node *n)
{
	*s = (struct name_set){ .folder = folder, .node = n };
	check(strlen(name) < NAME_BYTES);
	memcpy(s->name, name, strlen(name) + 1);
	node_keep(folder);
	if (n)
		node_keep(n);
}

static void rename_now(struct renaming *r)
{
	struct renaming *copy = must_alloc(sizeof(*copy));

	*copy = *r;
	DL_APPEND(disk_here()->renamings, copy);
	set_names(copy, false);
	for (int i = 0; i < 2 && copy->set[i].folder; i++)
		sim_tell("name %s in folder %llu: %s", copy->set[i].name,
			 (unsigned long long)copy->set[i].folder->number,
			 copy->set[i].node ? "there" : "gone");
	disk_change_made();
}

static bool begin_rename(void)
{
	const struct sim_disk *d = &disk_here()->conduct;

	return disk_change_begin(d->write_us, d->fail_write_in);
}

bool name_link(struct node *folder, const char *name, struct node *n)
{
	struct renaming r = { .set = { { .folder = NULL } } };

	if (!begin_rename())
		return false;
	if (node_in(folder, name)) {
		errno = EEXIST;
		return false;
	}
	set_one(&r.set[0], folder, name, n);
	rename_now(&r);
	return true;
}

bool name_unlink(struct node *folder, const char *name)
{
	struct renaming r = { .set = { { .folder = NULL } } };

	if (!begin_rename() || !node_in(folder, name))
		return false;
	set_one(&r.set[0], folder, name, NULL);
	rename_now(&r);
	return true;
}

bool name_move(struct node *from, const char *name, struct node *to,
	       const char *new_name)
{
	struct renaming r = { .set = { { .folder = NULL } } };
	struct node *n;

	if (!begin_rename())
		return false;
	n = node_in(from, name);
	if (!n)
		return false;
	set_one(&r.set[0], from, name, NULL);
	set_one(&r.set[1], to, new_name, n);
	rename_now(&r);
	return true;
}

static bool concerns(const struct renaming *r, const struct node *folder)
{
	return r->set[0].folder == folder || r->set[1].folder == folder;
}

bool folder_sync(struct node *folder)
{
	struct disk *d = folder->disk;
	struct renaming *r, *next;

	if (draw(2) == 0)
		disk_change_made();
	if (!disk_change_begin(d->conduct.sync_us, d->conduct.fail_sync_in))
		return false;
	DL_FOREACH_SAFE (d->renamings, r, next)
		if (concerns(r, folder)) {
			set_names(r, true);
			renaming_free(d, r);
		}
	disk_change_made();
	return true;
}

/* ---- a power cut ---- */

/* A folder that has lost one change has lost those after it. */
static bool is_stopped(struct renaming *first, const struct renaming *r)
{
	for (; first && first != r; first = first->next)
		for (int i = 0; i < 2 && r->set[i].folder; i++)
			if (concerns(first, r->set[i].folder))
				return true;
	return false;
}

/* Those that came through are taken off; what stays has stopped its folders. */
static void names_cut(struct disk *d, enum mercy mercy)
{
	struct renaming *r, *next;

	DL_FOREACH_SAFE (d->renamings, r, next) {
		if (mercy == MERCY_NONE || is_stopped(d->renamings, r) ||
		    (mercy == MERCY_DRAWN && draw(2) == 0))
			continue;
		set_names(r, true);
		renaming_free(d, r);
	}
	while (d->renamings)
		renaming_free(d, d->renamings);
}

static void entries_copy(struct entry **to, const struct entry *from)
{
	entries_free(to);
	for (; from; from = from->next)
		entry_set(to, from->name, from->node);
}

static void count_refs(struct disk *d)
{
	struct node *n;
	struct entry *e;

	DL_FOREACH (d->nodes, n)
		n->refs = n == d->root;
	DL_FOREACH (d->nodes, n) {
		LL_FOREACH (n->entries, e)
			e->node->refs++;
		LL_FOREACH (n->kept_entries, e)
			e->node->refs++;
	}
}

static struct node *find_lost(struct disk *d)
{
	struct node *n;

	DL_FOREACH (d->nodes, n)
		if (n->refs == 0)
			break;
	return n;
}

/* Nobody is left who could have more than a name does: not even a fiber that
 * was stopped half-way. */
static void forget_nameless(struct disk *d)
{
	struct node *lost;

	count_refs(d);
	while ((lost = find_lost(d)) != NULL) {
		node_keep(lost);
		node_release(lost);
	}
}

void disk_cut(struct sim_host *h)
{
	struct disk *d = h->disk;
	enum mercy mercy = (enum mercy)draw(3);
	struct node *n;

	d->conduct.cut_after = 0;
	names_cut(d, mercy);
	DL_FOREACH (d->nodes, n)
		node_keep(n);
	DL_FOREACH (d->nodes, n) {
		n->lock = NULL;
		sqlite_forget(n);
		if (n->is_folder)
			entries_copy(&n->entries, n->kept_entries);
		else
			bytes_cut(n, mercy);
	}
	forget_nameless(d);
}

/* ---- begin and end ---- */

void disk_open(struct sim_host *h)
{
	struct disk *d = must_alloc(sizeof(*d));
	struct node *tmp;

	*d = (struct disk){ .conduct = { .room_bytes = 1ull << 40,
					 .room_files = PLENTY_FILES } };
	h->disk = d;
	d->root = node_on(d, true, 0755);
	tmp = node_on(d, true, 0777);
	entry_set(&d->root->entries, "tmp", tmp);
	entry_set(&d->root->kept_entries, "tmp", tmp);
	node_release(tmp);
}

/* Folders let go of what is in them. */
void disk_close(struct sim_host *h)
{
	struct disk *d = h->disk;

	while (d->renamings)
		renaming_free(d, d->renamings);
	forget_nameless(d);
	node_release(d->root);
	check(!d->nodes);
	free(d);
}
