/*
 * What the nouns of the directory share (store.h).
 */
#include "cli/store.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/begin.h"
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

/* Setting I and all that follow with the same key; empty: an earlier one took
 * it along. */
static struct str joined(struct cli *c, const struct args *a, size_t i)
{
	struct str name, value, all = STR_NONE;
	const struct key *wanted, *key;

	args_setting(a, i, &wanted, &name, &all);
	for (size_t k = 0; k < i; k++)
		if (args_setting(a, k, &key, &name, &value) && key == wanted)
			return STR_NONE;
	for (size_t k = i + 1; args_setting(a, k, &key, &name, &value); k++)
		if (key == wanted)
			all = arena_strf(c->arena, "%.*s, %.*s", STR(all),
					 STR(value));
	return all;
}

static bool password_given(struct cli *c, struct settings *to)
{
	const char *password = cli_read_secret(c, "Password");

	if (password)
		settings_add(c, to, "password", str_of(password));
	return password;
}

bool settings_given(struct cli *c, struct settings *to, const struct args *a)
{
	const struct key *key;
	struct str name, value;

	for (size_t i = 0; args_setting(a, i, &key, &name, &value); i++) {
		if (key && key->times == KEY_JOINED)
			value = joined(c, a, i);
		if (value.p)
			settings_add(
				c, to,
				key ? key->name : arena_cstr(c->arena, name),
				value);
	}
	return !args_has(a, "password-stdin") ||
	       !args_option(a, "password-stdin") || password_given(c, to);
}

/* ---- handles ---- */

static const char *directory_path(struct cli *c)
{
	return cli_path(c, "directory.db");
}

bool cli_is_there(struct cli *c)
{
	const char *path = directory_path(c);

	if (access(path, R_OK | W_OK) == 0)
		return true;
	if (errno == EACCES)
		return fail("%s: %m; run this as root, or as the user of this "
			    "Splitmail",
			    path);
	if (errno != ENOENT)
		return fail("%s: %m", path);
	return fail("%s: %m; `%s` makes it, and --data or SPLITMAIL_DATA "
		    "names another folder",
		    path, begin_init(c->data, c->arena));
}

struct changes *cli_changes(struct cli *c)
{
	struct passwd *who = getpwuid(getuid());

	if (!cli_is_there(c) || !directory_migrate(directory_path(c)))
		return NULL;
	return changes_open(directory_path(c),
			    arena_printf(c->arena, "cli:%s",
					 who ? who->pw_name : "unknown"));
}

void cli_cleans(struct changes *h, const struct args *a)
{
	changes_clean(h, args_option(a, "clean") != NULL);
}

int cli_rename(struct cli *c, enum holder_kind kind, const struct args *a)
{
	CLI_CHANGE(c, h,
		   holder_rename(h, kind, str_of(args_word(a, 0)),
				 str_of(args_word(a, 1)),
				 !args_option(a, "drop-old")));
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
	if (r.outcome == CHANGE_DONE)
		cli_engine_looks(c);
	return status;
}

struct directory *cli_directory(struct cli *c)
{
	/* Whoever looks, too, may be newer than what was last written. */
	if (!cli_is_there(c) || !directory_migrate(directory_path(c)))
		return NULL;
	return directory_open(directory_path(c));
}

bool cli_router_open(struct cli *c, struct cli_router *r)
{
	const struct cli_server *server = c->server ? c->server(c->data) : NULL;
	struct directory *d = cli_directory(c);
	struct node node;

	if (!d)
		return false;
	if (!directory_node(d, &node)) {
		directory_close(d);
		return false;
	}
	r->guard = guard_open(&node);
	r->router = (struct router){ .directory = d, .guard = r->guard };
	if (server) {
		r->router.hostname = server->hostname;
		r->router.aliases = server->aliases;
	}
	return true;
}

void cli_router_close(struct cli_router *r)
{
	guard_close(r->guard);
	directory_close(r->router.directory);
}

int cli_trouble(struct cli *c, struct directory *d)
{
	directory_close(d);
	return cli_refuse(c, "%s", cause());
}
