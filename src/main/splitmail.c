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
	{ "init",
	  "[--hostname H] [--bind ADDR] [--port-base N] [--user U] "
	  "[--mailbox-format maildir|mdbox] [--admin-password-stdin]",
	  "Make a data folder: configuration, directory, certificate. Prints "
	  "the password of admin0, the superadministrator. Mailboxes are kept "
	  "as maildir, a file for each message, or as mdbox, which is faster "
	  "and for Dovecot's eyes only; that is decided here, for good.",
	  "splitmail --data /srv/mail init --hostname mx.example.org",
	  init_main,
	  .more = "With --port-base 20000 the ports are 20025 (SMTP), 20587 and 20465 "
		  "(submission), 20143 and 20993 (IMAP), 20110 and 20995 (POP3), 24190 "
		  "(ManageSieve) and 20080 (console)." },
	{ "serve", "",
	  "Run everything in the foreground until SIGTERM. Prints \"ready\" "
	  "when every listener accepts. Certificates are read again when they "
	  "change; SIGHUP does so at once.",
	  "splitmail serve", serve_main,
	  .more = "Under systemd (Type=notify) it says when it is ready, reloads or stops, "
		  "how it is (`systemctl status`) and, with WatchdogSec=, that the engine "
		  "answers." },
	{ "backup", "[verify] FOLDER [--no-mail] [--no-queue] [--hash]",
	  "Copy the directory, the queue, the mailboxes, splitmail.conf and tls/ "
	  "into a new folder, while Splitmail runs or not; or look whether such a "
	  "copy is whole.",
	  "splitmail backup /srv/backup/$(date +%F)", backup_main,
	  .more = "The directory and the queue are as of one moment, and so is each "
		  "mailbox. On the file system of the data folder messages are linked, "
		  "which costs no room; elsewhere they are copied. manifest.json says "
		  "what is in it, `files` has the size and hash of each file.\n"
		  "  --no-mail   without mailboxes, for who copies mail/ otherwise, "
		  "after this\n"
		  "  --no-queue  without what waits\n"
		  "  --hash      messages that are linked are read and hashed, too; with "
		  "verify: compared\n"
		  "The secrets are in it: keep it closed. Exit status 1 of verify: "
		  "something is wrong, and said." },
	{ "restore",
	  "FOLDER [--queue hold|drop|send] [--new-node] "
	  "[--user ADDRESS]",
	  "Make a new data folder of a backup; or bring one user's mailbox of then "
	  "into a folder of today's.",
	  "splitmail --data /var/lib/splitmail restore /srv/backup/2030-01-31",
	  restore_main,
	  .more = "One that was interrupted is repeated: it goes on. `serve` does not "
		  "start before it has ended.\n"
		  "  --queue     what waited then is held (so by itself), left out, or "
		  "sent: since the backup it may have been sent already\n"
		  "  --new-node  the server that the backup was made of runs on: this "
		  "one is to be another\n"
		  "  --user      into the mailbox of ADDRESS, which stays as it is; the "
		  "folder is called \"Restored\" and when the backup was made" },
	{ "convert", "",
	  "Put mailboxes that an earlier version made in order, once, while "
	  "Splitmail is stopped: `serve` says when that is needed.",
	  "splitmail convert", convert_main,
	  .more = "Folders are renamed; no mail is copied and nothing is lost when it is "
		  "interrupted. The separator of folders is \"/\" then: Sieve scripts "
		  "that file into \"A.B\" have to say \"A/B\"." },
	{ "sendmail", "[-t] [-i] [-f SENDER] [-F NAME] [--] [RECIPIENT]...",
	  "Send the message on standard input, as other sendmails do. Every user "
	  "may.",
	  "splitmail sendmail -f a@example.org b@example.org < message",
	  sendmail_main,
	  .more = "  -f  the sender; without it whoever calls, at this host's name\n"
		  "  -F  his full name, for a From that is missing\n"
		  "  -t  recipients are taken from To, Cc and Bcc, and Bcc is removed;\n"
		  "      a RECIPIENT who is named besides does not get it\n"
		  "  -i  a line with a dot alone does not end the message (also -oi)\n"
		  "  -N, -R, -V  what a report of delivery is wanted for (DSN)\n"
		  "  -oem  what is refused goes to the sender as mail, too; what nobody\n"
		  "      takes is put into the caller's dead.letter\n"
		  "  -bs  speak SMTP on standard input and output\n"
		  "  -bv  send nothing; say whether each RECIPIENT would be taken\n"
		  "  -bp  is mailq: what waits, for every user unless splitmail.conf's\n"
		  "      sendmail block says mailq_for_all = false\n"
		  "  -q  is `splitmail queue retry`, for root\n"
		  "  -bi  is newaliases: what is wrong with /etc/aliases\n"
		  "Other options of other sendmails are taken and ignored. A name "
		  "without a domain gets this host's: it goes where /etc/aliases (or "
		  "the file that splitmail.conf's sendmail block names) says, root "
		  "without a word there to the postmaster. "
		  "When the program is called sendmail, mailq or newaliases (by a "
		  "link), it is that. It calls the socket that splitmail.conf's "
		  "sendmail block names, /run/splitmail/submit for the usual data "
		  "folder, or the one in SPLITMAIL_SOCKET; for a server that is not "
		  "there it waits for 20 seconds.\n"
		  "Exit status, as in sysexits.h: 0 sent, 64 usage, 65 no address, 67 "
		  "nobody has the address, 69 refused, 75 try again, 77 not allowed." },
	{ "engine", "[--ready-fd N]", "The data plane; `serve` starts it.",
	  "splitmail serve", engine_main, true },
	{ "console", "[--ready-fd N]",
	  "The HTTP API and the web pages; `serve` starts it.",
	  "splitmail serve", console_main, true },
	{ "as-user", "USER PROGRAM...",
	  "Become a user and run a program; `serve` uses it.",
	  "splitmail serve", as_user_main, true },
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

	if (!c)
		c = config_read(data);
	if (!c)
		return NULL;
	server = (struct cli_server){
		.hostname = str_of(c->hostname),
		.aliases = aliases_read(c->aliases, c->arena),
		.dns = { .servers = (const char *const *)c->dns_servers,
			 .dnssec = c->dnssec,
			 .hosts_file = c->dns_hosts },
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
		.data = data && *data ? data : "/var/lib/splitmail",
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
