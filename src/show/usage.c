/*
 * How much lies in a mailbox: Dovecot is asked, and is not waited for long
 * (show.h).
 */
#include <string.h>

#include "rt/process.h"
#include "show/show.h"

#define DOVEADM "/usr/bin/doveadm"

enum { USAGE_BYTES = 4096, KIB = 1024 };

bool show_has_mailbox(const json_t *holder)
{
	const json_t *system = json_object_get(holder, "mail_system");
	const char *kind = json_string_value(json_object_get(holder, "kind"));

	if (!json_is_true(json_object_get(holder, "enabled")))
		return false;
	if (!strcmp(kind, show_kinds[HOLDER_USER]))
		return !strcmp(json_string_value(system),
			       home_name(HOME_HOSTED));
	return !strcmp(kind, show_kinds[HOLDER_SHARED]);
}

/* "User quota <TAB> STORAGE <TAB> kibibytes <TAB> ...", as doveadm-quota(1)
 * has it with -f tab. */
static bool read_usage(struct str text, uint64_t *kib)
{
	struct str line, field;

	while (str_split(&text, '\n', &line)) {
		str_split(&line, '\t', &field);
		if (str_split(&line, '\t', &field) &&
		    str_same(field, S("STORAGE")) &&
		    str_split(&line, '\t', &field))
			return str_number(field, INT64_MAX / KIB, kib);
	}
	return false;
}

int64_t mailbox_used(const char *data, const char *login, int64_t deadline_ms)
{
	struct arena *arena scoped(arena) = arena_open();
	struct buf said scoped(buf) = BUF_EMPTY;
	const char *const argv[] = {
		DOVEADM,
		"-c",
		arena_printf(arena, "%s/dovecot/dovecot.conf", data),
		"-f",
		"tab",
		"quota",
		"get",
		"-u",
		login,
		NULL,
	};
	struct process_plan plan = { .argv = argv, .quiet = true };
	uint64_t kib;
	int status;

	/* A name with one of these is a mask to it: it would go through the
	 * mailboxes of all whom it fits. */
	if (strpbrk(login, "*?"))
		return USED_UNKNOWN;
	if (!process_run(&plan, USAGE_BYTES, deadline_ms, &said, &status) ||
	    status != 0 || !read_usage(buf_str(&said), &kib))
		return USED_UNKNOWN;
	return (int64_t)(kib * KIB);
}

json_t *show_used(int64_t used)
{
	return used == USED_UNKNOWN ? json_null() : json_integer(used);
}
