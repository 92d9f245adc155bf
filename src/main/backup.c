/*
 * splitmail backup FOLDER: what no other program can copy while the server
 * runs, and what belongs to it.
 *
 *	FOLDER/directory.db, queue.db	each as of one moment
 *	FOLDER/spool/			the files that queue.db names
 *	FOLDER/splitmail.conf, tls/	as they are
 *
 * Files of spool/ are there before their rows and until after them: they are
 * copied before the queue and again after it, so none that it names is missing
 * unless it left meanwhile.  mail/ is files of Dovecot's, which any tool copies.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/database.h"
#include "main/main.h"
#include "queue/queue.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "wire/json.h"

struct backup {
	struct config *config;
	const char *to;
};

static const char *target(struct backup *b, const char *name)
{
	return arena_printf(b->config->arena, "%s/%s", b->to, name);
}

static bool copy_bytes(int from, int to)
{
	char part[65536];
	ssize_t n;

	while ((n = read(from, part, sizeof(part))) > 0)
		if (write(to, part, (size_t)n) != n)
			return false;
	return n == 0 && fsync(to) == 0;
}

/* One that is gone meanwhile is fine; one that was copied already stays. */
static bool copy_file(struct backup *b, const char *name)
{
	const char *path = target(b, name);
	int from = open(config_path(b->config, name),
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int to;
	bool ok;

	if (from < 0)
		return errno == ENOENT ||
		       fail("open %s: %m", config_path(b->config, name));
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = to >= 0 ? copy_bytes(from, to) : errno == EEXIST;
	if (!ok)
		fail("copy to %s: %m", path);
	if (to >= 0)
		close(to);
	close(from);
	return ok;
}

struct folder {
	struct backup *b;
	const char *name;
	bool ok;
};

static void copy_one(void *arg, const char *name)
{
	struct folder *f = arg;

	f->ok = f->ok && copy_file(f->b, arena_printf(f->b->config->arena,
						      "%s/%s", f->name, name));
}

static bool copy_folder(struct backup *b, const char *name)
{
	struct folder f = { b, name, true };

	return folder_make(target(b, name)) &&
	       folder_list(config_path(b->config, name), copy_one, &f) && f.ok;
}

static bool copy_databases(struct backup *b)
{
	const char *queue = config_path(b->config, "queue.db");

	return directory_copy(config_path(b->config, "directory.db"),
			      target(b, "directory.db")) &&
	       (access(queue, F_OK) != 0 ||
		queue_copy(queue, target(b, "queue.db")));
}

static void count_one(void *arg, const char *name)
{
	(void)name;
	(*(size_t *)arg)++;
}

/* A new folder, or an empty one: two backups in one would be neither. */
static bool make_target(const struct backup *b)
{
	size_t n = 0;

	if (!folder_make(b->to) || !folder_list(b->to, count_one, &n))
		return false;
	return n == 0 || fail("%s is not empty: give each backup a folder of "
			      "its own",
			      b->to);
}

static bool back_up(struct backup *b)
{
	return make_target(b) && copy_folder(b, "spool") && copy_databases(b) &&
	       copy_folder(b, "spool") && copy_folder(b, "tls") &&
	       copy_file(b, "splitmail.conf");
}

static void say_json(const struct backup *b)
{
	json_t *said = json_pack("{s:o}", "backup", json_text(str_of(b->to)));

	json_dumpf(said, stdout, 0);
	putchar('\n');
	json_decref(said);
}

int backup_main(const struct call *c)
{
	struct backup b = { .config = NULL };
	int status = 0;

	if (c->argc != 2 || c->argv[1][0] == '-')
		return call_fail(2, "usage: splitmail backup FOLDER");
	b.config = config_read(c->data);
	if (!b.config)
		return call_fail(1, "%s", cause());
	b.to = c->argv[1];
	umask(0077);
	if (!back_up(&b))
		status = call_fail(1, "backup: %s", cause());
	else if (c->json)
		say_json(&b);
	else
		printf("%s has the directory, the queue, splitmail.conf and "
		       "tls/. The mailboxes are the files in %s: copy them "
		       "with any tool, after this.\n",
		       b.to, config_path(b.config, "mail"));
	config_close(b.config);
	return status;
}
