/*
 * The command line: splitmail --data DIR NOUN VERB ...
 *
 * Each noun is a file that ends in a table of commands.  A command's usage
 * line is not only its help: it is the grammar its arguments are parsed by.
 *
 *	static const struct key keys[] = {
 *		{ "relay", "HOSTS", "hosts of the alternate mail server" },
 *		{ "forward_unknown", "yes|no", "..." },
 *		{ 0 },
 *	};
 *
 *	static int create(struct cli *c, const struct args *a)
 *	{
 *		const char *name = args_word(a, 0);
 *		const char *format = args_option(a, "format");	or NULL
 *		struct settings s;				(store.h)
 *
 *		if (!settings_given(c, &s, a))
 *			return cli_refuse(c, "%s", cause());
 *		...
 *		return cli_refuse(c, "There is no domain %s.", name);
 *	}
 *
 *	static const struct command commands[] = {
 *		{ "create", "NAME [SETTING]... [--format F]",
 *		  "Add a mail domain.", "splitmail domain create example.org",
 *		  create, .keys = keys, .creates = true },
 *	};
 *	const struct noun noun_domain = NOUN_OF("domain", "mail domains",
 *						commands);
 *
 * and one line in nouns.def.  The usage grammar, items separated by spaces:
 *
 *	NAME  NAME...  [NAME]  [NAME]...	words; "..." takes all that is left
 *	[--flag]  [--key VALUE]  [--key VALUE]...
 *	--key VALUE				an option that has to be given
 *	SETTING...  [SETTING]...		settings, by the command's keys
 *
 * A setting is --mail-system hosted or mail_system=hosted, as one likes; "-"
 * and "_" are the same in the names of settings and options.  Those that are
 * yes|no may be a mere flag: --forward-unknown.
 *
 * Names of words and values also say what shell completion offers
 * (complete.c): USER, DOMAIN, ..., a|b|c.
 *
 * Options may stand anywhere, as --key VALUE or --key=VALUE; "--" ends them.
 * A noun without verbs has one command whose verb is "".
 *
 * What a command has to say is made once, as JSON (jansson): with --json it is
 * printed as such, otherwise as aligned text.  Exit status: CLI_DONE,
 * CLI_REFUSED (one sentence on stderr that says what to do), CLI_USAGE.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"
#include "dns/dns.h"

enum { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2 };

struct texts;
struct publish_server;

/* What splitmail.conf says of the server, for who answers in its place. */
struct cli_server {
	struct str hostname;
	const struct texts *listeners; /* their names */
	const struct aliases *aliases; /* of the host; NULL: none */
	struct dns_settings dns;
	const struct publish_server *published; /* what DNS says of it */
};

struct cli {
	const char *data; /* the data folder */
	/* NULL, or what it gives is NULL: no splitmail.conf that can be read.
	 * What it gives stays. */
	const struct cli_server *(*server)(const char *data);
	bool json;
	bool yes;                        /* --yes: nothing is asked */
	const struct process *processes; /* name NULL at the end */
	FILE *in, *out, *err;
	struct arena *arena; /* the command's; cli_run() makes it */
};

/* A command that is a process of its own: main runs it, here it is only
 * shown. */
struct call;
struct process {
	const char *name, *usage, *what, *example;
	int (*main)(const struct call *c);
	bool is_inner;    /* for `serve` alone: not in the help's list */
	const char *more; /* as struct command's */
};

/* ---- for main ---- */

/* Take --data DIR, --json and --yes out of ARGV, wherever they stand; what is
 * left moves up.  False: --data without a value, cause(). */
bool cli_globals(struct cli *c, int *argc, char **argv) must_check;
/* Run NOUN [VERB] ...; argv[0] is the noun. The exit status. */
int cli_run(struct cli *c, int argc, char **argv);
/* What `splitmail --help` shows: every noun, in groups. */
void cli_help(const struct cli *c, FILE *to);
/* Of one process; TO may be the terminal. */
void cli_help_process(FILE *to, const struct process *p);
/* Do the words behind its name, NULL at the end, fit the usage line of P?
 * False: what does not, with the usage, was said on stderr. */
bool cli_fits_process(const struct cli *c, const struct process *p, int argc,
		      char **argv) must_check;

