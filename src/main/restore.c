/*
 * splitmail restore FOLDER: a data folder of a backup; or, with --user, one
 * mailbox of then beside that of today.
 *
 * A mailbox of then becomes a folder of today's, "Restored DAY TIME", with all
 * folders of then in it.  In a Maildir those are folders on the disk (the layout is
 * main/dovecot_*.c's), made aside and put in place by one rename; Dovecot numbers
 * them anew, so its lists of then stay out.  What mdbox has is Dovecot's alone to
 * read.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backup/backup.h"
#include "directory/deleted.h"
#include "directory/lists.h"
#include "main/dovecot.h"
#include "main/mailbox_format.h"
#include "main/main.h"
#include "rt/folder.h"
#include "rt/privileges.h"

#define DOVEADM "/usr/bin/doveadm"

struct restoring {
	const struct call *call;
	const char *from;
	struct arena *arena;
	struct person person;
	struct manifest manifest;
	const char *login; /* note_login() */
};

static const char *path(const struct restoring *r, const char *folder,
			const char *name)
{
	return arena_printf(r->arena, "%s/%s", folder, name);
}

/* Whose it will be, or is: as splitmail.conf of DATA says. */
static bool find_person(struct restoring *r, const char *data)
{
	struct config *config = config_read(data);
	bool ok;

	if (!config)
		return false;
	ok = person_find(geteuid() == 0
				 ? (*config->user ? config->user : "splitmail")
				 : "",
			 &r->person) ||
	     add_cause("splitmail.conf names the user who does the work");
	config_close(config);
	return ok;
}

/* ---- everything ---- */

static bool choose_queue(const char *word, enum restored_queue *out)
{
	static const char *const words[] = { [RESTORED_HELD] = "hold",
					     [RESTORED_DROPPED] = "drop",
					     [RESTORED_DUE] = "send" };

	*out = RESTORED_HELD;
	if (!word)
		return true;
	for (size_t i = 0; i < array_size(words); i++)
		if (strcmp(word, words[i]) == 0) {
			*out = (enum restored_queue)i;
			return true;
		}
	return fail("--queue is hold, drop or send, not \"%s\"", word);
}

static void say_all(const struct restoring *r, const struct restore_wish *w)
{
	const struct manifest *m = &r->manifest;

	printf("%s has %llu mailboxes", w->data,
	       (unsigned long long)m->mailboxes);
	if (m->has_queue && w->queue != RESTORED_DROPPED)
		printf(" and %llu messages in the queue",
		       (unsigned long long)m->messages);
	printf(" of %s.\n", m->hostname);
	if (m->messages && w->queue == RESTORED_HELD)
		printf("The queue is held, for its mail may have been sent "
		       "since: see `splitmail queue list`, then `queue "
		       "release` or `queue delete`.\n");
	if (!w->new_node)
		printf("This is the same node: the server that the backup was "
		       "made of must not run any more (else: --new-node).\n");
}

static bool restore_everything(struct restoring *r)
{
	struct restore_wish w = { .from = r->from,
				  .manifest = &r->manifest,
				  .data = r->call->data };
	struct lock *lock;
	bool ok;

	for (int i = 1; i < r->call->argc; i++)
		w.new_node |= strcmp(r->call->argv[i], "--new-node") == 0;
	if (!choose_queue(call_option(r->call, "queue"), &w.queue) ||
	    !find_person(r, r->from) || !folder_make(w.data))
		return false;
	w.is_root = geteuid() == 0;
	w.uid = r->person.uid;
	w.gid = r->person.gid;
	lock = lock_take_folder(w.data);
	if (!lock)
		return fail("%s is in use: a backup is restored into a new "
			    "folder",
			    w.data);
	ok = restore_all(&w, r->arena) &&
	     (chmod(w.data, 0711) == 0 || fail("open %s: %m", w.data));
	lock_drop(lock);
	if (ok)
		say_all(r, &w);
	return ok;
}

/* ---- one mailbox ---- */

struct mailbox {
	const char *login, *name; /* its folder below mail/ */
};

static void note_login(void *arg, const struct holder_entry *e)
{
	struct restoring *r = arg;

	r->login = arena_cstr(r->arena, e->login);
}

static bool read_login(struct restoring *r, struct directory *d, int64_t id)
{
	static const enum holder_kind kinds[] = { HOLDER_USER, HOLDER_SHARED };

	r->login = NULL;
	for (size_t i = 0; i < array_size(kinds) && !r->login; i++) {
		struct holder_filter f = { .kind = kinds[i],
					   .id = id,
					   .mail_system = -1 };

		if (!list_holders(d, &f, note_login, r))
			return false;
	}
	return r->login || fail("it is a group, which has no mailbox");
}

/* Of who has ADDRESS in the directory of FOLDER. */
static bool find_mailbox(struct restoring *r, const char *folder,
			 const char *address, struct mailbox *out)
{
	struct directory *d = directory_open(path(r, folder, "directory.db"));
	enum answer found = ANSWER_UNSURE;
	int64_t id;
	bool ok;

	if (d)
		found = find_holder(d, str_of(address), r->arena, &id);
	if (found == ANSWER_NO)
		fail("nobody has this address in %s", folder);
	ok = found == ANSWER_YES && read_login(r, d, id);
	if (ok) {
		out->login = r->login;
		out->name =
			arena_cstr(r->arena, holder_mailbox(d, id, r->arena));
	}
	directory_close(d);
	return ok ? true : add_cause("%s", address);
}

/* His of then: a mailbox keeps its name for life, whatever he is called; who was
 * made anew is known by his address. */
