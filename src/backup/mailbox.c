/*
 * One mailbox as it was at one moment (mailbox.h).
 *
 * Nobody is locked out.  It is looked through again and again, and what was seen is
 * copied, until two looks have seen the same files: then whatever was there at the
 * second one had been there, all of it, between the two, and nothing else.
 *
 * Dovecot moves a message by giving its file a second name, in the other folder,
 * and then taking the first away: who looks in between finds it twice.  So where a
 * file got a second name in the last seconds it is waited for, and a name that is
 * gone then is left out.
 *
 * A message in a Maildir is written once and never changed, so it becomes a link.
 * Anything else (indexes, lists, mdbox) may be written where it is, and is copied;
 * it is another file as soon as its number, size or time is another.
 */
#include "backup/mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"
#include "rt/folder.h"

enum {
	LOOKS = 20,
	PAUSE_MS = 50, /* from the fifth look on: somebody is busy */
	PATIENT_LOOKS = 4,
	MOVE_MS = 500, /* a move takes that long at most... */
	RECENT_S = 10, /* ...and has begun this long ago at most */
};

struct seen {
	UT_hash_handle hh;
	unsigned look; /* the last that saw it */
	uint64_t device, number, bytes;
	int64_t time_ns;
	int64_t linked_s; /* when it last got or lost a name, at the latest */
	bool has_more;    /* other names */
	enum tree_kind kind;
	struct file_made made;
	char name[];
};

struct copying {
	const struct mailbox_wish *wish;
	struct seen *all;
	unsigned look;
	bool has_changed; /* in this look */
};

static const char *target(const struct copying *c, struct arena *arena,
			  const char *name)
{
	return arena_printf(arena, "%s/%s", c->wish->to, name);
}

/* ---- what is what ---- */

static struct str parent_name(const char *name)
{
	ptrdiff_t slash = str_find_last(str_of(name), '/');
	struct str parent =
		str_part(str_of(name), 0, slash < 0 ? 0 : (size_t)slash);

	slash = str_find_last(parent, '/');
	return slash < 0 ? parent : str_from(parent, (size_t)slash + 1);
}

static bool is_message(const struct tree_entry *e)
{
	struct str parent = parent_name(e->name);

	return e->kind == TREE_FILE &&
	       (str_same(parent, S("cur")) || str_same(parent, S("new")));
}

/* What is being written, and who holds what. */
static bool is_of_the_moment(const struct tree_entry *e)
{
	struct str name = str_of(e->name);

	return e->kind == TREE_FILE &&
	       (str_same(parent_name(e->name), S("tmp")) ||
		str_ends(name, S(".lock")) || str_ends(name, S(".tmp")) ||
		str_search(name, S("/.temp.")) >= 0);
}

static int64_t time_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static bool is_as_it_was(const struct seen *s, const struct tree_entry *e)
{
	return s->kind == e->kind && s->device == e->status->st_dev &&
	       s->number == e->status->st_ino &&
	       s->bytes == (uint64_t)e->status->st_size &&
	       s->time_ns == time_ns(e->status);
}

/* ---- one look ---- */

static struct seen *seen_make(struct copying *c, const char *name)
{
	size_t n = strlen(name);
	struct seen *s;

	HASH_FIND(hh, c->all, name, n, s);
	if (s)
		return s;
	s = must_alloc(sizeof(*s) + n + 1);
	memset(s, 0, sizeof(*s));
	memcpy(s->name, name, n + 1);
	HASH_ADD_KEYPTR(hh, c->all, s->name, n, s);
	return s;
}

static void seen_drop(struct copying *c, struct seen *s)
{
	HASH_DEL(c->all, s);
	free(s);
}

static enum file_done take(const struct copying *c, const struct tree_entry *e,
			   struct file_made *made)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *to = target(c, arena, e->name);

	if (e->kind == TREE_SYMLINK)
		return file_link_text(e->path, to, made);
	if (is_message(e))
		return file_link(e->path, to, c->wish->hashed, made);
	return file_copy(e->path, to, made);
}

static bool look_at_file(struct copying *c, const struct tree_entry *e)
{
	struct seen *s = seen_make(c, e->name);

	if (s->look && is_as_it_was(s, e)) {
		s->look = c->look;
		return true;
	}
	c->has_changed = true;
	switch (take(c, e, &s->made)) {
	case FILE_TROUBLE:
		return false;
	case FILE_GONE:
		seen_drop(c, s);
		return true;
	case FILE_MADE:
		break;
	}
	s->look = c->look;
	s->kind = e->kind;
	s->linked_s = e->status->st_ctim.tv_sec;
	s->has_more = e->kind == TREE_FILE && e->status->st_nlink > 1;
	s->device = e->status->st_dev;
	s->number = e->status->st_ino;
	s->bytes = (uint64_t)e->status->st_size;
	s->time_ns = time_ns(e->status);
	return true;
}

