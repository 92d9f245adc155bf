/*
 * splitmail system: named alternate mail servers.
 */
#include "cli/store.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, system_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, system_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int delete (struct cli *c, const struct args *a)
{
	int asked = cli_confirm(c, "Delete the system %s", args_word(a, 0));

	if (asked != CLI_DONE)
		return asked;
	CLI_CHANGE(c, h, system_delete(h, str_of(args_word(a, 0))));
}

struct shown {
	struct cli *cli;
	struct directory *d;
	struct rows rows; /* of a list */
	json_t *object;   /* of show */
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

struct relay {
	struct str hosts;
	struct arena *arena;
	const char *domain; /* whose it is; or NULL */
};

static void note_relay(void *arg, const struct domain_entry *e)
{
	struct relay *r = arg;

	if (str_same(e->domain.relay, r->hosts))
		r->domain = arena_cstr(r->arena, e->domain.name);
}

/* As `status` and `queue list` name a relay, by its hosts. */
static int no_system(struct cli *c, struct directory *d, const char *name)
{
	struct relay r = { .hosts = str_of(name), .arena = c->arena };

	if (!list_domains(d, S(""), note_relay, &r))
		return cli_trouble(c, d);
	directory_close(d);
	if (r.domain)
		return cli_refuse(c,
				  "%s is no system with a name, but the relay "
				  "of %s: see `splitmail domain show %s`.",
				  name, r.domain, r.domain);
	return cli_refuse(c, "There is no system %s.", name);
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
	if (!s.object)
		return no_system(c, s.d, name);
	directory_close(s.d);
	return cli_show_learnt(c, s.object, "name");
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
		{ "SYSTEM", "name", 20 },
		{ "HOSTS", "hosts", 32 },
		{ "TLS", "tls", 13 },
		{ "WHEN DOWN", "when_down", 10 },
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

static const struct key keys[] = {
	{ "hosts", "HOSTS",
	  "host, host:port, 192.0.2.1, [2001:db8::1]:25; "
	  "several, separated by commas, are tried in order" },
	{ "tls", "none|opportunistic|required|verified",
	  "none: in clear text; opportunistic: when the other side offers it, "
	  "whatever its certificate; required: mail waits without it; "
	  "verified: also without a certificate of the host's name" },
	{ "user", "NAME",
	  "for AUTH there, with --password-stdin; empty (and "
	  "password=): none" },
	{ "password", "PASSWORD",
	  "everybody on this machine can see it while "
	  "the command runs: better --password-stdin" },
	{ "trust", "BLOCKS",
	  "addresses and blocks such as 192.0.2.0/28, "
	  "separated by commas: where it sends from. Whoever connects from "
	  "there is this system: it may use our domains as sender, and mail "
	  "for its own users is not given back to it",
	  KEY_JOINED },
	{ "may_relay", "yes|no",
	  "yes: it may send to the Internet through us" },
	{ "xclient", "yes|no",
	  "yes: it is told by XCLIENT who a stranger is whose mail it gets, as "
	  "far as it announces that; its own filters see him then, not us" },
	{ "smart_host", "yes|no",
	  "yes: all our mail to the Internet goes "
	  "through it" },
	{ "when_down", "keep-known|keep-all|defer",
	  "mail for its users while it does not answer: keep-known accepts "
	  "what is known here, or was confirmed by it, to exist there; keep-all "
	  "everything, so that senders hear late of what it does not have; "
	  "defer nothing: senders try again" },
	{ "connections", "N", "at once, to each host; empty: not set" },
	{ "mails_per_connection", "N", "over one connection; empty: not set" },
	{ "recipients_per_mail", "N", "of one mail; empty: not set" },
	{ "mails_per_minute", "N", "to the whole system; empty: not set" },
	{ "address_family", "any|ipv4|ipv6", "by which it is reached" },
	{ "outgoing", "ADDRESSES",
	  "addresses of this machine that mail for it leaves from, one of IPv4, "
	  "one of IPv6 or both; empty: the server's" },
	{ 0 },
};

#define LIMITS_TEXT \
	"The five from connections on are what the other side allows. Mail beyond them waits " \
	"for its turn. What is not set is learnt from the hosts' answers, and " \
	"forgotten after a day; what is set holds.\n" \
	"A domain's relay has no such settings: to set some, create a system " \
	"with its hosts and give it to the users (`splitmail user set ADDRESS " \
	"system=NAME`)."

static const struct command commands[] = {
	{ "create", "NAME [SETTING]... [--password-stdin]",
	  "Name an alternate mail server. hosts has to be given.",
	  "splitmail system create groupware --hosts gw1.example,gw2.example "
	  "--tls required --trust 192.0.2.0/28",
	  create, LIMITS_TEXT, keys, true },
	{ "set", "SYSTEM SETTING... [--password-stdin]",
	  "Change a system's settings, all together or none.",
	  "splitmail system set groupware tls=verified", set, LIMITS_TEXT,
	  keys },
	{ "show", "SYSTEM",
	  "Show a system, and what its hosts have shown of "
	  "themselves.",
	  "splitmail system show groupware", show },
	{ "list", "", "List all named systems.", "splitmail system list",
	  list },
	{ "delete", "SYSTEM", "Delete a system nobody lives on.",
	  "splitmail system delete groupware", delete },
};

const struct noun noun_system =
	NOUN_OF("system", "alternate mail servers", commands);
