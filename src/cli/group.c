/*
 * splitmail group: addresses that stand for several others.
 */
#include "cli/store.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, group_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, group_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int
change_members(struct cli *c, const struct args *a,
	       struct change (*change)(struct changes *h, struct str group,
				       const struct str *members, size_t n))
{
	size_t n = args_words(a) - 1;
	struct str *members = arena_array(c->arena, struct str, n);

	for (size_t i = 0; i < n; i++)
		members[i] = str_of(args_word(a, i + 1));
	CLI_CHANGE(c, h, change(h, str_of(args_word(a, 0)), members, n));
}

static int add(struct cli *c, const struct args *a)
{
	return change_members(c, a, group_add);
}

static int remove_some(struct cli *c, const struct args *a)
{
	return change_members(c, a, group_remove);
}

static int rename_one(struct cli *c, const struct args *a)
{
	return cli_rename(c, HOLDER_GROUP, a);
}

static int delete (struct cli *c, const struct args *a)
{
	int asked = cli_confirm(c, "Delete the group %s", args_word(a, 0));

	if (asked != CLI_DONE)
		return asked;
	CLI_CHANGE(
		c, h,
		(cli_cleans(h, a), group_delete(h, str_of(args_word(a, 0)))));
}

static int show(struct cli *c, const struct args *a)
{
	return cli_show_holder(c, HOLDER_GROUP, args_word(a, 0));
}

struct listed {
	struct cli *cli;
	struct directory *d;
	struct rows rows;
	bool broken;
};

static void list_one(void *arg, const struct holder_entry *e)
{
	struct listed *l = arg;
	struct arena *row scoped(arena) = arena_open();
	const struct str *members = NULL;
	size_t n = 0;
	json_t *o = json_object();

	if (directory_members(l->d, e->id, INT64_MAX, row, &members, &n) ==
	    ANSWER_UNSURE)
		l->broken = true;
	json_object_set_new(o, "address", json_text(e->login));
	json_object_set_new(o, "name", json_text(e->name));
	json_object_set_new(o, "enabled", json_boolean(e->enabled));
	json_object_set_new(o, "members", json_texts(members, n));
	rows_add(&l->rows, o);
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "GROUP", "address", 32 },
		{ "NAME", "name", 20 },
		{ "MEMBERS", "members", 0 },
	};
	struct holder_filter all = { .kind = HOLDER_GROUP, .mail_system = -1 };
	struct listed l = { .cli = c, .d = cli_directory(c) };

	if (!l.d)
		return cli_refuse(c, "%s", cause());
	l.rows = rows_begin(c, columns, array_size(columns));
	if (!list_holders(l.d, &all, list_one, &l) || l.broken)
		return cli_trouble(c, l.d);
	directory_close(l.d);
	return rows_end(&l.rows);
}

static const struct key keys[] = {
	{ "name", "NAME", "for people" },
	{ "enabled", "yes|no", "no: mail to it is refused" },
	{ "senders", "WHO",
	  "who may send as it: addresses of users or groups, or "
	  "\"members\", "
	  "separated by commas; empty: nobody",
	  KEY_JOINED, "sender" },
	{ "member", "ADDRESS", "a user, another group, or an outside address",
	  KEY_EACH, .later = "use `splitmail group add` and `group remove`" },
	{ 0 },
};

static const struct command commands[] = {
	{ "create", "ADDRESS [SETTING]...",
	  "Add a group. Its "
	  "members may be users, other groups, or outside addresses.",
	  "splitmail group create team@example.org --member alice@example.org "
	  "--member bob@example.org",
	  create, NULL, keys, true },
	{ "add", "GROUP MEMBER...", "Add members.",
	  "splitmail group add team@example.org carol@other.example", add },
	{ "remove", "GROUP MEMBER...", "Take members out.",
	  "splitmail group remove team@example.org carol@other.example",
	  remove_some },
	{ "set", "GROUP SETTING...", "Change a group's settings.",
	  "splitmail group set team@example.org name=\"The team\"", set,
	  .keys = keys },
	{ "show", "GROUP", "Show a group and its members.",
	  "splitmail group show team@example.org", show },
	{ "list", "", "List all groups.", "splitmail group list", list },
	{ "rename", "GROUP NEW [--drop-old]",
	  "Give a group another default address; the old one "
	  "stays, too.",
	  "splitmail group rename team@example.org crew@example.org",
	  rename_one, CLI_RENAME_HELP },
	{ "delete", "GROUP [--clean]", "Delete a group; its members stay.",
	  "splitmail group delete team@example.org", delete, CLI_CLEAN_HELP },
};

const struct noun noun_group = NOUN_OF("group", "groups", commands);
