/*
 * A backup becomes a data folder (backup.h).
 *
 * RESTORE_MARK is there from the first file to the last and names the backup, so
 * that nobody serves half of it, and one that was killed is begun again and goes
 * on: a file is put in place whole, and one that is there has been.  What is done
 * to the copies (the queue, the node) is the same when it is done twice.
 */
#include "backup/backup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/database.h"
#include "queue/tools.h"
#include "rt/file.h"
#include "rt/folder.h"

struct restoring {
	const char *from, *to; /* folders */
	bool give;
	unsigned uid, gid;
	const struct manifest *manifest;
	bool without_queue;
};

static const char *in(struct arena *arena, const char *folder, const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static bool give(const struct restoring *r, const char *path)
{
	return !r->give || lchown(path, r->uid, r->gid) == 0 ||
	       fail_errno("give %s to its user: %m", path);
}

/* ---- files ---- */

/* Below mail/ a message is written once and never again: the backup and the
 * mailbox may have it in common, if it is the same owner's. */
static bool may_share(const struct restoring *r, const char *path,
		      const char *name)
{
	struct stat st;

	return str_starts(str_of(name), S("mail/")) &&
	       (str_search(str_of(name), S("/cur/")) >= 0 ||
		str_search(str_of(name), S("/new/")) >= 0) &&
	       (!r->give || (lstat(path, &st) == 0 && st.st_uid == r->uid &&
			     st.st_gid == r->gid));
}

static bool is_whole(const char *path, const struct file_made *made)
{
	struct stat st;

	return lstat(path, &st) == 0 && (uint64_t)st.st_size == made->bytes;
}

static enum file_done put(const struct restoring *r, const char *name,
			  const char *from, const char *to,
			  const struct file_made *made, struct file_made *now)
{
	if (made->kind == FILE_SYMLINK)
		return file_link_text(from, to, now);
	if (may_share(r, from, name))
		return file_link(from, to, made->hash[0], now);
	return file_copy(from, to, now);
}

static bool put_file(const struct restoring *r, const char *name,
		     const struct file_made *made)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *from = in(arena, r->from, name),
		   *to = in(arena, r->to, name);
	struct file_made now;

	switch (put(r, name, from, to, made, &now)) {
	case FILE_TROUBLE:
		return false;
	case FILE_GONE:
		return fail("%s is missing: look at the backup with "
			    "`splitmail backup verify %s`",
			    from, r->from);
	case FILE_MADE:
		break;
	}
	if (now.bytes != made->bytes ||
	    (made->hash[0] && now.hash[0] && strcmp(made->hash, now.hash) != 0))
		return fail("%s is not what it was when the backup was made: "
			    "look at it with `splitmail backup verify %s`",
			    from, r->from);
	return give(r, to);
}

static bool restore_file(void *restoring, const char *name,
			 const struct file_made *made)
{
	const struct restoring *r = restoring;
	struct arena *arena scoped(arena) = arena_open();

	if (r->without_queue && (strcmp(name, "queue.db") == 0 ||
				 str_starts(str_of(name), S("spool/"))))
		return true;
	/* the databases are changed afterwards, and then are others */
	if (str_search(str_of(name), S("/")) >= 0 &&
	    is_whole(in(arena, r->to, name), made))
		return give(r, in(arena, r->to, name));
	return put_file(r, name, made);
}

static bool restore_folder(void *restoring, const struct tree_entry *e)
{
	const struct restoring *r = restoring;
	struct arena *arena scoped(arena) = arena_open();
	const char *to = in(arena, r->to, e->name);

	return e->kind != TREE_FOLDER || (folder_new(to) && give(r, to));
}

/* ---- where to ---- */

static void count_one(void *arg, const char *name)
{
	(void)name;
	(*(size_t *)arg)++;
}

static bool begin(const struct restoring *r)
{
	char id[64] = "";
	size_t n = 0;

	if (!folder_make(r->to) || !folder_list(r->to, count_one, &n))
		return false;
	if (n == 0)
		return folder_note(r->to, RESTORE_MARK, r->manifest->id);
	if (!folder_noted(r->to, RESTORE_MARK, id, sizeof(id)))
		return fail("%s is not empty: a backup is restored into a new "
			    "folder",
			    r->to);
	id[strcspn(id, "\n")] = 0;
	return strcmp(id, r->manifest->id) == 0 ||
	       fail("in %s the restore of another backup has begun: go on with "
		    "that one, or empty the folder",
		    r->to);
}

/* ---- what is not as it was ---- */

static bool settle_queue(const struct restore_wish *w)
{
	struct tools *t;
	struct queue_filter all = { { 0 } };
	uint64_t n;
	bool ok;

	if (w->queue != RESTORED_HELD)
		return true;
	t = tools_open(w->data);
	ok = t && tools_order(t, ORDER_HOLD, &all, &n);
	tools_close(t);
	return ok;
}

static bool settle(const struct restore_wish *w, struct restoring *r,
		   struct arena *arena)
{
	static const char *const made[] = { "directory.db-wal",
					    "directory.db-shm", "queue.db-wal",
					    "queue.db-shm" };

	if (!settle_queue(w) ||
	    (w->new_node &&
	     !directory_renew_node(in(arena, w->data, "directory.db"))))
		return false;
	for (size_t i = 0; i < array_size(made); i++)
		if (folder_is_there(in(arena, w->data, made[i])) &&
		    !give(r, in(arena, w->data, made[i])))
			return false;
	return true;
}

bool restore_all(const struct restore_wish *w, struct arena *arena)
{
	struct restoring r = { .from = w->from,
			       .to = w->data,
			       .give = w->is_root,
			       .uid = w->uid,
			       .gid = w->gid,
			       .manifest = w->manifest,
			       .without_queue = w->queue == RESTORED_DROPPED };

	return begin(&r) && tree_walk(w->from, restore_folder, &r) &&
	       manifest_each(w->from, restore_file, &r) &&
	       settle(w, &r, arena) && give(&r, w->data) &&
	       disk_sync(w->data) && folder_remove(w->data, RESTORE_MARK) &&
	       disk_sync(w->data);
}

/* ---- one mailbox ---- */

struct one {
	struct restoring r;
	struct str prefix; /* "mail/NAME/" */
};

/* The manifest's paths are the backup's; these begin with the mailbox. */
static bool restore_his(void *one, const char *name,
			const struct file_made *made)
{
	struct one *o = one;
	struct arena *arena scoped(arena) = arena_open();
	const char *rest;

	if (!str_starts(str_of(name), o->prefix))
		return true;
	rest = name + o->prefix.n;
	return is_whole(in(arena, o->r.to, rest), made)
		       ? give(&o->r, in(arena, o->r.to, rest))
		       : put_file(&o->r, rest, made);
}

bool restore_mailbox(const char *from, const char *name, const char *to,
		     bool is_given, unsigned uid, unsigned gid)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *prefix = arena_printf(arena, "mail/%s", name);
	struct one o = { .r = { .from = in(arena, from, prefix),
				.to = to,
				.give = is_given,
				.uid = uid,
				.gid = gid } };

	o.prefix = str_of(arena_printf(arena, "%s/", prefix));
	if (!folder_is_there(o.r.from))
		return fail("%s has no mailbox %s", from, name);
	return folder_new(to) && give(&o.r, to) &&
	       tree_walk(o.r.from, restore_folder, &o.r) &&
	       manifest_each(from, restore_his, &o);
}
