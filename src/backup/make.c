/* A backup is made (backup.h). */
#include "backup/backup.h"

#include <sodium.h>

#include "backup/files.h"
#include "backup/mailbox.h"
#include "directory/database.h"
#include "queue/queue.h"
#include "queue/tools.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "rt/random.h"

struct making {
	const struct backup_wish *wish;
	struct manifest *manifest;
	struct manifest_writer list;
	struct arena *arena;
};

static const char *source(const struct making *m, const char *name)
{
	return arena_printf(m->arena, "%s/%s", m->wish->data, name);
}

static const char *target(const struct making *m, const char *name)
{
	return arena_printf(m->arena, "%s/%s", m->wish->to, name);
}

/* ---- single files ---- */

static bool add_file(struct making *m, const char *name, bool may_be_gone)
{
	struct file_made made;

	switch (file_copy(source(m, name), target(m, name), &made)) {
	case FILE_MADE:
		return manifest_add(&m->list, name, &made);
	case FILE_GONE:
		return may_be_gone || fail("%s is missing", source(m, name));
	case FILE_TROUBLE:
		break;
	}
	return false;
}

/* What is there already, because somebody else has made it. */
static bool add_made(struct making *m, const char *name)
{
	struct file_made made;

	return file_read_hash(target(m, name), &made) == FILE_MADE &&
	       manifest_add(&m->list, name, &made);
}

/* Links stay links: what they lead to, as certbot's files, is not ours. */
static bool add_link(struct making *m, const char *name)
{
	struct file_made made;

	switch (file_link_text(source(m, name), target(m, name), &made)) {
	case FILE_MADE:
		return manifest_add(&m->list, name, &made);
	case FILE_GONE:
		return true;
	case FILE_TROUBLE:
		break;
	}
	return false;
}

static bool add_one(void *making, const struct tree_entry *e)
{
	struct making *m = making;
	const char *name = arena_printf(m->arena, "tls/%s", e->name);

	switch (e->kind) {
	case TREE_FOLDER:
		return folder_new(target(m, name));
	case TREE_FILE:
		return add_file(m, name, true);
	case TREE_SYMLINK:
		return add_link(m, name);
	}
	return false;
}

/* With the folders in it (certificates by name). */
static bool add_certificates(struct making *m)
{
	return folder_new(target(m, "tls")) &&
	       tree_walk(source(m, "tls"), add_one, m);
}

/* ---- the queue ---- */

static void drop_load(void *arg, const struct queue_load *l)
{
	(void)arg;
	(void)l;
}

static bool count_queue(struct making *m, struct tools *t)
{
	struct queue_total total = { 0 };
	bool ok = tools_count(t, S(""), drop_load, NULL, &total);

	m->manifest->messages = total.messages;
	return ok;
}

struct bodies {
	struct making *m;
	bool ok, is_complete;
};

/* One that is there already was copied at an earlier try, and never changes. */
static void copy_body(void *arg, const char *name)
{
	struct bodies *b = arg;
	const char *path = arena_printf(b->m->arena, "spool/%s", name);
	struct file_made made;

	if (b->ok && !folder_is_there(target(b->m, path)))
		b->ok = file_copy(source(b->m, path), target(b->m, path),
				  &made) != FILE_TROUBLE;
}

static void look_for_body(void *arg, struct str name)
{
	struct bodies *b = arg;

	b->is_complete &= folder_is_there(target(
		b->m, arena_printf(b->m->arena, "spool/%.*s", STR(name))));
}

static void list_body(void *arg, struct str name)
{
	struct bodies *b = arg;
	const char *path = arena_printf(b->m->arena, "spool/%.*s", STR(name));

	b->ok = b->ok && add_made(b->m, path);
}

static bool copy_bodies(struct making *m)
{
	struct bodies b = { m, true, true };

	return folder_list(source(m, "spool"), copy_body, &b) && b.ok;
}

/* *COMPLETE: all bodies that the copy names are there. */
static bool try_queue(struct making *m, bool *complete)
{
	struct bodies b = { m, true, true };
	struct tools *t;
	bool ok;

	if (!folder_remove(m->wish->to, "queue.db") || !copy_bodies(m) ||
	    !queue_copy(source(m, "queue.db"), target(m, "queue.db")) ||
	    !copy_bodies(m))
		return false;
	t = tools_open(m->wish->to);
	ok = t && tools_bodies(t, look_for_body, &b) && count_queue(m, t);
	*complete = b.is_complete;
	if (ok && *complete)
		ok = tools_bodies(t, list_body, &b) && b.ok;
	tools_close(t);
	return ok;
}

