/*
 * splitmail backup FOLDER, splitmail backup verify FOLDER: see backup/backup.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "main/main.h"
#include "rt/clock.h"
#include "rt/folder.h"
#include "wire/json.h"

static bool has_flag(const struct call *c, const char *flag)
{
	for (int i = 1; i < c->argc; i++)
		if (strcmp(c->argv[i], flag) == 0)
			return true;
	return false;
}

static void say_json(const char *folder, const struct manifest *m,
		     json_t *wrong)
{
	json_t *said = json_pack(
		"{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "backup",
		json_text(str_of(folder)), "id", m->id, "hostname", m->hostname,
		"version", m->version, "made_ms", (json_int_t)m->made_ms,
		"files", (json_int_t)m->files, "bytes", (json_int_t)m->bytes,
		"mailboxes", (json_int_t)m->mailboxes, "messages_in_queue",
		(json_int_t)m->messages, "mailboxes_never_at_rest",
		(json_int_t)m->unsteady);

	if (wrong)
		json_object_set_new(said, "wrong", wrong);
	json_dumpf(said, stdout, 0);
	putchar('\n');
	json_decref(said);
}

static void say_counts(const struct manifest *m)
{
	printf("%" PRIu64 " mailboxes, %" PRIu64
	       " messages in the queue, %" PRIu64 " files, %" PRIu64
	       " bytes.\n",
	       m->mailboxes, m->messages, m->files, m->bytes);
	if (m->unsteady)
		printf("%" PRIu64 " mailboxes changed all the time: nothing "
		       "is missing in theirs, but what was moved meanwhile "
		       "may be there twice.\n",
		       m->unsteady);
	if (!m->has_mail)
		printf("The mailboxes are not in it: they are the files in "
		       "mail/, which any tool copies after this.\n");
}

/* ---- verify ---- */

static void say_wrong(void *arg, const char *sentence)
{
	json_t *wrong = arg;

	if (wrong)
		json_array_append_new(wrong, json_text(str_of(sentence)));
	else
		printf("%s\n", sentence);
}

static int verify(const struct call *c, const char *folder)
{
	struct arena *arena scoped(arena) = arena_open();
	json_t *wrong = c->json ? json_array() : NULL;
	struct manifest m;
	uint64_t n;

	if (!backup_verify(folder, has_flag(c, "--hash"), arena, say_wrong,
			   wrong, &m, &n)) {
		json_decref(wrong);
		return call_fail(1, "backup verify: %s", cause());
	}
	if (c->json)
		say_json(folder, &m, wrong);
	else if (n)
		printf("%s: %" PRIu64 " things are wrong.\n", folder, n);
	else
		printf("%s is whole: ", folder), say_counts(&m);
	return n ? 1 : 0;
}

/* ---- make ---- */

/* For who looks after it: `status`, /metrics. */
static void note_made(const struct call *c, const struct manifest *m)
{
	struct arena *arena scoped(arena) = arena_open();

	const char *path = arena_printf(arena, "%s/" BACKUP_NOTE, c->data);
	struct stat st;

	if (!folder_note(c->data, BACKUP_NOTE,
			 arena_printf(arena, "%" PRId64 "\n", m->made_ms)) ||
	    (geteuid() == 0 && stat(c->data, &st) == 0 &&
	     lchown(path, st.st_uid, st.st_gid) != 0))
		(void)call_fail(0, "backup: its time is not noted: %s",
				cause());
}

static int make(const struct call *c, const char *folder)
{
	struct arena *arena scoped(arena) = arena_open();
	struct config *config = config_read(c->data);
	struct backup_wish w = {
		.data = c->data,
		.to = folder,
		.version = SPLITMAIL_VERSION,
		.without_mail = has_flag(c, "--no-mail"),
		.without_queue = has_flag(c, "--no-queue"),
		.hashed = has_flag(c, "--hash"),
	};
	struct manifest m;
	bool good;

	if (!config)
		return call_fail(1, "%s", cause());
	w.hostname = config->hostname;
	good = backup_make(&w, arena, &m);
	if (good)
		note_made(c, &m);
	if (!good)
		(void)call_fail(1, "backup: %s", cause());
	else if (c->json)
		say_json(folder, &m, NULL);
	else
		printf("%s: ", folder), say_counts(&m);
	config_close(config);
	return good ? 0 : 1;
}

int backup_main(const struct call *c)
{
	const char *words[2] = { NULL, NULL };
	int n = 0;

	for (int i = 1; i < c->argc; i++)
		if (c->argv[i][0] != '-' && n++ < 2)
			words[n - 1] = c->argv[i];
	umask(0077);
	if (n == 2 && strcmp(words[0], "verify") == 0)
		return verify(c, words[1]);
	if (n == 1 && strcmp(words[0], "verify") != 0)
		return make(c, words[0]);
	return call_fail(2, "usage: splitmail backup [--no-mail] [--no-queue] "
			    "[--hash] FOLDER, or splitmail backup verify "
			    "[--hash] FOLDER");
}