static bool find_then(struct restoring *r, const char *address,
		      const struct mailbox *now, struct mailbox *then)
{
	*then = *now;
	return folder_is_there(
		       path(r, r->from,
			    arena_printf(r->arena, "mail/%s", now->name))) ||
	       find_mailbox(r, r->from, address, then);
}

static const char *folder_name(const struct restoring *r)
{
	time_t made = (time_t)(r->manifest.made_ms / 1000);
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), "Restored %Y-%m-%d %H%M",
		 localtime_r(&made, &tm));
	return arena_printf(r->arena, "%s", text);
}

static bool own_folder(const struct restoring *r, const char *name)
{
	if (mkdir(name, 0700) != 0 && errno != EEXIST)
		return fail("make folder %s: %m", name);
	return geteuid() != 0 ||
	       lchown(name, r->person.uid, r->person.gid) == 0 ||
	       fail("give %s to user %s: %m", name, r->person.name);
}

/* Dovecot's lists number the messages of the folders of then, which have other
 * names now; keywords are the letters of the files' names. */
static bool drop_list(void *aside, const struct tree_entry *e)
{
	const char *name = strrchr(e->path, '/') + 1;

	if (e->kind != TREE_FILE || !str_starts(str_of(name), S("dovecot")) ||
	    strcmp(name, "dovecot-keywords") == 0)
		return true;
	return folder_remove(aside, e->name);
}

static bool place_maildir(const struct restoring *r, const char *aside,
			  const struct mailbox *now)
{
	const char *home = path(r, r->call->data,
				arena_printf(r->arena, "mail/%s", now->name));
	const char *maildir = path(r, home, "Maildir");
	const char *folders = path(r, maildir, "folders");
	const char *to = path(r, folders, folder_name(r));

	if (!own_folder(r, home) || !own_folder(r, maildir) ||
	    !own_folder(r, folders))
		return false;
	if (folder_is_there(to))
		return fail("he has a folder \"%s\" already: rename or delete "
			    "that first",
			    folder_name(r));
	if (!tree_walk(path(r, aside, "Maildir/folders"), drop_list,
		       (void *)path(r, aside, "Maildir/folders")) ||
	    !disk_sync(aside))
		return false;
	return rename(path(r, aside, "Maildir/folders"), to) == 0 ||
	       fail("put %s in place: %m", to);
}

/* QUIET: it may have nothing to do, and says so. */
static bool run(const char *const *argv, bool quiet)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return fail("fork: %m");
	if (pid == 0) {
		if (quiet && !freopen("/dev/null", "w", stderr))
			_exit(127);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return fail("wait for %s: %m", argv[0]);
	return status == 0 || fail("%s could not do it", argv[5]);
}

/* What an earlier try has brought is deleted first: it would come twice. */
static bool place_mdbox(const struct restoring *r, const char *aside,
			const struct mailbox *now)
{
	struct config *config = config_read(r->call->data);
	const char *conf = config ? dovecot_config_path(config) : NULL;
	const char *name = folder_name(r);
	const char *from = arena_printf(r->arena, "mdbox:%s/mdbox", aside);
	const char *const clean[] = {
		r->call->self, "as-user", r->person.name, DOVEADM, "-c",
		conf,          "mailbox", "delete",       "-u",    now->login,
		"-r",          "-e",      name,           NULL,
	};
	const char *const bring[] = {
		r->call->self, "as-user", r->person.name, DOVEADM,    "-c",
		conf,          "import",  "-u",           now->login, "-s",
		from,          name,      "all",          NULL,
	};
	bool ok = config;

	if (ok)
		(void)!run(clean, true);
	ok = ok && run(bring, false);
	config_close(config);
	return ok;
}

static bool place(const struct restoring *r, const char *aside,
		  const struct mailbox *now)
{
	enum mailbox_format format;
	const char *mail = path(r, r->call->data, "mail");

	if (mailbox_format_find(mail, &format) != FORMAT_NOTED)
		return fail("how mailboxes lie in %s is not known", mail);
	return format == MAILBOX_MDBOX ? place_mdbox(r, aside, now)
				       : place_maildir(r, aside, now);
}

static bool restore_user(struct restoring *r, const char *address)
{
	struct mailbox now, then;
	const char *aside;
	bool ok;

	if (!find_mailbox(r, r->call->data, address, &now) ||
	    !find_then(r, address, &now, &then) ||
	    !find_person(r, r->call->data))
		return false;
	aside = path(r, r->call->data,
		     arena_printf(r->arena, "restore.%s", now.name));
	ok = folder_erase(r->call->data, strrchr(aside, '/') + 1) &&
	     restore_mailbox(r->from, then.name, aside, geteuid() == 0,
			     r->person.uid, r->person.gid) &&
	     place(r, aside, &now);
	if (!folder_erase(r->call->data, strrchr(aside, '/') + 1))
		return false;
	if (ok)
		printf("%s has a folder \"%s\" with all that was in the "
		       "mailbox then.\n",
		       now.login, folder_name(r));
	return ok;
}

int restore_main(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct restoring r = { .call = c, .arena = arena };
	const char *user = call_option(c, "user");
	const char *queue = call_option(c, "queue");
	int n = 0;

	for (int i = 1; i < c->argc; i++)
		if (c->argv[i][0] != '-' && c->argv[i] != user &&
		    c->argv[i] != queue && n++ == 0)
			r.from = c->argv[i];
	if (n != 1)
		return call_fail(2, "usage: splitmail restore FOLDER "
				    "[--queue hold|drop|send] [--new-node], or "
				    "splitmail restore FOLDER --user ADDRESS");
	umask(0077);
	if (!manifest_read(r.from, arena, &r.manifest) ||
	    !(user ? restore_user(&r, user) : restore_everything(&r)))
		return call_fail(1, "restore: %s", cause());
	return 0;
}
