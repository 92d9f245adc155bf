/*
 * splitmail: one binary, one subcommand each.
 *
 * The processes of a running server are in the table below; everything else is
 * a noun of the command line (cli/).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "main/main.h"

static const struct process_command {
	const char *name;
	int (*main)(const struct call *c);
	const char *usage, *what, *example;
} commands[] = {
	{ "init", init_main,
	  "[--hostname H] [--bind ADDR] [--port-base N] [--user U] "
	  "[--admin-password-stdin]",
	  "Make a data folder: configuration, directory, certificate. Prints "
	  "the password of admin0, the superadministrator.",
	  "splitmail --data /srv/mail init --hostname mx.example.org" },
	{ "serve", serve_main, "",
	  "Run everything in the foreground until SIGTERM. Prints \"ready\" "
	  "when every listener accepts; SIGHUP reloads certificates.",
	  "splitmail serve" },
	{ "sendmail", sendmail_main, "[-i] [-f SENDER] [--] RECIPIENT...",
	  "Send the message on standard input, as other sendmails do.",
	  "splitmail sendmail -f a@example.org b@example.org < message" },
	{ "engine", engine_main, "[--ready-fd N]",
	  "The data plane; `serve` starts it.", "splitmail serve" },
	{ "console", console_main, "[--ready-fd N]",
	  "The HTTP API and the web pages; `serve` starts it.",
	  "splitmail serve" },
	{ "as-user", as_user_main, "USER PROGRAM...",
	  "Become a user and run a program; `serve` uses it.",
	  "splitmail serve" },
};

int call_fail(int status, const char *format, ...)
{
	va_list args;

	fputs("splitmail: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

const char *call_option(const struct call *c, const char *name)
{
	size_t n = strlen(name);

	for (int i = 1; i < c->argc; i++) {
		const char *a = c->argv[i];

		if (strncmp(a, "--", 2) != 0 || strncmp(a + 2, name, n) != 0)
			continue;
		if (a[2 + n] == '=')
			return a + 3 + n;
		if (a[2 + n] == 0)
			return i + 1 < c->argc ? c->argv[i + 1] : "";
	}
	return NULL;
}

static int print_help(FILE *to)
{
	fputs("Splitmail: one mail domain on several mail systems.\n\n"
	      "Usage: splitmail [--data DIR] [--json] COMMAND ...\n\n", to);
	for (size_t i = 0; i < array_size(commands); i++)
		fprintf(to, "  splitmail %s %s\n", commands[i].name,
			commands[i].usage);
	cli_help(to);
	fputs("\n--data DIR, or SPLITMAIL_DATA, is the data folder; without "
	      "it /var/lib/splitmail.\nEvery command has --help with an "
	      "example.\n", to);
	return 0;
}

static int print_command_help(const struct process_command *p)
{
	printf("Usage: splitmail %s %s\n\n%s\n\nExample:\n  %s\n", p->name,
	       p->usage, p->what, p->example);
	return 0;
}

static int run_process(const struct process_command *p, const struct call *c)
{
	if (p->main != as_user_main)
		for (int i = 1; i < c->argc; i++)
			if (strcmp(c->argv[i], "--help") == 0)
				return print_command_help(p);
	return p->main(c);
}

static const char *own_path(const char *argv0)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return argv0;
	path[n] = 0;
	return path;
}

/* The words behind as-user are another program's: no global option of ours
 * may be taken out of them. */
static int is_as_user(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "as-user") == 0;
}

int main(int argc, char **argv)
{
	const char *data = getenv("SPLITMAIL_DATA");
	struct cli cli = {
		.data = data && *data ? data : "/var/lib/splitmail",
		.in = stdin, .out = stdout, .err = stderr,
	};
	struct call call = { .self = own_path(argv[0]) };

	if (!is_as_user(argc, argv) && !cli_globals(&cli, &argc, argv))
		return call_fail(2, "%s", cause());
	if (argc < 2)
		return print_help(stderr) + 2;
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return print_help(stdout);
	if (!strcmp(argv[1], "--version"))
		return printf("splitmail " SPLITMAIL_VERSION "\n") < 0;
	call.data = cli.data;
	call.json = cli.json;
	call.argc = argc - 1;
	call.argv = argv + 1;
	for (size_t i = 0; i < array_size(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return run_process(&commands[i], &call);
	return cli_run(&cli, argc - 1, argv + 1);
}
