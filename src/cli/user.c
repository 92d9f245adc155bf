/*
 * splitmail user: users, and on which mail system each one lives.
 */
#include <fnmatch.h>

#include "cli/store.h"
#include "wire/address.h"

/* "Fred Doe <fred@example.org>": *NAME stays when there is none. */
static struct str take_apart(struct str given, struct str *name)
{
	ptrdiff_t open = str_find_last(given, '<');
	struct str left;

	if (open < 0 || !str_ends(given, S(">")))
		return given;
	left = str_trim(str_part(given, 0, (size_t)open));
	if (left.n > 1 && left.p[0] == '"' && str_ends(left, S("\"")))
		left = str_part(left, 1, left.n - 1);
	if (!str_empty(left))
		*name = left;
	return str_trim(str_part(given, (size_t)open + 1, given.n - 1));
}

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;
	struct str name = STR_NONE;
	struct str address = take_apart(str_of(args_word(a, 0)), &name);

	if (name.p)
		settings_add(c, &s, "name", name); /* --name is stronger */
	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, user_create(h, address, s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, user_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int password(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;
	const char *line = cli_read_secret(c, "New password");

	if (!line)
		return cli_refuse(c, "%s", cause());
	settings_add(c, &s, "password", str_of(line));
	CLI_CHANGE(c, h, user_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int rename_one(struct cli *c, const struct args *a)
{
	return cli_rename(c, HOLDER_USER, a);
}

static int delete (struct cli *c, const struct args *a)
{
	return cli_delete(c, HOLDER_USER, a);
}

static int deleted(struct cli *c, const struct args *a)
{
	return cli_deleted(c, HOLDER_USER);
}

static int sweep(struct cli *c, const struct args *a)
{
	return cli_sweep(c, args_option(a, "only-erased"));
}

static int show(struct cli *c, const struct args *a)
{
	return cli_show_holder(c, HOLDER_USER, args_word(a, 0));
}

/* ---- list ---- */

struct listed {
	struct rows rows;
	const char *pattern; /* or NULL */
	struct cli *cli;
};

static bool has_part(struct listed *l, struct str text)
{
	struct arena *row scoped(arena) = arena_open();

	return strcasestr(arena_cstr(row, text), l->pattern);
}

static bool fits_shell(struct listed *l, struct str text)
{
	struct arena *row scoped(arena) = arena_open();

	return fnmatch(l->pattern, arena_cstr(row, text), FNM_CASEFOLD) == 0;
}

static bool is_wanted(struct listed *l, const struct holder_entry *e)
{
	if (!l->pattern)
		return true;
	if (strpbrk(l->pattern, "*?["))
		return fits_shell(l, e->login);
	return has_part(l, e->login) || has_part(l, e->name);
}

static void list_one(void *arg, const struct holder_entry *e)
{
	struct listed *l = arg;
	json_t *o;

	if (!is_wanted(l, e))
		return;
	o = json_object();

	json_object_set_new(o, "address", json_text(e->login));
	json_object_set_new(o, "name", json_text(e->name));
	json_object_set_new(o, "domain", json_text(e->domain));
	json_object_set_new(o, "mail_system",
			    json_string(home_name(e->mail_system)));
	json_object_set_new(o, "system", json_text_or_null(e->system));
	json_object_set_new(o, "enabled", json_boolean(e->enabled));
	json_object_set_new(o, "quota",
			    json_integer((json_int_t)e->quota_bytes));
	rows_add(&l->rows, o);
}

static const char *const mail_systems[] = {
	[HOME_HOSTED] = "hosted",
	[HOME_ALTERNATE] = "alternate",
	[HOME_BOTH] = "",
	[HOME_NONE] = "none",
};

static bool mail_system_of(const char *word, int *out)
{
	if (!word)
		return true;
	for (size_t i = 0; i < array_size(mail_systems); i++)
		if (*word && !strcmp(mail_systems[i], word)) {
			*out = (int)i;
			return true;
		}
	return fail("--mail-system is hosted, alternate or none, not \"%s\".",
		    word);
}

static enum answer domain_of(struct cli *c, struct directory *d,
			     const char *name, int64_t *id)
{
	struct domain domain;
	struct str canonical;
	enum answer a;

	if (!name)
		return ANSWER_YES;
	if (!domain_parse(str_of(name), c->arena, &canonical))
		return ANSWER_NO;
	a = directory_domain(d, canonical, c->arena, &domain);
	if (a == ANSWER_YES)
		*id = domain.id;
	return a;
}

static int list_filtered(struct cli *c, struct directory *d,
			 const struct holder_filter *filter,
			 const char *pattern)
{
	static const struct column columns[] = {
		{ "ADDRESS", "address", 32 },
		{ "NAME", "name", 20 },
		{ "MAIL SYSTEM", "mail_system", 11 },
		{ "ENABLED", "enabled", 7 },
		{ "QUOTA", "quota", 8 },
		{ "SYSTEM", "system", 0 },
	};
	struct listed l = { .cli = c, .pattern = pattern };

	l.rows = rows_begin(c, columns, array_size(columns));
	if (!list_holders(d, filter, list_one, &l))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&l.rows);
}

static int list(struct cli *c, const struct args *a)
{
	struct holder_filter filter = { .kind = HOLDER_USER,
					.mail_system = -1 };
	const char *domain = args_option(a, "domain");
	struct directory *d;
	enum answer known;

	if (!mail_system_of(args_option(a, "mail-system"), &filter.mail_system))
		return cli_usage(c, "%s", cause());
	d = cli_directory(c);
	if (!d)
		return cli_refuse(c, "%s", cause());
	known = domain_of(c, d, domain, &filter.domain);
	if (known == ANSWER_UNSURE)
		return cli_trouble(c, d);
	if (known == ANSWER_NO) {
		directory_close(d);
		return cli_refuse(c, "There is no domain %s.", domain);
	}
	return list_filtered(c, d, &filter, args_word(a, 0));
}

static const struct key keys[] = {
	{ "mail_system", "hosted|alternate|none",
	  "here, on the alternate mail server, or nowhere (mail to him is "
	  "refused)" },
	{ "system", "SYSTEM",
	  "a named system instead of the domain's relay; "
	  "empty: the relay" },
	{ "enabled", "yes|no",
	  "no: he cannot log in, and mail to him is "
	  "refused" },
	{ "name", "NAME", "for people" },
	{ "quota", "SIZE", "such as 500 MB or 2G; 0: no limit" },
	{ "forward", "ADDRESS", "addresses, separated by commas; empty: none",
	  KEY_JOINED },
	{ "forward_copy", "yes|no", "yes: what is forwarded stays here, too" },
	{ "address", "ADDRESS",
	  "a further address: left@name, or left@* on all "
	  "names of the domain",
	  KEY_EACH,
	  .later = "use `splitmail address add` and `address remove`" },
	{ "password", "PASSWORD",
	  "everybody on this machine can see it while "
	  "the command runs: better --password-stdin" },
	{ "password_hash", "HASH",
	  "an imported {SCHEME}hash that Dovecot "
	  "verifies, such as {SSHA512}... or {CRYPT}$6$...; empty: no login" },
	{ 0 },
};

static const struct command commands[] = {
	{ "create", "ADDRESS [SETTING]... [--password-stdin]",
	  "Add a user. Without a password he cannot log in until one is set "
	  "(`splitmail user password`).",
	  "splitmail user create alice@example.org --name \"Alice Doe\" "
	  "--password-stdin",
	  create,
	  "ADDRESS is the default address: the login, and valid on all aliases "
	  "of the domain. \"Alice Doe <alice@example.org>\" is address and name.",
	  keys, true },
	{ "set", "USER SETTING... [--password-stdin]",
	  "Change a user's settings, all together or none.",
	  "splitmail user set bob@example.org mail_system=alternate", set,
	  .keys = keys },
	{ "show", "USER",
	  "Show a user, and where mail to each of his "
	  "addresses goes.",
	  "splitmail user show bob@example.org", show },
	{ "list",
	  "[PATTERN] [--domain DOMAIN] "
	  "[--mail-system hosted|alternate|none]",
	  "List users.", "splitmail user list 'b*'", list,
	  "PATTERN is a part of the address or name; with * or ? in it, of the "
	  "whole address." },
	{ "password", "USER [--password-stdin]",
	  "Set a user's password, one line on standard input. His open "
	  "sessions end.",
	  "splitmail user password alice@example.org", password },
	{ "rename", "USER NEW [--drop-old]",
	  "Give a user another default address, his login; the old "
	  "one stays an address of his.",
	  "splitmail user rename mary@example.org mary.miller@example.org",
	  rename_one, CLI_RENAME_HELP },
	{ "delete", "USER [--clean] [--erase]",
	  "Delete a user. What lies in his mailbox here is kept for 30 days, and "
	  "he can be had back; --erase: for good, now.",
	  "splitmail user delete bob@example.org", delete, CLI_CLEAN_HELP },
	{ "deleted", "",
	  "List users who were deleted, and until when they can be "
	  "had back.",
	  "splitmail user deleted", deleted },
	{ "restore", "WHO [--as ADDRESS]",
	  "Have a user back who was deleted, with "
	  "his mail, password and settings.",
	  "splitmail user restore bob@example.org --as bob2@example.org",
	  cli_restore, CLI_DELETED_HELP },
	{ "erase", "WHO",
	  "Erase all that was kept of a user who was deleted, for "
	  "good, now. The change log, logs and backups are not touched.",
	  "splitmail user erase bob@example.org --yes", cli_erase,
	  CLI_DELETED_HELP },
	{ "sweep", "[--only-erased]",
	  "Remove the mail of those who were deleted "
	  "30 days ago, and what is left of those who were erased; `serve` does "
	  "so by itself.",
	  "splitmail user sweep", sweep },
};

const struct noun noun_user =
	NOUN_OF("user", "users and where they live", commands);
