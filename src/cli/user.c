/*
 * splitmail user: users, and on which mail system each one lives.
 */
#include "cli/store.h"
#include "wire/address.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	settings_option(c, &s, a, "name", "name");
	settings_option(c, &s, a, "mail-system", "mail_system");
	settings_option(c, &s, a, "system", "system");
	settings_option(c, &s, a, "quota", "quota");
	settings_option(c, &s, a, "address", "address");
	if (!settings_password(c, &s, a, "password"))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, user_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_words(c, &s, a, 1))
		return cli_usage(c, "%s", cause());
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

static int delete(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h, user_delete(h, str_of(args_word(a, 0))));
}

static int show(struct cli *c, const struct args *a)
{
	return cli_show_holder(c, HOLDER_USER, args_word(a, 0));
}

/* ---- list ---- */

static void list_one(void *arg, const struct holder_entry *e)
{
	json_t *o = json_object();

	json_object_set_new(o, "address", json_text(e->login));
	json_object_set_new(o, "name", json_text(e->name));
	json_object_set_new(o, "domain", json_text(e->domain));
	json_object_set_new(o, "mail_system",
			    json_string(home_name(e->mail_system)));
	json_object_set_new(o, "system", json_text_or_null(e->system));
	json_object_set_new(o, "enabled", json_boolean(e->enabled));
	json_object_set_new(o, "quota",
			    json_integer((json_int_t)e->quota_bytes));
	rows_add(arg, o);
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
			 const struct holder_filter *filter)
{
	static const struct column columns[] = {
		{ "ADDRESS", "address", 32 },	{ "NAME", "name", 20 },
		{ "MAIL SYSTEM", "mail_system", 11 },
		{ "ENABLED", "enabled", 7 },	{ "SYSTEM", "system", 0 },
	};
	struct rows rows = rows_begin(c, columns, array_size(columns));

	if (!list_holders(d, filter, list_one, &rows))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&rows);
}

static int list(struct cli *c, const struct args *a)
{
	struct holder_filter filter = { .kind = HOLDER_USER,
					.mail_system = -1 };
	const char *domain = args_option(a, "domain");
	struct directory *d;
	enum answer known;

	if (!mail_system_of(args_option(a, "mail-system"),
			    &filter.mail_system))
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
	return list_filtered(c, d, &filter);
}

static const struct command commands[] = {
	{ "create",
	  "ADDRESS [--name N] [--mail-system hosted|alternate|none] "
	  "[--system NAME] [--quota SIZE] [--address A]... "
	  "[--password-stdin]",
	  "Add a user. Without a password he cannot log in until one is set "
	  "(`splitmail user password`).",
	  "splitmail user create alice@example.org --name \"Alice Doe\" "
	  "--password-stdin", create,
	  "ADDRESS is the default address: the login, and valid on all aliases "
	  "of the domain.\n--address left@name adds another one, left@* on all "
	  "aliases." },
	{ "set", "ADDRESS KEY=VALUE...", "Change a user's settings, all "
	  "together or none.",
	  "splitmail user set bob@example.org mail_system=alternate", set,
	  "Keys:\n"
	  "  mail_system   hosted, alternate or none\n"
	  "  system        a named system instead of the domain's relay; empty: "
	  "the relay\n"
	  "  enabled       yes or no\n"
	  "  name          for people\n"
	  "  quota         such as 2G; 0: no limit\n"
	  "  forward       addresses, separated by commas; empty: none\n"
	  "  forward_copy  yes: what is forwarded stays here, too\n"
	  "  password_hash an imported {SCHEME}hash; empty: no login" },
	{ "show", "ADDRESS", "Show a user and his addresses.",
	  "splitmail user show bob@example.org", show },
	{ "list", "[--domain D] [--mail-system S]", "List users.",
	  "splitmail user list --mail-system alternate", list },
	{ "password", "ADDRESS [--password-stdin]",
	  "Set a user's password, one line on standard input. His open "
	  "sessions end.",
	  "splitmail user password alice@example.org", password },
	{ "delete", "ADDRESS", "Delete a user. His mail stays in the data "
	  "folder under his id.",
	  "splitmail user delete bob@example.org", delete },
};

const struct noun noun_user = NOUN_OF("user", "users and where they live",
				      commands);
