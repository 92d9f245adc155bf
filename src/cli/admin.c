/*
 * splitmail admin: who may change what.
 */
#include "cli/store.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	settings_option(c, &s, a, "domain", "domain");
	settings_option(c, &s, a, "role", "role");
	if (!settings_password(c, &s, a, "password"))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, admin_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_words(c, &s, a, 1))
		return cli_usage(c, "%s", cause());
	if (!settings_password(c, &s, a, "password"))
		return cli_refuse(c, "%s", cause());
	if (s.n == 0)
		return cli_usage(c, "there is nothing to change: give "
				    "KEY=VALUE or --password-stdin.");
	CLI_CHANGE(c, h, admin_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int password(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;
	const char *line = cli_read_secret(c, "New password");

	if (!line)
		return cli_refuse(c, "%s", cause());
	settings_add(c, &s, "password", str_of(line));
	CLI_CHANGE(c, h, admin_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int delete(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h, admin_delete(h, str_of(args_word(a, 0))));
}

static void list_one(void *rows, const struct admin_entry *e)
{
	rows_add(rows, show_admin(e));
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "ADMINISTRATOR", "name", 24 },
		{ "ROLE", "role", 12 },
		{ "PASSWORD", "password", 8 },
		{ "TOTP", "totp", 4 },
		{ "DOMAIN", "domain", 0 },
	};
	struct directory *d = cli_directory(c);
	struct rows rows;

	if (!d)
		return cli_refuse(c, "%s", cause());
	rows = rows_begin(c, columns, array_size(columns));
	if (!list_admins(d, list_one, &rows))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&rows);
}

static const struct command commands[] = {
	{ "create",
	  "NAME [--domain D] [--role superadmin|domain-admin|delegate] "
	  "[--password-stdin]",
	  "Add an administrator: of everything (superadmin), of one domain, or "
	  "of one domain's users only (delegate).",
	  "splitmail admin create jane --domain example.org "
	  "--role domain-admin --password-stdin", create },
	{ "set", "NAME [KEY=VALUE...] [--password-stdin]",
	  "Change an administrator's settings, all together or none.",
	  "splitmail admin set jane totp=off", set,
	  "Keys:\n"
	  "  role    superadmin, domain-admin or delegate\n"
	  "  domain  his domain; empty: all, for a superadmin\n"
	  "  totp    off: for who has lost his phone and his recovery codes; "
	  "the owner\n"
	  "          switches it on again, in the console" },
	{ "list", "", "List all administrators.", "splitmail admin list",
	  list },
	{ "password", "NAME [--password-stdin]",
	  "Set an administrator's password, one line on standard input.",
	  "splitmail admin password jane", password },
	{ "delete", "NAME", "Delete an administrator.",
	  "splitmail admin delete jane", delete },
};

const struct noun noun_admin = NOUN_OF("admin", "administrators", commands);
