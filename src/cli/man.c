/*
 * The manual page splitmail(8), of the tables that commands are parsed by
 * (man(7)); `splitmail help man` prints it, for packages; `help man sendmail`
 * the page of that process alone, which is a program by its own name, too.
 */
#include "cli/args.h"
#include "cli/help.h"

/* A text that stands for itself, whatever is in it. */
static void put_plain(FILE *to, struct str text)
{
	bool at_start = true;

	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];

		if (at_start && (ch == '.' || ch == '\''))
			fputs("\\&", to);
		if (ch == '\\')
			fputs("\\e", to);
		else if (ch == '-')
			fputs("\\-", to);
		else
			fputc(ch, to);
		at_start = ch == '\n';
	}
}

/* Lines that begin with a space are a table: they stay as they are. */
static void put_text(FILE *to, const char *text)
{
	struct str rest = str_of(text), line;
	bool in_table = false;

	while (str_split(&rest, '\n', &line)) {
		bool is_table = str_starts(line, S(" "));

		if (is_table != in_table)
			fputs(is_table ? ".nf\n" : ".fi\n", to);
		in_table = is_table;
		put_plain(to, line);
		fputs(is_table || str_empty(rest) ? "\n" : "\n.br\n", to);
	}
	if (in_table)
		fputs(".fi\n", to);
}

static void put_example(FILE *to, const char *example)
{
	fputs(".PP\n.nf\n.RS\n", to);
	put_plain(to, str_of(example));
	fputs("\n.RE\n.fi\n", to);
}

static void put_keys(FILE *to, const struct command *m)
{
	for (const struct key *k = m->keys; k && k->name; k++) {
		if (!m->creates && k->later)
			continue;
		fputs(".TP\n.B ", to);
		put_plain(to, str_of(k->name));
		fputc('\n', to);
		if (strchr(k->value, '|')) {
			put_plain(to, str_of(k->value));
			fputs(";\n", to);
		}
		put_text(to, k->what);
	}
}

/* One command: its usage as a heading, and all that its help says. */
static void put_command(FILE *to, const char *noun, const struct command *m)
{
	fputs(".SS \"splitmail ", to);
	put_plain(to, str_of(noun));
	fputs(*m->verb ? " " : "", to);
	put_plain(to, str_of(m->verb));
	fputs("\"\n.B splitmail ", to);
	put_plain(to, str_of(noun));
	fputs(*m->verb ? " " : "", to);
	put_plain(to, str_of(m->verb));
	fputs("\n", to);
	put_plain(to, str_of(m->usage));
	fputs("\n.PP\n", to);
	put_text(to, m->what);
	if (strstr(m->usage, "SETTING"))
		put_keys(to, m);
	if (m->more) {
		fputs(".PP\n", to);
		put_text(to, m->more);
	}
	put_example(to, m->example);
}

static void put_process(const struct process *p, FILE *to)
{
	put_command(to, p->name,
		    &(struct command){ .verb = "",
				       .usage = p->usage,
				       .what = p->what,
				       .example = p->example,
				       .more = p->more });
}

static void put_processes(const struct cli *c, FILE *to)
{
	for (const struct process *p = c->processes; p && p->name; p++)
		if (!p->is_inner)
			put_process(p, to);
}

static const char head[] =
	".TH SPLITMAIL 8 \"\" Splitmail \"System administration\"\n"
	".SH NAME\nsplitmail \\- one mail domain on several mail systems\n"
	".SH SYNOPSIS\n.B splitmail\n[\\-\\-data DIR] [\\-\\-json] [\\-\\-yes] "
	"COMMAND ...\n"
	".SH DESCRIPTION\n"
	"Splitmail serves a mail domain whose users live on several mail "
	"systems: some have their mailbox here, the others on an alternate mail "
	"server.\n.B splitmail serve\nruns it; the other commands change what it "
	"knows, and show what it does.\n.PP\n"
	"A setting is written name=VALUE or \\-\\-name VALUE; \\- and _ are the "
	"same in names.\n"
	".SH COMMANDS\n";
static const char end[] =
	".SH \"EXIT STATUS\"\n0 done, 1 refused or not found, 2 usage; "
	"sendmail's are those of sysexits.h.\n"
	".SH ENVIRONMENT\n.TP\n.B SPLITMAIL_DATA\nThe data folder, when there is "
	"no \\-\\-data.\n"
	".SH FILES\n.TP\n.I /var/lib/splitmail\nThe data folder: splitmail.conf, "
	"directory.db, queue.db, tls, mail, spool.\n";

void cli_man(const struct cli *c, FILE *to)
{
	fputs(head, to);
	put_processes(c, to);
	for (const struct listed_noun *l = cli_nouns; l->noun || l->title; l++)
		for (size_t i = 0; l->noun && i < l->noun->n; i++)
			put_command(to, l->noun->name, &l->noun->commands[i]);
	fputs(end, to);
}

void cli_man_process(const struct process *p, FILE *to)
{
	struct str what = str_of(p->what), first;

	str_split(&what, '.', &first);
	fputs(".TH \"", to);
	for (const char *ch = p->name; *ch; ch++)
		fputc(*ch - ('a' <= *ch && *ch <= 'z' ? 'a' - 'A' : 0), to);
	fputs("\" 8 \"\" Splitmail \"System administration\"\n.SH NAME\n", to);
	put_plain(to, str_of(p->name));
	fputs(" \\- ", to);
	put_plain(to, first);
	fputs("\n.SH DESCRIPTION\n", to);
	put_process(p, to);
	fputs(".SH \"SEE ALSO\"\n.BR splitmail (8)\n", to);
}
