/*
 * Help (help.h).
 */
#include "cli/help.h"

#include "cli/args.h"

enum { WIDTH = 80, NAMES = 12 /* the column of nouns */ };

#define GROUP(title)
#define NOUN(n) extern const struct noun noun_##n;
#include "cli/nouns.def"
#undef NOUN
#undef GROUP

const struct listed_noun cli_nouns[] = {
#define GROUP(title) { NULL, title },
#define NOUN(n) { &noun_##n, NULL },
#include "cli/nouns.def"
#undef NOUN
#undef GROUP
	{ NULL, NULL },
};

static bool is_end(const struct listed_noun *l)
{
	return !l->noun && !l->title;
}

const struct noun *find_noun(const char *name)
{
	for (const struct listed_noun *l = cli_nouns; !is_end(l); l++)
		if (l->noun && !strcmp(l->noun->name, name))
			return l->noun;
	return NULL;
}

const struct command *find_command(const struct noun *n, const char *verb)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->commands[i].verb, verb))
			return &n->commands[i];
	return NULL;
}

const struct command *find_command_of_two(const struct noun *n,
					  const char *first, const char *second)
{
	struct arena *arena scoped(arena) = arena_open();

	return find_command(n, arena_printf(arena, "%s %s", first, second));
}

const struct process *find_process(const struct cli *c, const char *name)
{
	for (const struct process *p = c->processes; p && p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

/* ---- lines ---- */

static int columns_of(struct str s)
{
	int n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* One part of a line that stands at column AT: behind a space, or on a new line
 * that begins INDENT to the right. */
static int put_part(FILE *to, struct str part, int at, int indent)
{
	int wide = columns_of(part);

	if (at > indent && at + 1 + wide >= WIDTH) {
		fprintf(to, "\n%*s", indent, "");
		at = indent;
	} else if (at > indent) {
		fputc(' ', to);
		at++;
	}
	fprintf(to, "%.*s", STR(part));
	return at + wide;
}

/* Text whose first line has been begun up to INDENT. */
static void put_text(FILE *to, struct str text, int indent)
{
	struct str line, word;
	bool first = true;

	while (str_split(&text, '\n', &line)) {
		int at = indent;

		if (!first)
			fprintf(to, "%*s", indent, "");
		/* what is indented is a table */
		if (str_starts(line, S(" "))) {
			fprintf(to, "%.*s", STR(line));
			line = S("");
		}
		while (str_split(&line, ' ', &word))
			at = put_part(to, word, at, indent);
		fputc('\n', to);
		first = false;
	}
}

/* "name" in a column, and behind it TEXT. */
static void put_entry(FILE *to, int left, const char *name, int width,
		      const char *text)
{
	int behind = left + width;

	fprintf(to, "%*s%-*s", left, "", width, name);
	if ((int)strlen(name) >= width)
		fprintf(to, "\n%*s", behind, "");
	put_text(to, str_of(text), behind);
}

static void put_usage(FILE *to, const char *before, const char *name,
		      const char *verb, const char *usage)
{
	struct str rest = str_of(usage), item;
	int indent = (int)strlen(before) + 4;
	int at = fprintf(to, "%ssplitmail %s%s%s", before, name,
			 *verb ? " " : "", verb);

	while (usage_item(&rest, &item))
		at = put_part(to, item, at, indent);
	fputc('\n', to);
}

void help_usage(FILE *to, const char *before, const struct noun *n,
		const struct command *m)
{
	put_usage(to, before, n->name, m->verb, m->usage);
}

/* ---- one command ---- */

static bool has_settings(const struct command *m)
{
	return m->keys && strstr(m->usage, "SETTING");
}

static int widest_key(const struct command *m)
{
	int widest = 0;

	for (const struct key *k = m->keys; k->name; k++)
		if ((int)strlen(k->name) > widest)
			widest = (int)strlen(k->name);
	return widest;
}

/* "hosted|alternate|none" -> "hosted, alternate or none; ..." */
static void put_key(FILE *to, const struct key *k, int width)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str rest = str_of(k->value), word;
	const char *text = "";
	bool is_choice = str_find(rest, '|') >= 0;

	while (is_choice && str_split(&rest, '|', &word))
		text = arena_printf(arena, "%s%s%.*s", text,
				    !*text            ? ""
				    : str_empty(rest) ? " or "
						      : ", ",
				    STR(word));
	if (is_choice)
		text = arena_printf(arena, "%s; %s", text, k->what);
	else
		text = k->what;
	put_entry(to, 2, k->name, width, text);
}

static void put_keys(FILE *to, const struct command *m)
{
	int width = widest_key(m) + 2;

	fprintf(to, "\nSettings, as %s=VALUE or --", m->keys->name);
	for (const char *p = m->keys->name; *p; p++)
		fputc(*p == '_' ? '-' : *p, to);
	fputs(" VALUE:\n", to);
	for (const struct key *k = m->keys; k->name; k++)
		if (m->creates || !k->later)
			put_key(to, k, width);
}

static void put_end(FILE *to, const char *more, const char *example)
{
	if (more) {
		fputc('\n', to);
		put_text(to, str_of(more), 0);
	}
	fprintf(to, "\nExample:\n  %s\n", example);
}

void help_command(FILE *to, const struct noun *n, const struct command *m)
{
	help_usage(to, "Usage: ", n, m);
	fputc('\n', to);
	put_text(to, str_of(m->what), 0);
	if (has_settings(m))
		put_keys(to, m);
	put_end(to, m->more, m->example);
	fprintf(to, "\nOptions of every command: --data DIR, --json, --yes "
		    "(nothing is asked), --help\n");
}

void cli_help_process(FILE *to, const struct process *p)
{
	put_usage(to, "Usage: ", p->name, "", p->usage);
	fputc('\n', to);
	put_text(to, str_of(p->what), 0);
	put_end(to, p->more, p->example);
}

bool cli_fits_process(const struct cli *c, const struct process *p, int argc,
		      char **argv)
{
	struct arena *arena scoped(arena) = arena_open();
	const struct command as = { .verb = "", .usage = p->usage };

	if (args_parse(arena, &as, argc, argv))
		return true;
	fprintf(c->err, "splitmail: %s\n", cause());
	put_usage(c->err, "Usage: ", p->name, "", p->usage);
	return false;
}

/* ---- a noun ---- */

void help_noun(FILE *to, const struct noun *n)
{
	fprintf(to, "splitmail %s: %s\n\n", n->name, n->what);
	for (size_t i = 0; i < n->n; i++)
		help_usage(to, "  ", n, &n->commands[i]);
	fprintf(to, "\nExamples:\n");
	for (size_t i = 0; i < n->n; i++)
		fprintf(to, "  %s\n", n->commands[i].example);
	fprintf(to, "\n`splitmail %s %s --help` says more about one.\n",
		n->name, n->commands[0].verb);
}

/* ---- all ---- */

static void put_noun(FILE *to, const struct noun *n)
{
	struct arena *arena scoped(arena) = arena_open();
	int at = 2 + NAMES;

	put_entry(to, 2, n->name, NAMES, n->what);
	if (n->n == 1)
		return;
	fprintf(to, "%*s", at, "");
	for (size_t i = 0; i < n->n; i++) {
		const char *comma = i + 1 < n->n ? "," : "";

		at = put_part(
			to,
			arena_strf(arena, "%s%s", n->commands[i].verb, comma),
			at, 2 + NAMES);
	}
	fputc('\n', to);
}

static void put_processes(const struct cli *c, FILE *to)
{
	fprintf(to, "\nThe server\n");
	for (const struct process *p = c->processes; p && p->name; p++)
		if (!p->is_inner)
			put_entry(to, 2, p->name, NAMES, p->what);
}

void cli_help(const struct cli *c, FILE *to)
{
	fputs("Splitmail: one mail domain on several mail systems.\n\n"
	      "Usage: splitmail [--data DIR] [--json] COMMAND ...\n",
	      to);
	for (const struct listed_noun *l = cli_nouns; !is_end(l); l++) {
		if (l->title)
			fprintf(to, "\n%s\n", l->title);
		else
			put_noun(to, l->noun);
	}
	put_processes(c, to);
	fputs("\n--data DIR, or SPLITMAIL_DATA, is the data folder "
	      "(/var/lib/splitmail).\nEvery command has --help with an "
	      "example; `splitmail help COMMAND` is the same.\n",
	      to);
}
