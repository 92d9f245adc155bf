/*
 * splitmail filter: programs that mail passes before it is accepted.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cli/store.h"
#include "filter/filter.h"
#include "filter/rspamd.h"
#include "rt/loop.h"

enum { ANSWER_MS = 5000 };

/* Without a splitmail.conf that can be read, any listener will do. */
static void know_listeners(struct cli *c, struct changes *h)
{
	const struct cli_server *server = c->server ? c->server(c->data) : NULL;

	if (server)
		changes_listeners(h, server->listeners);
}

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h,
		   (know_listeners(c, h),
		    filter_create(h, str_of(args_word(a, 0)), s.s, s.n)));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h,
		   (know_listeners(c, h),
		    filter_set(h, str_of(args_word(a, 0)), s.s, s.n)));
}

static int delete (struct cli *c, const struct args *a)
{
	int asked = cli_confirm(c, "Delete the filter %s", args_word(a, 0));

	if (asked != CLI_DONE)
		return asked;
	CLI_CHANGE(c, h, filter_delete(h, str_of(args_word(a, 0))));
}

/* ---- the one that Splitmail runs itself ---- */

static void note(void *is_there, const struct filter *f)
{
	*(bool *)is_there = true;
}

static bool find(struct cli *c, struct str name, bool *is_there)
{
	struct directory *d = cli_directory(c);
	bool found;

	*is_there = false;
	found = d && list_filters(d, name, note, is_there);
	directory_close(d);
	return found;
}

/* One that is there keeps its settings, but for where it listens, which is
 * another place in another data folder. */
static int enable(struct cli *c, const struct args *a)
{
	char *data = realpath(c->data, NULL);
	struct setting s[] = {
		{ S("socket"), rspamd_socket(data ? data : c->data, c->arena) },
		{ S("enabled"), S("yes") },
	};
	bool is_there;

	free(data);
	if (access(RSPAMD_PROGRAM, X_OK) != 0)
		return cli_refuse(c, "There is no " RSPAMD_PROGRAM
				     ": install the package rspamd.");
	if (strcmp(args_word(a, 0), "rspamd") != 0)
		return cli_refuse(c, "Splitmail runs no filter but rspamd; "
				     "others: `splitmail filter create`.");
	if (!find(c, S("rspamd"), &is_there))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h,
		   is_there ? filter_set(h, S("rspamd"), s, array_size(s))
			    : filter_create(h, S("rspamd"), s, array_size(s)));
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
	{ "enable", "PROGRAM",
	  "Have mail pass a filter that Splitmail runs itself: rspamd, of "
	  "Debian's package, for spam, SPF, DKIM and DMARC.",
	  "splitmail filter enable rspamd", enable,
	  "It runs as long as the filter rspamd is enabled, as the user of "
	  "this Splitmail, with the package's rules; what is wanted otherwise "
	  "stands in the data folder, in rspamd/local.d/. It comes up within a "
	  "minute the first time, and senders have to try again until then "
	  "(when_down)." },
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
