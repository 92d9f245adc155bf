/*
 * splitmail address: further addresses, and where each one lives.
 */
#include "cli/store.h"

static int add(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h, address_add(h, str_of(args_word(a, 0)),
				     str_of(args_word(a, 1))));
}

static int remove_one(struct cli *c, const struct args *a)
{
	const char *second = args_word(a, 1);
	struct str holder = second ? str_of(args_word(a, 0)) : S("");
	struct str address = str_of(second ? second : args_word(a, 0));

	CLI_CHANGE(c, h, address_remove(h, holder, address));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_words(c, &s, a, 1))
		return cli_usage(c, "%s", cause());
	CLI_CHANGE(c, h, address_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static const struct command commands[] = {
	{ "add", "USER ADDRESS", "Give a user, group or shared mailbox one "
	  "more address.",
	  "splitmail address add bob@example.org 'robert@*'", add,
	  "left@* is an address on all present and future names of the "
	  "domain." },
	{ "remove", "[USER] ADDRESS", "Take an address away.",
	  "splitmail address remove bob@example.org 'robert@*'", remove_one },
	{ "set", "ADDRESS KEY=VALUE...", "Say where mail for one address "
	  "goes.",
	  "splitmail address set robert@example.org routed=no", set,
	  "Keys:\n"
	  "  routed  yes or no: for an alternate user, whether the address is "
	  "routed to the\n"
	  "          alternate mail server (all are at first) or refused\n"
	  "  home    hosted, alternate, both or none: for a hosted user\n"
	  "The two are remembered apart." },
};

const struct noun noun_address = NOUN_OF("address", "addresses of users, "
					 "groups and shared mailboxes",
					 commands);
