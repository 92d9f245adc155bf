/*
 * splitmail init: a data folder from nothing.
 *
 *	DIR/splitmail.conf	what is needed before the directory
 *	DIR/directory.db	domains, users, addresses, systems, admin0
 *	DIR/tls/		self-signed certificate and key; others go into
 *				certificates/
 *	DIR/mail/ spool/ run/	mailboxes, large bodies, sockets
 *
 * As root it makes the system user and gives it the folder; the folder and
 * all above it have to be searchable for that user.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "directory/database.h"
#include "directory/password.h"
#include "main/dovecot.h"
#include "main/mailbox_format.h"
#include "main/main.h"
#include "rt/privileges.h"
#include "rt/random.h"
#include "rt/tls.h"

#define USERADD "/usr/sbin/useradd"

enum { PASSWORD_CHARS = 20, PASSWORD_MAX = 512 };

struct plan {
	struct config_plan config;
	bool has_format;
	enum mailbox_format format; /* as it was asked for */
	struct person person;
	struct arena *arena;
	const char *data, *password;
};

static bool run_useradd(const char *name)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return fail("fork: %m");
	if (pid == 0) {
		execl(USERADD, USERADD, "--system", "--user-group",
		      "--no-create-home", "--home-dir", "/nonexistent",
		      "--shell", "/usr/sbin/nologin", name, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return fail("%s --system %s failed", USERADD, name);
	return true;
}

/*
 * One init at a time: a useradd that runs beside another one replaces the user
 * that was made a moment ago by one with another number.  What is locked is
 * the program itself, which is there whenever it is needed.
 */
static bool find_or_make(const char *name, struct person *out)
{
	int lock = open(USERADD, O_RDONLY | O_CLOEXEC);
	bool good;

	if (lock >= 0 && flock(lock, LOCK_EX) != 0)
		good = fail("lock %s: %m", USERADD);
	else
		good = person_find(name, out) ||
		       (run_useradd(name) && person_find(name, out));
	if (lock >= 0)
		close(lock);
	return good;
}

static bool choose_person(struct plan *p)
{
	if (geteuid() != 0) {
		p->config.user = NULL;
		return person_find("", &p->person);
	}
	if (!p->config.user)
		p->config.user = "splitmail";
	if (!find_or_make(p->config.user, &p->person))
		return false;
	return p->person.uid != 0 ||
	       fail("--user %s: mail is not handled as root; name another "
		    "user",
		    p->config.user);
}

static bool give(const struct plan *p, const char *name)
{
	const char *path = arena_printf(p->arena, "%s/%s", p->data, name);

	if (geteuid() != 0)
		return true;
	if (lchown(path, p->person.uid, p->person.gid) != 0 && errno != ENOENT)
		return fail("give %s to user %s: %m", path, p->person.name);
	return true;
}

static bool make_folder(const struct plan *p, const char *name)
{
	const char *path = arena_printf(p->arena, "%s/%s", p->data, name);

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail("create folder %s: %m", path);
	return give(p, name);
}

static const char *in_data(const struct plan *p, const char *name)
{
	return arena_printf(p->arena, "%s/%s", p->data, name);
}

static bool make_certificate(const struct plan *p)
{
	return make_folder(p, "tls") && make_folder(p, "tls/certificates") &&
	       tls_self_signed(p->config.hostname, in_data(p, "tls/cert.pem"),
			       in_data(p, "tls/key.pem")) &&
	       give(p, "tls/cert.pem") && give(p, "tls/key.pem");
}

static bool make_directory(const struct plan *p)
{
	return directory_create(in_data(p, "directory.db"),
				str_of(p->password)) &&
	       give(p, "directory.db") && give(p, "directory.db-wal") &&
	       give(p, "directory.db-shm");
}

/* An old mail/ that was copied here keeps its own. */
static bool note_format(const struct plan *p)
{
	const char *mail = in_data(p, "mail");
	enum mailbox_format is = MAILBOX_MAILDIR;

	switch (mailbox_format_find(mail, &is)) {
	case FORMAT_EMPTY:
		return mailbox_format_note(mail,
					   p->has_format ? p->format : is);
	case FORMAT_NOTED:
	case FORMAT_OLD:
		return !p->has_format || is == p->format ||
		       fail("--mailbox-format %s: the mailboxes that lie in %s "
			    "are kept as %s, and stay so",
			    mailbox_format_name(p->format), mail,
			    mailbox_format_name(is));
	case FORMAT_TROUBLE:
		break;
	}
	return false;
}

static bool make_all(const struct plan *p)
{
	static const char *const folders[] = { "spool", "run" };

	if (!dovecot_takes_folder(p->data))
		return false;
	if (mkdir(p->data, 0700) != 0 && errno != EEXIST)
		return fail("create folder %s: %m", p->data);
	if (!person_reaches(&p->person, p->data) || !give(p, "") ||
	    !make_folder(p, "mail") || !note_format(p) ||
	    !config_write(p->data, &p->config) || !give(p, "splitmail.conf"))
		return false;
	for (size_t i = 0; i < array_size(folders); i++)
		if (!make_folder(p, folders[i]))
			return false;
	return make_certificate(p) && make_directory(p);
}

static bool choose_password(struct plan *p, const struct call *c)
{
	char *password = arena_alloc(p->arena, PASSWORD_MAX);

	if (!call_option(c, "admin-password-stdin")) {
		random_name(password, PASSWORD_CHARS);
	} else {
		if (!fgets(password, PASSWORD_MAX, stdin))
			return fail("no password on standard input");
		password[strcspn(password, "\r\n")] = 0;
		if (password_characters(str_of(password)) < PASSWORD_LEAST)
			return fail("admin0's password has at least %d "
				    "characters",
				    PASSWORD_LEAST);
	}
	p->password = password;
	return true;
}

static bool choose_ports(struct plan *p, const struct call *c)
{
	const char *base = call_option(c, "port-base");
	uint64_t n = 0;
	struct inet unused;

	if (base && !str_number(str_of(base), 60000, &n))
		return fail("--port-base %s: has to be a number up to 60000",
			    base);
	p->config.port_base = (unsigned)n;
	p->config.bind = call_option(c, "bind");
	if (p->config.bind &&
	    !inet_parse_ip(str_of(p->config.bind), 0, &unused))
		return fail("--bind %s: is no IP address", p->config.bind);
	return true;
}

/* What other servers can look up (RFC 5321 2.3.5): qualified, a host's, and not
 * every machine's name for itself. */
static bool is_known_outside(struct str name)
{
	return str_find(name, '.') >= 0 && str_find(name, '_') < 0 &&
	       !str_ends(name, S(".localhost")) &&
	       !str_ends(name, S(".localdomain")) &&
	       !str_starts(name, S("localhost."));
}

/* This machine's name as /etc/hosts or the DNS has it in full. */
static const char *own_name(struct arena *arena)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME,
				  .ai_socktype = SOCK_STREAM },
			*found;
	char own[HOST_NAME_MAX + 1] = "";
	const char *full;

	if (gethostname(own, HOST_NAME_MAX) != 0)
		own[0] = '\0';
	full = arena_cstr(arena, str_of(own));
	if (strchr(own, '.') || getaddrinfo(own, NULL, &hints, &found) != 0)
		return full;
	if (found->ai_canonname && strchr(found->ai_canonname, '.'))
		full = arena_cstr(arena, str_of(found->ai_canonname));
	freeaddrinfo(found);
	return full;
}

