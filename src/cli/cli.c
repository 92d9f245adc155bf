/*
 * From argv to a noun's function: which command, its help, its run.
 */
#include "cli/cli.h"

#include "cli/args.h"

#define NOUN(n) extern const struct noun noun_##n;
#include "cli/nouns.def"
#undef NOUN

static const struct noun *const nouns[] = {
#define NOUN(n) &noun_##n,
#include "cli/nouns.def"
#undef NOUN
	NULL,
};

static bool is_help(const char *word)
{
	return word && (!strcmp(word, "--help") || !strcmp(word, "-h"));
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (is_help(argv[i]))
			return true;
	return false;
}

static void print_usage(FILE *to, const struct noun *n, const struct command *m)
{
	fprintf(to, "splitmail %s%s%s%s%s\n", n->name, *m->verb ? " " : "",
		m->verb, *m->usage ? " " : "", m->usage);
}

static void help_command(FILE *to, const struct noun *n,
			 const struct command *m)
{
	fputs("Usage: ", to);
	print_usage(to, n, m);
	fprintf(to, "\n%s\n", m->what);
	if (m->more)
		fprintf(to, "\n%s\n", m->more);
	fprintf(to, "\nExample:\n  %s\n\n"
		"Options of every command: --data DIR, --json, --help\n",
		m->example);
}

static void help_noun(FILE *to, const struct noun *n)
{
	fprintf(to, "splitmail %s: %s\n\n", n->name, n->what);
	for (size_t i = 0; i < n->n; i++) {
		fputs("  ", to);
		print_usage(to, n, &n->commands[i]);
	}
	fprintf(to, "\nExamples:\n");
	for (size_t i = 0; i < n->n; i++)
		fprintf(to, "  %s\n", n->commands[i].example);
}

void cli_help(FILE *to)
{
	for (const struct noun *const *n = nouns; *n; n++)
		for (size_t k = 0; k < (*n)->n; k++) {
			fputs("  ", to);
			print_usage(to, *n, &(*n)->commands[k]);
		}
}

static const struct noun *find_noun(const char *name)
{
	for (const struct noun *const *n = nouns; *n; n++)
		if (!strcmp((*n)->name, name))
			return *n;
	return NULL;
}

static const struct command *find_command(const struct noun *n,
					  const char *verb)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->commands[i].verb, verb))
			return &n->commands[i];
	return NULL;
}

static int unknown_verb(struct cli *c, const struct noun *n, const char *verb)
{
	char *known = arena_printf(c->arena, "%s", n->commands[0].verb);

	for (size_t i = 1; i < n->n; i++)
		known = arena_printf(c->arena, "%s, %s", known,
				     n->commands[i].verb);
	if (verb)
		return cli_usage(c, "splitmail %s knows no \"%s\", only %s.",
				 n->name, verb, known);
	return cli_usage(c, "splitmail %s needs one of %s.", n->name, known);
}

static int run_command(struct cli *c, const struct noun *n,
		       const struct command *m, int argc, char **argv)
{
	struct args *a;

	if (asks_help(argc, argv)) {
		help_command(c->out, n, m);
		return CLI_DONE;
	}
	a = args_parse(c->arena, m->usage, argc, argv);
	if (!a) {
		fprintf(c->err, "splitmail: %s\nUsage: ",
			cli_clean(c, cause()));
		print_usage(c->err, n, m);
		return CLI_USAGE;
	}
	return m->run(c, a);
}

static int run_noun(struct cli *c, int argc, char **argv)
{
	const struct noun *n = argc > 0 ? find_noun(argv[0]) : NULL;
	const struct command *m;

	if (!n)
		return cli_usage(c, "there is no command \"%s\".",
				 argc > 0 ? argv[0] : "");
	m = find_command(n, "");
	if (m)
		return run_command(c, n, m, argc - 1, argv + 1);
	if (is_help(argc > 1 ? argv[1] : NULL)) {
		help_noun(c->out, n);
		return CLI_DONE;
	}
	m = argc > 1 ? find_command(n, argv[1]) : NULL;
	if (!m)
		return unknown_verb(c, n, argc > 1 ? argv[1] : NULL);
	return run_command(c, n, m, argc - 2, argv + 2);
}

int cli_run(struct cli *c, int argc, char **argv)
{
	int status;

	c->arena = arena_open();
	status = run_noun(c, argc, argv);
	arena_close(c->arena);
	c->arena = NULL;
	if (fflush(c->out) != 0 && status == CLI_DONE)
		status = CLI_REFUSED;
	return status;
}

bool cli_globals(struct cli *c, int *argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < *argc; i++) {
		if (!strcmp(argv[i], "--")) {
			while (i < *argc)
				argv[kept++] = argv[i++];
			break;
		}
		if (!strcmp(argv[i], "--json")) {
			c->json = true;
		} else if (!strncmp(argv[i], "--data=", 7)) {
			c->data = argv[i] + 7;
		} else if (!strcmp(argv[i], "--data")) {
			if (++i == *argc)
				return fail("--data needs a folder.");
			c->data = argv[i];
		} else {
			argv[kept++] = argv[i];
		}
	}
	*argc = kept;
	return true;
}
