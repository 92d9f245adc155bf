/*
 * From argv to a noun's function: which command, its help, its run; and what
 * was perhaps meant.
 */
#include "cli/cli.h"

#include "cli/args.h"
#include "cli/guess.h"
#include "cli/help.h"

static bool is_help(const char *word)
{
	return word && (!strcmp(word, "--help") || !strcmp(word, "-h") ||
			!strcmp(word, "-?"));
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (is_help(argv[i]))
			return true;
	return false;
}

/* ---- no such command ---- */

/* "splitmail usr create" -> "user create" */
static const char *nearest_command(struct cli *c, const char *first,
				   const char *second)
{
	struct guesses g = guesses_begin(str_of(first));
	const struct noun *n;
	const char *near;

	for (const struct listed_noun *l = cli_nouns; l->noun || l->title; l++)
		if (l->noun)
			guesses_try(&g, l->noun->name);
	for (const struct process *p = c->processes; p && p->name; p++)
		if (!p->is_inner)
			guesses_try(&g, p->name);
	near = guesses_end(&g);
	n = near ? find_noun(near) : NULL;
	if (n && second && *second && find_command(n, second))
		return arena_printf(c->arena, "%s %s", near, second);
	return near;
}

static int no_command(struct cli *c, int argc, char **argv)
{
	const char *word = argc > 0 ? argv[0] : "";
	const char *second = argc > 1 ? argv[1] : NULL;
	struct meant meant = guess_command(word, second);

	if (!meant.command && !meant.sentence)
		meant.command = nearest_command(c, word, second);
	fprintf(c->err, "splitmail: there is no command \"%s\".",
		cli_clean(c, word));
	if (meant.sentence)
		fprintf(c->err, " %s\n", meant.sentence);
	else if (meant.command)
		fprintf(c->err, " Did you mean `splitmail %s`?\n",
			meant.command);
	else
		fprintf(c->err, " `splitmail --help` lists what there is.\n");
	return CLI_USAGE;
}

static const struct command *meant_verb(const struct noun *n, const char *verb)
{
	struct guesses g = guesses_begin(str_of(verb));
	const struct command *m;
	const char *ours;

	for (size_t i = 0; (ours = guess_verb(verb, i)); i++) {
		m = find_command(n, ours);
		if (m)
			return m;
	}
	for (size_t i = 0; i < n->n; i++)
		guesses_try(&g, n->commands[i].verb);
	if (guesses_end(&g))
		return find_command(n, guesses_end(&g));
	/* "splitmail user bob@example.org" */
	return strchr(verb, '@') ? find_command(n, "show") : NULL;
}

static int unknown_verb(struct cli *c, const struct noun *n, const char *verb)
{
	char *known = arena_printf(c->arena, "%s", n->commands[0].verb);
	const struct command *meant = verb ? meant_verb(n, verb) : NULL;

	for (size_t i = 1; i < n->n; i++)
		known = arena_printf(c->arena, "%s, %s", known,
				     n->commands[i].verb);
	if (!verb)
		fprintf(c->err,
			"splitmail: splitmail %s needs one of %s. "
			"`splitmail %s --help` says more.\n",
			n->name, known, n->name);
	else if (meant)
		fprintf(c->err,
			"splitmail: splitmail %s knows no \"%s\"; did "
			"you mean `splitmail %s %s`? There are %s.\n",
			n->name, cli_clean(c, verb), n->name, meant->verb,
			known);
	else
		fprintf(c->err,
			"splitmail: splitmail %s knows no \"%s\", "
			"only %s.\n",
			n->name, cli_clean(c, verb), known);
	return CLI_USAGE;
}

/* ---- help ---- */

/* help [COMMAND [VERB]] */
static int help(struct cli *c, int argc, char **argv)
{
	const struct process *p = argc > 0 ? find_process(c, argv[0]) : NULL;
	const struct noun *n = argc > 0 ? find_noun(argv[0]) : NULL;
	const struct command *m = NULL;

	if (argc == 0 || is_help(argv[0]) || !strcmp(argv[0], "help")) {
		cli_help(c, c->out);
		return CLI_DONE;
	}
	if (p) {
		cli_help_process(c->out, p);
		return CLI_DONE;
	}
	if (!n)
		return no_command(c, argc, argv);
	m = find_command(n, argc > 1 ? argv[1] : "");
	if (!m && argc > 2)
		m = find_command_of_two(n, argv[1], argv[2]);
	if (!m && argc > 1 && !is_help(argv[1]))
		return unknown_verb(c, n, argv[1]);
	if (m)
		help_command(c->out, n, m);
	else
		help_noun(c->out, n);
	return CLI_DONE;
}

/* ---- running ---- */

static int run_command(struct cli *c, const struct noun *n,
		       const struct command *m, int argc, char **argv)
{
	struct args *a;

	if (asks_help(argc, argv)) {
		help_command(c->out, n, m);
		return CLI_DONE;
	}
	a = args_parse(c->arena, m, argc, argv);
	if (!a) {
		fprintf(c->err, "splitmail: %s\n", cli_clean(c, cause()));
		help_usage(c->err, "Usage: ", n, m);
		return CLI_USAGE;
	}
	return m->run(c, a);
}

static int run_noun(struct cli *c, int argc, char **argv)
{
	const struct noun *n = argc > 0 ? find_noun(argv[0]) : NULL;
	const struct command *m;

	if (argc > 0 && (is_help(argv[0]) || !strcmp(argv[0], "help")))
		return help(c, argc - 1, argv + 1);
	if (!n)
		return no_command(c, argc, argv);
	m = find_command(n, "");
	if (m)
		return run_command(c, n, m, argc - 1, argv + 1);
	if (is_help(argc > 1 ? argv[1] : NULL)) {
		help_noun(c->out, n);
		return CLI_DONE;
	}
	m = argc > 1 ? find_command(n, argv[1]) : NULL;
	if (m)
		return run_command(c, n, m, argc - 2, argv + 2);
	m = argc > 2 ? find_command_of_two(n, argv[1], argv[2]) : NULL;
	if (m)
		return run_command(c, n, m, argc - 3, argv + 3);
	return unknown_verb(c, n, argc > 1 ? argv[1] : NULL);
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
		} else if (!strcmp(argv[i], "--yes")) {
			c->yes = true;
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
	if (kept < *argc)
		argv[kept] = NULL;
	*argc = kept;
	return true;
}