static bool choose_format(struct plan *p, const struct call *c)
{
	const char *given = call_option(c, "mailbox-format");

	p->has_format = given;
	return !given || mailbox_format_parse(str_of(given), &p->format) ||
	       add_cause("--mailbox-format");
}

static bool choose_hostname(struct plan *p, const struct call *c)
{
	const char *given = call_option(c, "hostname");
	const char *said = given ? given : own_name(p->arena);
	struct str name;

	if (!given && (!domain_parse(str_of(said), p->arena, &name) ||
		       !is_known_outside(name)))
		return fail("this machine calls itself \"%s\", which no other "
			    "server can look up; give the name it has in the "
			    "DNS, such as --hostname mail.example.org",
			    said);
	if (!domain_parse(str_of(said), p->arena, &name))
		return add_cause("--hostname");
	if (!is_known_outside(name))
		return fail("--hostname %s: no other server can look this up; "
			    "give the full name this machine has in the DNS, "
			    "letters, digits and hyphens with dots between, "
			    "such as mail.example.org",
			    said);
	p->config.hostname = arena_cstr(p->arena, name);
	return true;
}

static void say_json(const struct plan *p, bool asked)
{
	json_t *said = json_pack("{s:s, s:s, s:s, s:s}", "data", p->data,
				 "hostname", p->config.hostname, "console",
				 config_console_url(&p->config, p->arena),
				 "admin", "admin0");

	if (!asked)
		json_object_set_new(said, "password", json_string(p->password));
	json_dumpf(said, stdout, 0);
	putchar('\n');
	json_decref(said);
}

/* Of a console that is on this machine alone: how it is seen from another. */
static void say_tunnel(const struct plan *p, struct str console)
{
	struct str at = str_from(console, strlen("http://"));
	struct str port = str_from(at, (size_t)str_find_last(at, ':') + 1);

	printf("From afar:    ssh -L %.*s:%.*s %s, then the same\n", STR(port),
	       STR(at), p->config.hostname);
}

static void say_text(const struct plan *p, bool asked)
{
	const char *console = config_console_url(&p->config, p->arena);

	printf("%s is ready. The superadministrator is admin0%s%s\n", p->data,
	       asked ? "." : ", password ", asked ? "" : p->password);
	printf("Start it:     %s\n", begin_serve(p->data, p->arena));
	printf("The console:  %s/\n", console);
	if (str_starts(str_of(console), S("http://")))
		say_tunnel(p, str_of(console));
	printf("The manual:   %s/help/\n", console);
}

static int say_done(const struct call *c, const struct plan *p)
{
	bool asked = call_option(c, "admin-password-stdin");

	if (c->json)
		say_json(p, asked);
	else
		say_text(p, asked);
	return 0;
}

int init_main(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct plan p = { .arena = arena, .data = c->data };

	p.config.user = call_option(c, "user");
	umask(0077);
	if (!choose_hostname(&p, c) || !choose_ports(&p, c) ||
	    !choose_format(&p, c))
		return call_fail(2, "init: %s", cause());
	p.config.is_the_one =
		geteuid() == 0 && !p.config.bind && !p.config.port_base;
	if (!choose_password(&p, c) || !choose_person(&p) || !make_all(&p))
		return call_fail(1, "init: %s", cause());
	return say_done(c, &p);
}
