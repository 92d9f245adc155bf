/* The note of how mailboxes lie on the disk (mailbox_format.h). */
#include "main/mailbox_format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "rt/file.h"
#include "rt/folder.h"

#define NOTE "format"

static const char *const names[] = {
	[MAILBOX_MAILDIR] = "maildir",
	[MAILBOX_MDBOX] = "mdbox",
};

const char *mailbox_format_name(enum mailbox_format f)
{
	return names[f];
}

bool mailbox_format_parse(struct str word, enum mailbox_format *out)
{
	for (size_t i = 0; i < array_size(names); i++)
		if (str_same(word, str_of(names[i]))) {
			*out = (enum mailbox_format)i;
			return true;
		}
	return fail("mailboxes are kept as maildir or mdbox, not as \"%.*s\"",
		    STR(word));
}

/* A folder of somebody's begins with his id. */
static void look_for_mailbox(void *arg, const char *name)
{
	*(bool *)arg |= name[0] >= '0' && name[0] <= '9';
}

static enum mailbox_format_found find_without_note(const char *mail)
{
	bool any = false;

	if (!folder_list(mail, look_for_mailbox, &any))
		return FORMAT_TROUBLE;
	return any ? FORMAT_OLD : FORMAT_EMPTY;
}

enum mailbox_format_found mailbox_format_find(const char *mail,
					      enum mailbox_format *out)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *path = arena_printf(arena, "%s/" NOTE, mail);
	char text[32];

	if (access(path, F_OK) != 0) {
		if (errno == ENOENT)
			return find_without_note(mail);
		fail("look for %s: %m", path);
		return FORMAT_TROUBLE;
	}
	if (!folder_noted(mail, NOTE, text, sizeof(text)))
		return FORMAT_TROUBLE;
	text[strcspn(text, "\r\n")] = 0;
	if (mailbox_format_parse(str_of(text), out))
		return FORMAT_NOTED;
	add_cause("%s", path);
	return FORMAT_TROUBLE;
}

/* Whoever writes it, it belongs to whom the folder belongs to. */
static bool give(const char *mail, const char *path)
{
	struct stat st;

	if (geteuid() != 0)
		return true;
	if (stat(mail, &st) != 0 || lchown(path, st.st_uid, st.st_gid) != 0)
		return fail("set owner of %s: %m", path);
	return true;
}

bool mailbox_format_note(const char *mail, enum mailbox_format f)
{
	struct arena *arena scoped(arena) = arena_open();

	return folder_note(mail, NOTE, arena_printf(arena, "%s\n", names[f])) &&
	       folder_seal(mail, NOTE, true) &&
	       give(mail, arena_printf(arena, "%s/" NOTE, mail));
}
