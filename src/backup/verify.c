/* Is a backup what it was made as (backup.h)? */
#include "backup/backup.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "db/sql.h"
#include "directory/database.h"
#include "queue/tools.h"
#include "rt/folder.h"

struct verifying {
	const char *folder;
	bool deep;
	struct arena *arena;
	const struct manifest *manifest;
	void (*wrong)(void *arg, const char *sentence);
	void *arg;
	uint64_t n, files, mailboxes;
};

static const char *in(struct arena *arena, const struct verifying *v,
		      const char *name)
{
	return arena_printf(arena, "%s/%s", v->folder, name);
}

static void say(struct verifying *v, const char *sentence)
{
	v->n++;
	v->wrong(v->arg, sentence);
}

/* ---- files ---- */

static bool is_read(const struct verifying *v, const struct file_made *made)
{
	/* databases and settings are few and are worth it */
	return made->hash[0] && (v->deep || made->kind != FILE_LINKED);
}

static void compare_hash(struct verifying *v, const char *name,
			 const struct file_made *made, struct arena *arena)
{
	struct file_made now;

	if (file_read_hash(in(arena, v, name), &now) != FILE_MADE)
		say(v, arena_printf(arena, "%s cannot be read: %s", name,
				    cause()));
	else if (strcmp(now.hash, made->hash) != 0)
		say(v, arena_printf(arena, "%s has other bytes than at first",
				    name));
}

static bool compare(void *verifying, const char *name,
		    const struct file_made *made)
{
	struct verifying *v = verifying;
	struct arena *arena scoped(arena) = arena_open();
	struct stat st;

	v->files++;
	if (lstat(in(arena, v, name), &st) != 0)
		say(v, arena_printf(arena, "%s is missing", name));
	else if ((uint64_t)st.st_size != made->bytes)
		say(v,
		    arena_printf(arena,
				 "%s has %" PRIu64 " bytes instead of %" PRIu64,
				 name, (uint64_t)st.st_size, made->bytes));
	else if (is_read(v, made))
		compare_hash(v, name, made, arena);
	return true;
}

/* ---- what belongs together ---- */

static void look_for_body(void *arg, struct str name)
{
	struct verifying *v = arg;
	struct arena *arena scoped(arena) = arena_open();
	const char *path = arena_printf(arena, "spool/%.*s", STR(name));

	if (!folder_is_there(in(arena, v, path)))
		say(v, arena_printf(arena,
				    "%s is missing: a message of queue.db has "
				    "its body there",
				    path));
}

static void drop_load(void *arg, const struct queue_load *l)
{
	(void)arg;
	(void)l;
}

static void look_at_queue(struct verifying *v)
{
	struct queue_total total = { 0 };
	struct tools *t = tools_open(v->folder);

	if (!t || !tools_bodies(t, look_for_body, v) ||
	    !tools_count(t, S(""), drop_load, NULL, &total))
		say(v, arena_printf(v->arena, "queue.db cannot be read: %s",
				    cause()));
	else if (total.messages != v->manifest->messages)
		say(v, arena_printf(v->arena,
				    "queue.db has %" PRIu64
				    " messages instead of %" PRIu64,
				    total.messages, v->manifest->messages));
	tools_close(t);
}

static void count_mailbox(void *arg, struct str name)
{
	struct verifying *v = arg;
	struct arena *arena scoped(arena) = arena_open();

	v->mailboxes += folder_is_there(
		in(arena, v, arena_printf(arena, "mail/%.*s", STR(name))));
}

static void look_at_mailboxes(struct verifying *v)
{
	if (!directory_mailboxes(in(v->arena, v, "directory.db"), count_mailbox,
				 v))
		say(v, arena_printf(v->arena, "directory.db cannot be read: %s",
				    cause()));
	else if (v->manifest->has_mail &&
		 v->mailboxes != v->manifest->mailboxes)
		say(v, arena_printf(v->arena,
				    "%" PRIu64 " mailboxes are there instead "
				    "of %" PRIu64,
				    v->mailboxes, v->manifest->mailboxes));
}

bool backup_verify(const char *folder, bool deep, struct arena *arena,
		   void (*wrong)(void *arg, const char *sentence), void *arg,
		   struct manifest *out, uint64_t *n)
{
	struct verifying v = { folder, deep, arena, out, wrong, arg, 0, 0, 0 };

	*n = 0;
	if (!manifest_read(folder, arena, out) ||
	    !manifest_each(folder, compare, &v))
		return false;
	if (v.files != out->files)
		say(&v, "the list of files is not whole");
	look_at_mailboxes(&v);
	if (out->has_queue)
		look_at_queue(&v);
	*n = v.n;
	return true;
}
