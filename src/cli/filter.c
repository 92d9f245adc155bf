/*
 * splitmail filter: programs that mail passes before it is accepted.
 */
#include "filter/filter.h"
#include "cli/store.h"
#include "rt/loop.h"

enum { ANSWER_MS = 5000 };

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, filter_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, filter_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int delete (struct cli *c, const struct args *a)
{
	int asked = cli_confirm(c, "Delete the filter %s", args_word(a, 0));

	if (asked != CLI_DONE)
		return asked;
	CLI_CHANGE(c, h, filter_delete(h, str_of(args_word(a, 0))));
}

/* ---- show ---- */

struct knock {
	struct dns *dns;
	json_t *filter;
};

static void waits knock(void *arg)
{
	struct knock *k = arg;
	const char *socket =
		json_string_value(json_object_get(k->filter, "socket"));
	bool answers =
		filter_answers(k->dns, str_of(socket), after_ms(ANSWER_MS));

	show_filter_now(k->filter, answers ? NULL : cause());
}

static void add_answer(struct cli *c, json_t *filter)
{
	static const struct dns_settings defaults;
	const struct cli_server *server = c->server ? c->server(c->data) : NULL;
	struct knock k = { .filter = filter };

	k.dns = dns_open(server ? &server->dns : &defaults);
	loops_run(1, knock, &k);
	dns_close(k.dns);
}

static void show_one(void *object, const struct filter *f)
{
	*(json_t **)object = show_filter(f);
}

static int show(struct cli *c, const struct args *a)
{
	const char *name = args_word(a, 0);
	struct directory *d = cli_directory(c);
	json_t *object = NULL;

	if (!d)
		return cli_refuse(c, "%s", cause());
	if (!list_filters(d, str_of(name), show_one, &object))
		return cli_trouble(c, d);
	directory_close(d);
	if (!object)
		return cli_refuse(c, "There is no filter %s.", name);
	add_answer(c, object);
	return cli_show(c, object);
}

/* ---- list ---- */

static void list_one(void *rows, const struct filter *f)
{
	rows_add(rows, show_filter(f));
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "FILTER", "name", 16 },
		{ "SOCKET", "socket", 32 },
		{ "MAIL", "direction", 5 },
		{ "LISTENERS", "listeners", 16 },
		{ "WHEN DOWN", "when_down", 9 },
		{ "ENABLED", "enabled", 0 },
	};
	struct directory *d = cli_directory(c);
	struct rows rows;

	if (!d)
		return cli_refuse(c, "%s", cause());
	rows = rows_begin(c, columns, array_size(columns));
	if (!list_filters(d, S(""), list_one, &rows))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&rows);
}

static const struct key keys[] = {
	{ "socket", "SOCKET",
	  "where it listens: inet:HOST:PORT or unix:/PATH, as in Postfix; "
	  "inet:PORT@HOST and local:/PATH, as in its own configuration, are "
	  "understood too" },
	{ "listeners", "LISTENERS",
	  "names of listeners of splitmail.conf, separated by commas: it sees "
	  "what comes by these. Empty: all mail, also of programs and Sieve",
	  KEY_JOINED, "listener" },
	{ "direction", "both|in|out",
	  "in: mail of strangers and other systems; out: of users, programs "
	  "and Sieve" },
	{ "when_down", "later|accept|hold",
	  "what becomes of mail while the filter cannot be asked: later: "
	  "senders try again; accept: it goes on unfiltered; hold: it is kept "
	  "in the queue until released" },
	{ "timeout", "SECONDS",
	  "1 to 60, for each of its answers; ten times as long, 300 at most, "
	  "for the one to a whole message. Empty: 30" },
	{ "enabled", "yes|no", "no: mail passes it by" },
	{ "position", "N",
	  "its place among the filters: each sees what those before have "
	  "made of a mail" },
	{ 0 },
};

static const struct command commands[] = {
	{ "create", "NAME [SETTING]...",
	  "Have mail pass a filter (milter), from the next mail on. socket has "
	  "to be given.",
	  "splitmail filter create rspamd --socket inet:localhost:11332",
	  create, NULL, keys, true },
	{ "set", "FILTER SETTING...",
	  "Change a filter's settings, all together or none.",
	  "splitmail filter set rspamd when_down=accept", set, NULL, keys },
	{ "show", "FILTER", "Show a filter, and whether it answers now.",
	  "splitmail filter show rspamd", show,
	  "It is asked by whoever runs this command, who may be allowed to "
	  "use a socket in a folder that the server is not." },
	{ "list", "", "List all filters, in the order mail passes them.",
	  "splitmail filter list", list },
	{ "delete", "FILTER", "Have mail pass a filter by, for good.",
	  "splitmail filter delete rspamd", delete },
};

const struct noun noun_filter =
	NOUN_OF("filter", "programs that mail passes (milters)", commands);
