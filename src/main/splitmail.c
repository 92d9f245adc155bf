/*
 * splitmail: one binary, one subcommand each.
 *
 * The processes of a running server are in the table below; everything else is
 * a noun of the command line (cli/).
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "main/aliases.h"
#include "main/main.h"

static const struct process processes[] = {
#define RUN(function) function
#include "main/processes.def"
#undef RUN
	{ 0 },
};

/* Is help asked for?  The words of as-user are another program's, those of
 * sendmail are recipients behind the first. */
static bool asks_help(const struct process *p, const struct call *c)
{
	int last = p->main == as_user_main || p->main == sendmail_main
			   ? 2
			   : c->argc;

	for (int i = 1; i < last && i < c->argc; i++)
		if (!strcmp(c->argv[i], "--help") ||
		    (!strcmp(c->argv[i], "-h") && p->main != sendmail_main))
			return true;
	return false;
}

static struct cli cli;

/* What is misspelt must not be taken for nothing: "init --hostnam".  What
 * `serve` starts gets what `serve` says. */
static bool fits(const struct process *p, const struct call *c)
{
	return p->is_inner || p->main == sendmail_main ||
	       cli_fits_process(&cli, p, c->argc - 1, c->argv + 1);
}

static int run_process(const struct process *p, const struct call *c)
{
	if (asks_help(p, c)) {
		cli_help_process(stdout, p);
		return 0;
	}
	return fits(p, c) ? p->main(c) : 2;
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

static bool is_version(const char *word)
{
	static const char *const words[] = { "--version", "-V", "-v",
					     "version" };

	for (size_t i = 0; i < array_size(words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* The words behind as-user are another program's, those behind sendmail are as
 * every sendmail has them: no global option of ours may be taken out. */
static bool has_own_options(int argc, char **argv)
{
	return argc > 1 &&
	       (!strcmp(argv[1], "as-user") || !strcmp(argv[1], "sendmail"));
}

/* Installed by a link, for those who call a mail server by the names that all
 * have. */
static bool is_called(char **argv, const char *name)
{
	const char *slash = strrchr(argv[0], '/');

	return !strcmp(slash ? slash + 1 : argv[0], name);
}

static const struct cli_server *read_server(const char *data)
{
	static struct cli_server server;
	static struct config *c; /* for the rest of the process */
	static struct texts listeners;
	static struct publish_server published;

	if (!c)
		c = config_read(data);
	if (!c)
		return NULL;
	listeners = config_listeners(c);
	published = config_published(c);
	server = (struct cli_server){
		.hostname = str_of(c->hostname),
		.listeners = &listeners,
		.aliases = aliases_read(c->aliases, c->arena),
		.dns = { .servers = (const char *const *)c->dns_servers,
			 .dnssec = c->dnssec,
			 .trust_anchor = c->dns_trust_anchor,
			 .hosts_file = c->dns_hosts },
		.published = &published,
	};
	return &server;
}

#ifdef __SANITIZE_ADDRESS__
/* What a sanitizer finds is a fault like any other: it ends by a signal. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}
#endif

static int run_command(char **words)
{
	int n = 0;

	while (words[n])
		n++;
	return cli_run(&cli, n, words);
}

int main(int argc, char **argv)
{
	const char *data = getenv("SPLITMAIL_DATA");
	struct call call = { .self = own_path(argv[0]),
			     .command = run_command };

	cli = (struct cli){
		.data = data && *data ? data : USUAL_DATA,
		.server = read_server,
		.processes = processes,
		.in = stdin,
		.out = stdout,
		.err = stderr,
	};
	call.data = cli.data;
	call.argc = argc;
	call.argv = argv;
	if (is_called(argv, "newaliases"))
		return newaliases_main(&call);
	if (is_called(argv, "sendmail"))
		return sendmail_main(&call);
	if (is_called(argv, "mailq"))
		return mailq_main(&call);
	if (!has_own_options(argc, argv) && !cli_globals(&cli, &argc, argv))
		return call_fail(2, "%s", cause());
	if (argc < 2) {
		cli_help(&cli, stderr);
		return 2;
	}
	if (is_version(argv[1]))
		return printf("splitmail " SPLITMAIL_VERSION "\n") < 0;
	call.data = cli.data;
	call.json = cli.json;
	call.argc = argc - 1;
	call.argv = argv + 1;
	for (const struct process *p = processes; p->name; p++)
		if (!strcmp(argv[1], p->name))
			return run_process(p, &call);
	return cli_run(&cli, argc - 1, argv + 1);
}
