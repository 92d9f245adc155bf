/*
 * splitmail domain: mail domains and how they are split.
 */
#include "cli/dkim.h"
#include "cli/domain_dns.h"
#include "cli/store.h"
#include "wire/address.h"

static bool has_postmaster(const struct settings *given)
{
	for (size_t i = 0; i < given->n; i++)
		if (str_same(given->s[i].key, S("postmaster")))
			return !str_empty(given->s[i].value);
	return false;
}

/* RFC 5321 4.5.1 and RFC 2142 want somebody to read them. */
static struct change say_who_reads(struct cli *c, struct change made,
				   const char *name)
{
	if (made.outcome == CHANGE_DONE)
		made.sentence = arena_printf(
			c->arena,
			"%s Nobody reads what comes to postmaster@ and abuse@ "
			"until `splitmail domain set %s postmaster=ADDRESS` "
			"names somebody.",
			made.sentence, name);
	return made;
}

static void note_filter(void *arg, const struct filter *f)
{
	bool *is_there = arg;

	*is_there |= f->enabled && f->direction != FILTER_OUT;
}

static bool wants_verified(const struct settings *given)
{
	bool wants = false;

	for (size_t i = 0; i < given->n; i++)
		if (str_same(given->s[i].key, S("own_senders")))
			wants = str_same(given->s[i].value, S("verify"));
	return wants;
}

/* Mail in its name has to wait for somebody who verifies it. */
static struct change say_who_looks(struct cli *c, struct change made,
				   const struct settings *given)
{
	struct directory *d;
	bool is_there = false;

	if (made.outcome != CHANGE_DONE || !wants_verified(given))
		return made;
	d = cli_directory(c);
	if (d && list_filters(d, S(""), note_filter, &is_there) && !is_there)
		made.sentence = arena_printf(
			c->arena,
			"%s Mail of strangers in its name has to wait until a "
			"filter checks SPF, DKIM and DMARC, such as "
			"`splitmail filter enable rspamd`.",
			made.sentence);
	directory_close(d);
	return made;
}

static struct change create_one(struct cli *c, struct changes *h,
				const char *name, const struct settings *s)
{
	struct change made = domain_create(h, str_of(name), s->s, s->n);

	made = say_who_looks(c, made, s);
	return has_postmaster(s) ? made : say_who_reads(c, made, name);
}

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, create_one(c, h, args_word(a, 0), &s));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h,
		   (cli_cleans(h, a),
		    say_who_looks(
			    c, domain_set(h, str_of(args_word(a, 0)), s.s, s.n),
			    &s)));
}

static int rename_one(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h,
		   domain_rename(h, str_of(args_word(a, 0)),
				 str_of(args_word(a, 1)),
				 !args_option(a, "drop-old")));
}

static int delete (struct cli *c, const struct args *a)
{
	int asked = cli_confirm(c, "Delete the domain %s", args_word(a, 0));

	if (asked != CLI_DONE)
		return asked;
	CLI_CHANGE(
		c, h,
		(cli_cleans(h, a), domain_delete(h, str_of(args_word(a, 0)))));
}

struct shown {
	struct cli *cli;
	struct directory *d;
	struct rows rows; /* of a list */
	json_t *object;   /* of show */
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
		json_object_set_new(o, "role",
				    json_string(role_of(&e->domain)));
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
	return cli_show_learnt(c, s.object, "relay");
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
		{ "DOMAIN", "name", 24 },
		{ "RELAY", "relay", 24 },
		{ "UNKNOWN FORWARDED", "forward_unknown", 17 },
		{ "HOSTED", "hosted", 8 },
		{ "ALTERNATE", "alternate", 9 },
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

static const struct key keys[] = {
	{ "relay", "HOSTS", "hosts of the alternate mail server; empty: none" },
	{ "forward_unknown", "yes|no",
	  "yes: addresses nobody has here go to "
	  "the relay" },
	{ "aliases", "NAMES",
	  "all other names, separated by commas; --alias "
	  "for one of them",
	  KEY_JOINED, "alias" },
	{ "catch_all", "ADDRESS",
	  "who gets mail for addresses nobody has; "
	  "empty: it is refused" },
	{ "postmaster", "ADDRESS",
	  "who gets mail for postmaster@ and abuse@; "
	  "empty: their own mailboxes" },
	{ "own_senders", "accept|refuse|verify",
	  "strangers who use the domain as sender; verify: also in From, unless "
	  "SPF, DKIM or DMARC passes, as a filter says" },
	{ "from_header", "accept|own",
	  "own: From and Sender of what users of "
	  "the domain send have to name addresses they may send as" },
	{ "description", "TEXT", "a line for people" },
	{ "max_message_size", "SIZE", "such as 50 MB; 0: the server's limit" },
	{ "outgoing", "ADDRESSES",
	  "addresses of this machine from which mail leaves that is sent to the "
	  "Internet in the domain's name, one of IPv4, one of IPv6 or both; "
	  "empty: the server's" },
	{ 0 },
};

static const struct command commands[] = {
	{ "create", "NAME [SETTING]...",
	  "Add a mail domain: alone, as master (with a relay) or as slave (with "
	  "a relay and forward_unknown).",
	  "splitmail domain create example.org --alias example.net "
	  "--relay mail.other.example",
	  create,
	  "HOSTS: host, host:port, 192.0.2.1, [2001:db8::1]:25; several, "
	  "separated by commas, are tried in order. Host names are looked up "
	  "by A and AAAA, never by MX.",
	  keys, true },
	{ "set", "DOMAIN SETTING... [--clean]",
	  "Change a domain's settings, all "
	  "together or none.",
	  "splitmail domain set example.org relay=mail.other.example "
	  "forward_unknown=yes",
	  set,
	  "What leads to an alias that is taken away is named and keeps it; "
	  "--clean takes that away along.",
	  keys },
	{ "show", "DOMAIN", "Show a domain's settings.",
	  "splitmail domain show example.org", show },
	{ "list", "", "List all domains.", "splitmail domain list", list },
	{ "dns", "DOMAIN [--zone]",
	  "What to publish in DNS for a domain, and what is wrong now.",
	  "splitmail domain dns example.org", domain_dns,
	  "Asked are MX, addresses and their names, SPF, DKIM, DMARC, MTA-STS, TLSRPT "
	  "and SRV, for ten seconds at most; one SPF record is for this server "
	  "and all other systems of the domain. --zone: only the records, as "
	  "lines of a zone file. An alias has records of its own. Nothing is "
	  "published from here." },
	{ "rename", "DOMAIN NEW [--drop-old]",
	  "Give a domain another first "
	  "name; the old one stays its alias.",
	  "splitmail domain rename example.org example.com", rename_one,
	  "All logins and addresses take the new name, and so do the forwards, "
	  "groups, catch-alls and administrators that have the old one; open "
	  "sessions end. --drop-old: mail to the old name is refused from then "
	  "on, also what waits in the queue. Back again: `splitmail change "
	  "undo`." },
	{ "delete", "DOMAIN [--clean]", "Delete a domain that is empty.",
	  "splitmail domain delete example.org", delete, CLI_CLEAN_HELP },
	DKIM_COMMANDS,
};

const struct noun noun_domain = NOUN_OF("domain", "mail domains", commands);
