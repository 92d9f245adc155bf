/*
 * splitmail shared: mailboxes of several people; nobody logs in to one.
 */
#include "cli/store.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	settings_option(c, &s, a, "name", "name");
	settings_option(c, &s, a, "quota", "quota");
	CLI_CHANGE(c, h, shared_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_words(c, &s, a, 1))
		return cli_usage(c, "%s", cause());
	CLI_CHANGE(c, h, shared_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int delete(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h, shared_delete(h, str_of(args_word(a, 0))));
}

static int show(struct cli *c, const struct args *a)
{
	return cli_show_holder(c, HOLDER_SHARED, args_word(a, 0));
}

static void list_one(void *arg, const struct holder_entry *e)
{
	json_t *o = json_object();

	json_object_set_new(o, "address", json_text(e->login));
	json_object_set_new(o, "name", json_text(e->name));
	json_object_set_new(o, "enabled", json_boolean(e->enabled));
	json_object_set_new(o, "quota",
			    json_integer((json_int_t)e->quota_bytes));
	json_object_set_new(o, "builtin", json_boolean(e->builtin));
	rows_add(arg, o);
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "SHARED MAILBOX", "address", 40 },
		{ "NAME", "name", 20 },
		{ "ENABLED", "enabled", 7 },
		{ "MADE WITH THE DOMAIN", "builtin", 0 },
	};
	struct holder_filter all = { .kind = HOLDER_SHARED, .mail_system = -1 };
	struct directory *d = cli_directory(c);
	struct rows rows;

	if (!d)
		return cli_refuse(c, "%s", cause());
	rows = rows_begin(c, columns, array_size(columns));
	if (!list_holders(d, &all, list_one, &rows))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&rows);
}

static const struct command commands[] = {
	{ "create", "ADDRESS [--name N] [--quota SIZE]", "Add a shared "
	  "mailbox.",
	  "splitmail shared create office@example.org", create },
	{ "set", "ADDRESS KEY=VALUE...", "Change a shared mailbox's settings.",
	  "splitmail shared set office@example.org quota=5G", set,
	  "Keys: name, enabled, quota" },
	{ "show", "ADDRESS", "Show a shared mailbox and its addresses.",
	  "splitmail shared show office@example.org", show },
	{ "list", "", "List all shared mailboxes.", "splitmail shared list",
	  list },
	{ "delete", "ADDRESS", "Delete a shared mailbox. Its mail stays in the "
	  "data folder under its id.",
	  "splitmail shared delete office@example.org", delete },
};

const struct noun noun_shared = NOUN_OF("shared", "shared mailboxes",
					commands);
