/*
 * What the nouns of the directory share (store.h).
 */
#include "cli/store.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "directory/database.h"

/* ---- settings ---- */

void settings_add(struct cli *c, struct settings *to, const char *key,
		  struct str value)
{
	if (to->n == to->room) {
		size_t room = to->room ? 2 * to->room : 16;
		struct setting *s = arena_array(c->arena, struct setting, room);

		if (to->n > 0)
			memcpy(s, to->s, to->n * sizeof(*s));
		to->s = s;
		to->room = room;
	}
	to->s[to->n++] = (struct setting){ str_of(key), value };
}

void settings_option(struct cli *c, struct settings *to, const struct args *a,
		     const char *option, const char *key)
{
	const char *value;
	size_t at = 0;

	while ((value = args_next(a, option, &at)))
		settings_add(c, to, key, str_of(value));
}

void settings_joined(struct cli *c, struct settings *to, const struct args *a,
		     const char *option, const char *key)
{
	const char *value, *all = NULL;
	size_t at = 0;

	while ((value = args_next(a, option, &at)))
		all = all ? arena_printf(c->arena, "%s, %s", all, value)
			  : value;
	if (all)
		settings_add(c, to, key, str_of(all));
}

bool settings_words(struct cli *c, struct settings *to, const struct args *a,
		    size_t from)
{
	for (size_t i = from; i < args_words(a); i++) {
		struct str key, value;

		if (!cli_key_value(args_word(a, i), &key, &value))
			return false;
		settings_add(c, to, arena_cstr(c->arena, key), value);
	}
	return true;
}

bool settings_password(struct cli *c, struct settings *to,
		       const struct args *a, const char *key)
{
	const char *password;

	if (!args_option(a, "password-stdin"))
		return true;
	password = cli_read_secret(c, "Password");
	if (!password)
		return false;
	settings_add(c, to, key, str_of(password));
	return true;
}

/* ---- handles ---- */

static const char *directory_path(struct cli *c)
{
	return cli_path(c, "directory.db");
}

static bool is_there(struct cli *c)
{
	if (access(directory_path(c), R_OK | W_OK) == 0)
		return true;
	if (errno == EACCES)
		return fail("%s: %m. Run this as root or as the user of this "
			    "Splitmail.", directory_path(c));
	return fail("%s: %m. Is this the data folder? `splitmail --data DIR "
		    "init` makes one.", directory_path(c));
}

struct changes *cli_changes(struct cli *c)
{
	struct passwd *who = getpwuid(getuid());

	if (!is_there(c) || !directory_migrate(directory_path(c)))
		return NULL;
	return changes_open(directory_path(c),
			    arena_printf(c->arena, "cli:%s",
					 who ? who->pw_name : "unknown"));
}

int cli_outcome(struct cli *c, struct changes *h, struct change r)
{
	int status = CLI_REFUSED;

	switch (r.outcome) {
	case CHANGE_DONE:
		status = cli_done(c, "%s", r.sentence);
		break;
	case CHANGE_REFUSED:
	case CHANGE_NOT_FOUND:
	case CHANGE_FAILED:
		status = cli_refuse(c, "%s", r.sentence);
		break;
	}
	changes_close(h);
	return status;
}

struct directory *cli_directory(struct cli *c)
{
	/* Whoever looks, too, may be newer than what was last written. */
	if (!is_there(c) || !directory_migrate(directory_path(c)))
		return NULL;
	return directory_open(directory_path(c));
}

int cli_trouble(struct cli *c, struct directory *d)
{
	directory_close(d);
	return cli_refuse(c, "%s", cause());
}