/* ---- for the nouns ---- */

struct args;

/* How often a setting may be given in one command. */
enum key_times {
	KEY_ONCE,
	KEY_EACH,   /* each is a setting of its own */
	KEY_JOINED, /* all of them are one list, ", " between */
};

/* A setting, for the help, the shell and the arguments; what is valid decides
 * the directory, whose key it is. */
struct key {
	const char *name;  /* "mail_system" */
	const char *value; /* "hosted|alternate|none", "SIZE" */
	const char *what;  /* may be several lines long */
	enum key_times times;
	const char *one;   /* "alias", for one of "aliases"; or NULL */
	const char *later; /* only when created; then: what to do instead */
};

struct command {
	const char *verb, *usage, *what, *example;
	int (*run)(struct cli *c, const struct args *a);
	const char *more;       /* help's last paragraph; or NULL */
	const struct key *keys; /* of SETTING; name NULL at the end */
	bool creates;
};

struct noun {
	const char *name, *what;
	const struct command *commands;
	size_t n;
};

#define NOUN_OF(name, what, commands) \
	{ \
		name, what, commands, array_size(commands) \
	}

/* Word number I, or NULL when there are fewer. */
const char *args_word(const struct args *a, size_t i);
size_t args_words(const struct args *a);
/* The option's (last) value; "" for a flag that was given; else NULL. */
const char *args_option(const struct args *a, const char *name);
/* Does the command know this option at all? */
bool args_has(const struct args *a, const char *name);
/* Walk all values of a repeated option; *AT starts at 0; NULL: no more. */
const char *args_next(const struct args *a, const char *name, size_t *at);

/* DIR/NAME in the command's arena. */
char *cli_path(struct cli *c, const char *name);
/* One line of stdin without its end (echo off on a terminal); refuses an
 * empty one.  NULL: cause(). */
const char *cli_read_secret(struct cli *c, const char *prompt);
/* Ask before WHAT ("Delete the user bob@...") is done, unless --yes was said.
 * CLI_DONE: it may be.  CLI_REFUSED: he said no; CLI_USAGE: no terminal, so
 * that nobody can be asked.  Either was said. */
int cli_confirm(struct cli *c, const char *format, ...)
	printf_like(2, 3) must_check;
/* The answer of the engine that runs (control/control.h). False: cause(). */
bool cli_ask_engine(struct cli *c, const char *question,
		    struct buf *answer) must_check;
/* Tell it that something has changed that mail may wait for; if it does not hear,
 * it finds out by itself. */
void cli_engine_looks(struct cli *c);
/* "KEY=VALUE": false, with cause(), when there is no '='. */
bool cli_key_value(const char *word, struct str *key,
		   struct str *value) must_check;

/* ---- what is said ---- */

/* Done: a sentence on stdout; with --json {"done":true,"text":...}. */
int cli_done(struct cli *c, const char *format, ...) printf_like(2, 3);
/* Refused or not found: one sentence on stderr. */
int cli_refuse(struct cli *c, const char *format, ...) printf_like(2, 3);
/* The arguments make no sense: a sentence and where help is, on stderr. */
int cli_usage(struct cli *c, const char *format, ...) printf_like(2, 3);
/* TEXT with control characters as '?': for anything that came from outside. */
const char *cli_clean(struct cli *c, const char *text);

/*
 * A list of any length in constant memory.  Each row is a JSON object (taken
 * over); its text form shows the columns' keys: strings as they are, booleans
 * as yes and no, arrays joined by ", ", null and "" as "-".
 */
struct column {
	const char *title, *key;
	int width; /* at least; the last column may be 0 */
};
struct rows {
	struct cli *cli;
	const struct column *columns;
	size_t n_columns, n;
};
struct rows rows_begin(struct cli *c, const struct column *columns, size_t n);
void rows_add(struct rows *r, json_t *row);
int rows_end(struct rows *r); /* CLI_DONE */

/* One object (taken over): JSON, or a line "key  value" for each member; an
 * array of objects becomes a block of indented lines. */
int cli_show(struct cli *c, json_t *object);
/* JSON as it is (taken over), one document and a newline. */
void cli_json(struct cli *c, json_t *value);

#endif
