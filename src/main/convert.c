/*
 * splitmail convert: mailboxes of before mailbox_format.h, put in order.
 *
 *	before			Maildir/cur, Maildir/.A.B/cur
 *	now			Maildir/folders/INBOX/maildir-Mails/cur
 *				Maildir/folders/A/B/maildir-Mails/cur
 *
 * Folders are renamed and nothing is copied, so that each keeps its messages
 * with their numbers (UIDs) and flags.  The new tree grows in Maildir.new; the
 * inbox, which is what is left of the old one, goes into it last.  What was
 * interrupted goes on when it is run again.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main/mailbox_format.h"
#include "main/main.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "rt/privileges.h"

#define MAILS "maildir-Mails"

struct conversion {
	struct arena *arena;
	const char *mail;      /* DATA/mail */
	const char *old, *new; /* of the mailbox at hand */
	unsigned mailboxes, folders;
	bool failed; /* cause() */
};

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool move(const char *from, const char *to)
{
	return rename(from, to) == 0 || errno == ENOENT ||
	       fail("move %s to %s: %m", from, to);
}

/* All above the last name of PATH, from its character FROM on. */
static bool make_parents(struct conversion *v, const char *path, size_t from)
{
	for (const char *p = path + from; (p = strchr(p, '/')); p++)
		if (!folder_make(arena_printf(v->arena, "%.*s", (int)(p - path),
					      path)))
			return false;
	return true;
}

/* "A.B" is A/B now; "A..B", which no client has made, A/_/B. */
static const char *path_of(struct conversion *v, struct str name)
{
	const char *path = arena_printf(v->arena, "%s/folders", v->new);
	struct str part;

	while (str_split(&name, '.', &part)) {
		if (str_empty(part))
			part = S("_");
		path = arena_printf(v->arena, "%s/%.*s", path, STR(part));
	}
	return path;
}

static bool move_folder(struct conversion *v, const char *name)
{
	const char *from = arena_printf(v->arena, "%s/%s", v->old, name);
	const char *path = path_of(v, str_from(str_of(name), 1)), *to;

	/* Two that only the dots told apart; and the inbox has its place. */
	while (to = arena_printf(v->arena, "%s/" MAILS, path),
	       is_there(to) ||
		       !strcasecmp(path + strlen(v->new), "/folders/INBOX"))
		path = arena_printf(v->arena, "%s_", path);
	v->folders++;
	return make_parents(v, to, strlen(v->new) + 1) && move(from, to);
}

static void each_in_maildir(void *arg, const char *name)
{
	struct conversion *v = arg;
	struct stat st;

	if (v->failed || name[0] != '.' ||
	    lstat(arena_printf(v->arena, "%s/%s", v->old, name), &st) != 0 ||
	    !S_ISDIR(st.st_mode))
		return;
	v->failed = !move_folder(v, name);
}

static void each_of_all_folders(void *arg, const char *name)
{
	struct conversion *v = arg;

	if (v->failed || !str_starts(str_of(name), S("dovecot-uidvalidity")))
		return;
	v->failed = !move(arena_printf(v->arena, "%s/%s", v->old, name),
			  arena_printf(v->arena, "%s/%s", v->new, name));
}

static void each_of_list(void *arg, const char *name)
{
	struct conversion *v = arg;

	/* It is made anew. */
	if (!v->failed && str_starts(str_of(name), S("dovecot.list.index")))
		v->failed = !folder_remove(v->old, name);
}

static bool move_all(struct conversion *v)
{
	void (*const each[])(void *, const char *) = {
		each_in_maildir,
		each_of_all_folders,
		each_of_list,
	};
	const char *inbox =
		arena_printf(v->arena, "%s/folders/INBOX/" MAILS, v->new);

	if (!folder_make(v->new))
		return false;
	for (size_t i = 0; i < array_size(each); i++)
		if (!folder_list(v->old, each[i], v) || v->failed)
			return false;
	return move(arena_printf(v->arena, "%s/subscriptions", v->old),
		    arena_printf(v->arena, "%s/subscriptions", v->new)) &&
	       make_parents(v, inbox, strlen(v->new) + 1) &&
	       move(v->old, inbox);
}

static void each_mailbox(void *arg, const char *name)
{
	struct conversion *v = arg;

	if (v->failed || name[0] < '0' || name[0] > '9')
		return;
	v->old = arena_printf(v->arena, "%s/%s/Maildir", v->mail, name);
	v->new = arena_printf(v->arena, "%s.new", v->old);
	if (is_there(arena_printf(v->arena, "%s/folders", v->old)) ||
	    (!is_there(v->old) && !is_there(v->new)))
		return;
	v->mailboxes++;
	v->failed = (is_there(v->old) && !move_all(v)) || !move(v->new, v->old);
}

static bool become_its_user(const struct config *config)
{
	struct person person;
	const char *user = config->user;

	if (geteuid() != 0)
		return true;
	return person_find(*user ? user : "splitmail", &person) &&
	       privileges_become(&person, false);
}

static bool convert(struct conversion *v)
{
	enum mailbox_format format;

	switch (mailbox_format_find(v->mail, &format)) {
	case FORMAT_NOTED:
		return true;
	case FORMAT_TROUBLE:
		return false;
	case FORMAT_EMPTY:
	case FORMAT_OLD:
		break;
	}
	return folder_list(v->mail, each_mailbox, v) && !v->failed &&
	       mailbox_format_note(v->mail, MAILBOX_MAILDIR);
}

int convert_main(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct config *config = config_read(c->data);
	struct conversion v = { .arena = arena };
	struct lock *lock;
	bool good;

	if (!config)
		return call_fail(1, "%s", cause());
	lock = lock_take_folder(config->data);
	if (!lock) {
		config_close(config);
		return call_fail(1,
				 "convert: Splitmail runs on %s; stop it "
				 "first",
				 c->data);
	}
	v.mail = config_path(config, "mail");
	umask(0077);
	good = become_its_user(config) && convert(&v);
	if (good)
		printf("%u mailboxes and %u folders in them are in order.\n",
		       v.mailboxes, v.folders);
	lock_drop(lock);
	config_close(config);
	return good ? 0
		    : call_fail(1,
				"convert: %s; run it again once that is "
				"mended",
				cause());
}
