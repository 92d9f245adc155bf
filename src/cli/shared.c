/*
 * splitmail shared: mailboxes of several people; nobody logs in to one.
 */
#include "cli/store.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, shared_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, shared_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int rename_one(struct cli *c, const struct args *a)
{
	return cli_rename(c, HOLDER_SHARED, a);
}

static int delete (struct cli *c, const struct args *a)
{
	return cli_delete(c, HOLDER_SHARED, a);
}

static int deleted(struct cli *c, const struct args *a)
{
	return cli_deleted(c, HOLDER_SHARED);
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
		{ "QUOTA", "quota", 8 },
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

static const struct key keys[] = {
	{ "name", "NAME", "for people" },
	{ "enabled", "yes|no", "no: mail to it is refused" },
	{ "senders", "WHO",
	  "who may send as it: addresses of users or groups, "
	  "separated by commas; empty: nobody",
	  KEY_JOINED, "sender" },
	{ "quota", "SIZE", "such as 500 MB or 2G; 0: no limit" },
	{ 0 },
};

static const struct command commands[] = {
	{ "create", "ADDRESS [SETTING]...", "Add a shared mailbox.",
	  "splitmail shared create office@example.org", create, NULL, keys,
	  true },
	{ "set", "SHARED SETTING...", "Change a shared mailbox's settings.",
	  "splitmail shared set office@example.org quota=5G", set,
	  .keys = keys },
	{ "show", "SHARED", "Show a shared mailbox and its addresses.",
	  "splitmail shared show office@example.org", show },
	{ "list", "", "List all shared mailboxes.", "splitmail shared list",
	  list },
	{ "rename", "SHARED NEW [--drop-old]",
	  "Give a shared mailbox another default address; the "
	  "old one stays, too.",
	  "splitmail shared rename office@example.org desk@example.org",
	  rename_one, CLI_RENAME_HELP },
	{ "delete", "SHARED [--clean] [--erase]",
	  "Delete a shared mailbox. Its mail is kept for 30 days, and it can be "
	  "had back; --erase: for good, now.",
	  "splitmail shared delete office@example.org", delete,
	  CLI_CLEAN_HELP },
	{ "deleted", "",
	  "List shared mailboxes that were deleted, and until when "
	  "they can be had back.",
	  "splitmail shared deleted", deleted },
	{ "restore", "WHO [--as ADDRESS]",
	  "Have a shared mailbox back that was "
	  "deleted, with its mail.",
	  "splitmail shared restore office@example.org", cli_restore,
	  CLI_DELETED_HELP },
	{ "erase", "WHO",
	  "Erase all that was kept of a shared mailbox that was "
	  "deleted, for good, now.",
	  "splitmail shared erase office@example.org --yes", cli_erase,
	  CLI_DELETED_HELP },
};

const struct noun noun_shared = NOUN_OF("shared", "shared mailboxes", commands);
