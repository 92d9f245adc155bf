/*
 * The command line: splitmail --data DIR NOUN VERB ...
 *
 * Each noun is a file that ends in a table of commands.  A command's usage
 * line is not only its help: it is the grammar its arguments are parsed by.
 *
 *	static int create(struct cli *c, const struct args *a)
 *	{
 *		const char *name = args_word(a, 0);
 *		const char *relay = args_option(a, "relay");	or NULL
 *		...
 *		return cli_refuse(c, "There is no domain %s.", name);
 *	}
 *
 *	static const struct command commands[] = {
 *		{ "create", "NAME [--alias A]... [--relay HOSTS] [--force]",
 *		  "Add a mail domain.",
 *		  "splitmail domain create example.org", create },
 *	};
 *	const struct noun noun_domain = NOUN_OF("domain", "mail domains",
 *						commands);
 *
 * and one line in nouns.def.  The usage grammar, items separated by spaces:
 *
 *	NAME  NAME...  [NAME]  [NAME...]	words; "..." takes all that is left
 *	[--flag]  [--key VALUE]  [--key VALUE]...
 *	--key VALUE				an option that has to be given
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
#include "base/fail.h"

enum { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2 };

struct cli {
	const char *data;	/* the data folder */
	bool json;
	FILE *in, *out, *err;
	struct arena *arena;	/* the command's; cli_run() makes it */
};

/* ---- for main ---- */

/* Take --data DIR and --json out of ARGV, wherever they stand; what is left
 * moves up.  False: --data without a value, cause(). */
bool cli_globals(struct cli *c, int *argc, char **argv) must_check;
/* Run NOUN [VERB] ...; argv[0] is the noun. The exit status. */
int cli_run(struct cli *c, int argc, char **argv);
/* One line for each command of every noun: the middle of `splitmail --help`. */
void cli_help(FILE *to);

/* ---- for the nouns ---- */

struct args;

struct command {
	const char *verb, *usage, *what, *example;
	int (*run)(struct cli *c, const struct args *a);
	const char *more;	/* help's last paragraph, e.g. the keys; or NULL */
};

struct noun {
	const char *name, *what;
	const struct command *commands;
	size_t n;
};

#define NOUN_OF(name, what, commands) \
	{ name, what, commands, array_size(commands) }

/* Word number I, or NULL when there are fewer. */
const char *args_word(const struct args *a, size_t i);
size_t args_words(const struct args *a);
/* The option's (last) value; "" for a flag that was given; else NULL. */
const char *args_option(const struct args *a, const char *name);
/* Walk all values of a repeated option; *AT starts at 0; NULL: no more. */
const char *args_next(const struct args *a, const char *name, size_t *at);

/* DIR/NAME in the command's arena. */
char *cli_path(struct cli *c, const char *name);
/* One line of stdin without its end (echo off on a terminal); refuses an
 * empty one.  NULL: cause(). */
const char *cli_read_secret(struct cli *c, const char *prompt);
/* "KEY=VALUE": false, with cause(), when there is no '='. */
bool cli_key_value(const char *word, struct str *key, struct str *value)
	must_check;

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
	int width;		/* at least; the last column may be 0 */
};
struct rows {
	struct cli *cli;
	const struct column *columns;
	size_t n_columns, n;
};
struct rows rows_begin(struct cli *c, const struct column *columns, size_t n);
void rows_add(struct rows *r, json_t *row);
int rows_end(struct rows *r);			/* CLI_DONE */

/* One object (taken over): JSON, or a line "key  value" for each member; an
 * array of objects becomes a block of indented lines. */
int cli_show(struct cli *c, json_t *object);
/* JSON as it is (taken over), one document and a newline. */
void cli_json(struct cli *c, json_t *value);

#endif