/*
 * A file of spool/ is there before its row and stays until after it, so files are
 * copied before queue.db and after it.  What was kept after the first and left
 * before the second has a row in the copy and no body: then all is done again,
 * until there is a moment in which nothing large leaves so fast.
 */
enum { QUEUE_TRIES = 50 };

static bool add_queue(struct making *m)
{
	bool complete = false;

	if (!folder_new(target(m, "spool")))
		return false;
	if (!folder_is_there(source(m, "queue.db")))
		return true;
	for (int i = 0; i < QUEUE_TRIES && !complete; i++)
		if (!try_queue(m, &complete))
			return false;
	if (!complete)
		return fail("the queue is too busy: large mail comes and "
			    "leaves all the time");
	return (!folder_is_there(target(m, "spool/spool.id")) ||
		add_made(m, "spool/spool.id")) &&
	       add_made(m, "queue.db");
}

/* ---- mailboxes ---- */

struct mailboxes {
	struct making *m;
	bool ok;
};

static void add_mailbox(void *arg, struct str name)
{
	struct mailboxes *b = arg;
	struct making *m = b->m;
	const char *path = arena_printf(m->arena, "mail/%.*s", STR(name));
	struct mailbox_wish w = {
		.from = source(m, path),
		.to = target(m, path),
		.name = path,
		.hashed = m->wish->hashed,
	};
	bool steady;

	if (!b->ok || !folder_is_there(w.from))
		return;
	b->ok = mailbox_copy(&w, &m->list, &steady);
	m->manifest->mailboxes++;
	m->manifest->unsteady += !steady;
}

static bool add_mail(struct making *m)
{
	struct mailboxes b = { m, true };

	return folder_new(target(m, "mail")) &&
	       add_file(m, "mail/format", true) &&
	       directory_mailboxes(target(m, "directory.db"), add_mailbox,
				   &b) &&
	       b.ok;
}

/* ---- all of it ---- */

static void count_one(void *arg, const char *name)
{
	(void)name;
	(*(size_t *)arg)++;
}

/* Two backups in one folder would be neither. */
static bool make_target(const struct making *m)
{
	size_t n = 0;

	if (!folder_make(m->wish->to) ||
	    !folder_list(m->wish->to, count_one, &n))
		return false;
	return n == 0 || fail("%s is not empty: give each backup a folder of "
			      "its own",
			      m->wish->to);
}

static bool add_directory(struct making *m)
{
	const char *to = target(m, "directory.db");
	struct directory *d;
	struct node node;
	bool ok;

	if (!directory_copy(source(m, "directory.db"), to) ||
	    !add_made(m, "directory.db"))
		return false;
	d = directory_open(to);
	ok = d && directory_node(d, &node);
	if (ok)
		m->manifest->node = arena_printf(m->arena, "%s", node.id);
	directory_close(d);
	return ok;
}

static void begin(struct making *m)
{
	unsigned char id[16];

	random_bytes(id, sizeof(id));
	sodium_bin2hex(m->manifest->id, sizeof(m->manifest->id), id,
		       sizeof(id));
	m->manifest->version = m->wish->version;
	m->manifest->hostname = m->wish->hostname;
	m->manifest->made_ms = wall_ms();
	m->manifest->has_mail = !m->wish->without_mail;
	m->manifest->has_queue = !m->wish->without_queue;
}

bool backup_make(const struct backup_wish *w, struct arena *arena,
		 struct manifest *out)
{
	struct making m = { .wish = w, .manifest = out, .arena = arena };

	*out = (struct manifest){ 0 };
	if (!make_target(&m) || !manifest_begin(&m.list, w->to))
		return false;
	begin(&m);
	return add_directory(&m) && (w->without_queue || add_queue(&m)) &&
	       add_file(&m, "splitmail.conf", false) && add_certificates(&m) &&
	       (w->without_mail || add_mail(&m)) && manifest_end(&m.list, out);
}
