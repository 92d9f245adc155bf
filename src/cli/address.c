/*
 * splitmail address: further addresses, and where each one lives.
 */
#include "cli/store.h"

static int add(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h,
		   address_add(h, str_of(args_word(a, 0)),
			       str_of(args_word(a, 1))));
}

static int remove_one(struct cli *c, const struct args *a)
{
	const char *second = args_word(a, 1);
	struct str holder = second ? str_of(args_word(a, 0)) : S("");
	struct str address = str_of(second ? second : args_word(a, 0));

	CLI_CHANGE(c, h,
		   (cli_cleans(h, a), address_remove(h, holder, address)));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, address_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static const struct key keys[] = {
	{ "routed", "yes|no",
	  "while its user is on the alternate mail server: "
	  "whether mail to the address goes there (it does at first) or is "
	  "refused" },
	{ "home", "hosted|alternate|both|none",
	  "while its user is hosted here: "
	  "where mail to the address goes, none: refused" },
	{ 0 },
};

static const struct command commands[] = {
	{ "add", "USER ADDRESS",
	  "Give a user, group or shared mailbox one "
	  "more address.",
	  "splitmail address add bob@example.org 'robert@*'", add,
	  "left@* is an address on all present and future names of the "
	  "domain." },
	{ "remove", "[USER] ADDRESS [--clean]", "Take an address away.",
	  "splitmail address remove bob@example.org 'robert@*'", remove_one,
	  CLI_CLEAN_HELP },
	{ "set", "ADDRESS SETTING...",
	  "Say where mail for one address "
	  "goes.",
	  "splitmail address set robert@example.org routed=no", set,
	  "The two are remembered apart: each counts again when its user "
	  "changes back.",
	  keys },
};

const struct noun noun_address = NOUN_OF("address",
					 "addresses of users, "
					 "groups and shared mailboxes",
					 commands);
