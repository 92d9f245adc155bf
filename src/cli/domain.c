/*
 * splitmail domain: mail domains and how they are split.
 */
#include "cli/store.h"
#include "wire/address.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	settings_joined(c, &s, a, "alias", "aliases");
	settings_option(c, &s, a, "relay", "relay");
	if (args_option(a, "forward-unknown"))
		settings_add(c, &s, "forward_unknown", S("yes"));
	CLI_CHANGE(c, h, domain_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_words(c, &s, a, 1))
		return cli_usage(c, "%s", cause());
	CLI_CHANGE(c, h, domain_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int delete(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h, domain_delete(h, str_of(args_word(a, 0))));
}

struct shown {
	struct cli *cli;
	struct directory *d;
	struct rows rows;	/* of a list */
	json_t *object;		/* of show */
	bool broken;
};

/* What the two settings make of this server, for people. */
static const char *role_of(const struct domain *d)
{
	if (str_empty(d->relay))
		return "whole domain here";
	return d->forward_unknown ? "slave, or both" : "master";
}

static json_t *domain_json(struct shown *s, const struct domain_entry *e)
{
	json_t *o = show_domain(s->d, e, s->cli->arena);

	if (!o)
		s->broken = true;
	else
		json_object_set_new(o, "role", json_string(role_of(&e->domain)));
	return o;
}

static void show_one(void *arg, const struct domain_entry *e)
{
	struct shown *s = arg;

	s->object = domain_json(s, e);
}

static int show(struct cli *c, const struct args *a)
{
	const char *name = args_word(a, 0);
	struct shown s = { .cli = c };
	struct str canonical;

	if (!domain_parse(str_of(name), c->arena, &canonical))
		return cli_refuse(c, "%s", cause());
	s.d = cli_directory(c);
	if (!s.d)
		return cli_refuse(c, "%s", cause());
	if (!list_domains(s.d, canonical, show_one, &s) || s.broken) {
		json_decref(s.object);
		return cli_trouble(c, s.d);
	}
	directory_close(s.d);
	if (!s.object)
		return cli_refuse(c, "There is no domain %s.", name);
	return cli_show(c, s.object);
}

static void list_one(void *arg, const struct domain_entry *e)
{
	struct shown *s = arg;

	json_t *row = domain_json(s, e);

	if (row)
		rows_add(&s->rows, row);
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "DOMAIN", "name", 24 },	{ "RELAY", "relay", 24 },
		{ "UNKNOWN FORWARDED", "forward_unknown", 17 },
		{ "HOSTED", "hosted", 8 },	{ "ALTERNATE", "alternate", 9 },
		{ "ALIASES", "aliases", 0 },
	};
	struct shown s = { .cli = c, .d = cli_directory(c) };

	if (!s.d)
		return cli_refuse(c, "%s", cause());
	s.rows = rows_begin(c, columns, array_size(columns));
	if (!list_domains(s.d, S(""), list_one, &s) || s.broken)
		return cli_trouble(c, s.d);
	directory_close(s.d);
	return rows_end(&s.rows);
}

static const struct command commands[] = {
	{ "create", "NAME [--alias A]... [--relay HOSTS] [--forward-unknown]",
	  "Add a mail domain: alone, as master (--relay) or as slave (--relay "
	  "and --forward-unknown).",
	  "splitmail domain create example.org --alias example.net "
	  "--relay mail.other.example", create,
	  "HOSTS: host, host:port, 192.0.2.1, [2001:db8::1]:25; several, "
	  "separated by commas, are\ntried in order. Host names are looked up "
	  "by A and AAAA, never by MX." },
	{ "set", "NAME KEY=VALUE...", "Change a domain's settings, all "
	  "together or none.",
	  "splitmail domain set example.org relay=mail.other.example "
	  "forward_unknown=yes", set,
	  "Keys:\n"
	  "  relay             hosts of the alternate mail server; empty: none\n"
	  "  forward_unknown   yes: addresses nobody has here go to the relay\n"
	  "  aliases           all other names, separated by commas\n"
	  "  catch_all         who gets mail for addresses nobody has\n"
	  "  postmaster        who gets mail for postmaster@ and abuse@\n"
	  "  own_senders       accept or refuse strangers who use the domain "
	  "as sender\n"
	  "  description       a line for people\n"
	  "  max_message_size  such as 50M; 0: the server's" },
	{ "show", "NAME", "Show a domain's settings.",
	  "splitmail domain show example.org", show },
	{ "list", "", "List all domains.", "splitmail domain list", list },
	{ "delete", "NAME", "Delete a domain that is empty.",
	  "splitmail domain delete example.org", delete },
};

const struct noun noun_domain = NOUN_OF("domain", "mail domains", commands);