static bool look_at_folder(struct copying *c, const struct tree_entry *e)
{
	struct arena *arena scoped(arena) = arena_open();
	struct seen *s = seen_make(c, e->name);

	c->has_changed |= !s->look;
	s->look = c->look;
	s->kind = TREE_FOLDER;
	return folder_new(target(c, arena, e->name));
}

static bool look_at(void *copying, const struct tree_entry *e)
{
	struct copying *c = copying;

	if (e->kind == TREE_FOLDER)
		return look_at_folder(c, e);
	return is_of_the_moment(e) || look_at_file(c, e);
}

/* What this look has not seen is gone. */
static bool forget_gone(struct copying *c)
{
	struct seen *s, *next;

	HASH_ITER (hh, c->all, s, next) {
		if (s->look == c->look)
			continue;
		c->has_changed = true;
		if (s->kind == TREE_FOLDER
			    ? !folder_erase(c->wish->to, s->name)
			    : !folder_remove(c->wish->to, s->name))
			return false;
		seen_drop(c, s);
	}
	return true;
}

static bool look(struct copying *c)
{
	c->look++;
	c->has_changed = false;
	return tree_walk(c->wish->from, look_at, c) && forget_gone(c);
}

/* ---- look after look ---- */

static void pause_for(unsigned ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000L };

	nanosleep(&t, NULL);
}

static bool look_until_steady(struct copying *c, bool *steady)
{
	*steady = false;
	while (!*steady && c->look < LOOKS) {
		if (c->look > PATIENT_LOOKS)
			pause_for(PAUSE_MS);
		if (!look(c))
			return false;
		*steady = !c->has_changed;
	}
	return true;
}

/* ---- what is being moved ---- */

static bool is_being_moved(const struct seen *s, int64_t now_s)
{
	return s->has_more && now_s - s->linked_s <= RECENT_S;
}

static bool any_is_being_moved(const struct copying *c)
{
	for (const struct seen *s = c->all; s; s = s->hh.next)
		if (is_being_moved(s, time(NULL)))
			return true;
	return false;
}

/* Another name of the same file, that is there still. */
static bool has_a_twin(const struct copying *c, const struct seen *s)
{
	for (const struct seen *t = c->all; t; t = t->hh.next)
		if (t != s && t->number == s->number &&
		    t->device == s->device) {
			struct arena *arena scoped(arena) = arena_open();

			if (folder_is_there(arena_printf(
				    arena, "%s/%s", c->wish->from, t->name)))
				return true;
		}
	return false;
}

static bool finish_moves(struct copying *c)
{
	int64_t now_s = time(NULL);
	struct seen *s, *next;

	if (!any_is_being_moved(c))
		return true;
	pause_for(MOVE_MS);
	HASH_ITER (hh, c->all, s, next) {
		struct arena *arena scoped(arena) = arena_open();

		if (!is_being_moved(s, now_s) ||
		    folder_is_there(arena_printf(arena, "%s/%s", c->wish->from,
						 s->name)) ||
		    !has_a_twin(c, s))
			continue;
		if (!folder_remove(c->wish->to, s->name))
			return false;
		seen_drop(c, s);
	}
	return true;
}

/* ---- the whole ---- */

static bool list_all(const struct copying *c, struct manifest_writer *to)
{
	for (const struct seen *s = c->all; s; s = s->hh.next) {
		struct arena *arena scoped(arena) = arena_open();

		if (s->kind != TREE_FOLDER &&
		    !manifest_add(to,
				  arena_printf(arena, "%s/%s", c->wish->name,
					       s->name),
				  &s->made))
			return false;
	}
	return true;
}

bool mailbox_copy(const struct mailbox_wish *w, struct manifest_writer *to,
		  bool *steady)
{
	struct copying c = { .wish = w };
	bool ok = folder_new(w->to) && look_until_steady(&c, steady) &&
		  finish_moves(&c) && list_all(&c, to);
	struct seen *s, *next;

	HASH_ITER (hh, c.all, s, next)
		seen_drop(&c, s);
	return ok;
}
