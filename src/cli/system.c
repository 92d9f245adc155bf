/*
 * splitmail system: named alternate mail servers.
 */
#include "cli/store.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	settings_option(c, &s, a, "hosts", "hosts");
	settings_option(c, &s, a, "tls", "tls");
	settings_option(c, &s, a, "user", "user");
	settings_joined(c, &s, a, "trust", "trust");
	settings_option(c, &s, a, "when-down", "when_down");
	if (args_option(a, "may-relay"))
		settings_add(c, &s, "may_relay", S("yes"));
	if (args_option(a, "smart-host"))
		settings_add(c, &s, "smart_host", S("yes"));
	if (!settings_password(c, &s, a, "password"))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, system_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_words(c, &s, a, 1))
		return cli_usage(c, "%s", cause());
	if (!settings_password(c, &s, a, "password"))
		return cli_refuse(c, "%s", cause());
	if (s.n == 0)
		return cli_usage(c, "There is nothing to set.");
	CLI_CHANGE(c, h, system_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int delete(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h, system_delete(h, str_of(args_word(a, 0))));
}

struct shown {
	struct cli *cli;
	struct directory *d;
	struct rows rows;	/* of a list */
	json_t *object;		/* of show */
	bool broken;
};

static json_t *system_json(struct shown *s, const struct system *e)
{
	json_t *o = show_system(s->d, e, s->cli->arena);

	s->broken |= !o;
	return o;
}

static void show_one(void *arg, const struct system *e)
{
	struct shown *s = arg;

	s->object = system_json(s, e);
}

static int show(struct cli *c, const struct args *a)
{
	const char *name = args_word(a, 0);
	struct shown s = { .cli = c, .d = cli_directory(c) };

	if (!s.d)
		return cli_refuse(c, "%s", cause());
	if (!list_systems(s.d, str_of(name), show_one, &s) || s.broken) {
		json_decref(s.object);
		return cli_trouble(c, s.d);
	}
	directory_close(s.d);
	if (!s.object)
		return cli_refuse(c, "There is no system %s.", name);
	return cli_show(c, s.object);
}

static void list_one(void *arg, const struct system *e)
{
	struct shown *s = arg;

	json_t *row = system_json(s, e);

	if (row)
		rows_add(&s->rows, row);
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "SYSTEM", "name", 20 },	{ "HOSTS", "hosts", 32 },
		{ "TLS", "tls", 13 },		{ "WHEN DOWN", "when_down", 10 },
		{ "MAY RELAY", "may_relay", 9 },
		{ "SMART HOST", "smart_host", 10 },
		{ "TRUST", "trust", 0 },
	};
	struct shown s = { .cli = c, .d = cli_directory(c) };

	if (!s.d)
		return cli_refuse(c, "%s", cause());
	s.rows = rows_begin(c, columns, array_size(columns));
	if (!list_systems(s.d, S(""), list_one, &s) || s.broken)
		return cli_trouble(c, s.d);
	directory_close(s.d);
	return rows_end(&s.rows);
}

static const struct command commands[] = {
	{ "create",
	  "NAME --hosts HOSTS [--tls none|opportunistic|required|verified] "
	  "[--user U] [--password-stdin] [--trust CIDR]... [--may-relay] "
	  "[--when-down keep-known|keep-all|defer] [--smart-host]",
	  "Name an alternate mail server.",
	  "splitmail system create groupware --hosts gw1.example,gw2.example "
	  "--tls required --trust 192.0.2.0/28", create,
	  "--trust: whoever connects from there is this system and may use the "
	  "domains as sender.\n--may-relay: it may send to the Internet through "
	  "us. --smart-host: all our mail to\nthe Internet goes through it." },
	{ "set", "NAME [KEY=VALUE...] [--password-stdin]",
	  "Change a system's settings, all together or none.",
	  "splitmail system set groupware tls=verified", set,
	  "Keys:\n"
	  "  hosts       tried in order\n"
	  "  tls         none, opportunistic, required, verified\n"
	  "  user        for AUTH there, with --password-stdin; empty (and "
	  "password=): none\n"
	  "  trust       addresses and blocks, separated by commas\n"
	  "  may_relay   yes or no\n"
	  "  smart_host  yes or no\n"
	  "  when_down   keep-known, keep-all, defer" },
	{ "show", "NAME", "Show a system.", "splitmail system show groupware",
	  show },
	{ "list", "", "List all named systems.", "splitmail system list",
	  list },
	{ "delete", "NAME", "Delete a system nobody lives on.",
	  "splitmail system delete groupware", delete },
};

const struct noun noun_system = NOUN_OF("system", "alternate mail servers",
					commands);
