/*
 * dovecot.conf for Dovecot 2.3.
 *
 * Everything runs as one ordinary user: no chroot, no login user of its own.
 * A reload leaves open sessions alone (shutdown_clients): LMTP would say 421
 * to mail that it has just put into the mailbox, and it would come twice.
 * Sieve's redirect and vacation leave through `splitmail sendmail`, which
 * speaks to the engine on a Unix socket.
 */
#include "main/dovecot.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char general[] =
	"base_dir = %1$s/dovecot/run\n"
	"state_dir = %1$s/dovecot/state\n"
	"instance_name = splitmail\n"
	"hostname = %10$s\n"
	"shutdown_clients = no\n"
	"log_path = /dev/stderr\n"
	"protocols = imap pop3 lmtp sieve\n"
	"listen = %2$s\n"
	"default_internal_user = %3$s\n"
	"default_internal_group = %4$s\n"
	"default_login_user = %3$s\n"
	"first_valid_uid = %5$u\n"
	"first_valid_gid = %6$u\n"
	"mail_uid = %5$u\n"
	"mail_gid = %6$u\n"
	"mail_home = %1$s/mail/none\n"
	"mail_location = maildir:~/Maildir\n"
	"mail_plugins = quota\n"
	"ssl = yes\n"
	"ssl_cert = <%7$s\n"
	"ssl_key = <%8$s\n"
	"ssl_min_protocol = TLSv1.2\n"
	"disable_plaintext_auth = %9$s\n"
	"auth_mechanisms = plain login\n"
	"auth_username_format = %%Lu\n"
	"auth_username_chars =\n"	/* o'brien; queries escape */
	"auth_cache_size = 0\n"
	"auth_verbose = yes\n"
	"auth_worker_max_count = 8\n"
	"recipient_delimiter = +\n"
	"mail_max_userip_connections = 50\n"
	"lmtp_hdr_delivery_address = original\n"
	"quota_full_tempfail = yes\n"
	"submission_host =\n"
	"sendmail_path = %1$s/dovecot/sendmail\n"
	"passdb {\n\tdriver = sql\n\targs = %1$s/dovecot/sql.conf\n}\n"
	"userdb {\n\tdriver = sql\n\targs = %1$s/dovecot/sql.conf\n}\n"
	"plugin {\n"
	"\tquota = count:User quota\n"
	"\tquota_vsizes = yes\n"
	"\tsieve = file:~/sieve;active=~/.dovecot.sieve\n"
	"\tsieve_redirect_envelope_from = orig_recipient\n"
	"}\n"
	"protocol imap {\n\tmail_plugins = quota imap_quota\n}\n"
	"protocol lmtp {\n\tmail_plugins = quota sieve\n}\n"
	"namespace inbox {\n"
	"\tinbox = yes\n"
	"\tmailbox Drafts {\n\t\tspecial_use = \\Drafts\n\t}\n"
	"\tmailbox Junk {\n\t\tspecial_use = \\Junk\n\t}\n"
	"\tmailbox Sent {\n\t\tspecial_use = \\Sent\n\t}\n"
	"\tmailbox Trash {\n\t\tspecial_use = \\Trash\n\t}\n"
	"}\n";

static const char services[] =
	"service anvil {\n\tchroot =\n\tclient_limit = 8192\n}\n"
	"service stats {\n\tchroot =\n}\n"
	"service lmtp {\n\tunix_listener lmtp {\n\t\tmode = 0600\n\t}\n"
	/* Sieve's sendmail inherits the limit and is as large as the engine. */
	"\tvsz_limit = 0\n"
	"\tclient_limit = 1\n\tprocess_min_avail = 2\n\tservice_count = 0\n}\n"
	"service auth {\n\tunix_listener auth-client {\n\t\tmode = 0600\n\t}\n"
	"\tunix_listener auth-userdb {\n\t\tmode = 0600\n\t}\n}\n"
	"service auth-worker {\n\tuser = %1$s\n}\n"
	/* A process for each open TLS session would end at 100 sessions. */
	"service imap-login {\n\tchroot =\n\tservice_count = 0\n"
	"\tinet_listener imap {\n\t\tport = %2$u\n\t}\n"
	"\tinet_listener imaps {\n\t\tport = %3$u\n\t\tssl = yes\n\t}\n}\n"
	"service imap {\n\tprocess_limit = 4096\n}\n"
	"service pop3-login {\n\tchroot =\n\tservice_count = 0\n"
	"\tinet_listener pop3 {\n\t\tport = %4$u\n\t}\n"
	"\tinet_listener pop3s {\n\t\tport = %5$u\n\t\tssl = yes\n\t}\n}\n"
	"service managesieve-login {\n\tchroot =\n\tservice_count = 0\n"
	"\tinet_listener sieve {\n\t\tport = %6$u\n\t}\n}\n";

static const char sql[] =
	"driver = sqlite\n"
	"connect = %1$s/directory.db\n"
	"password_query = SELECT user, password FROM dovecot_password "
	"WHERE user = '%%u'\n"
	"user_query = SELECT '%1$s/mail/' || id AS home, quota_rule "
	"FROM dovecot_mailbox WHERE user = '%%u'\n"
	"iterate_query = SELECT user FROM dovecot_mailbox\n";

const char *dovecot_lmtp_path(const struct config *c)
{
	return config_path(c, "dovecot/run/lmtp");
}

const char *dovecot_auth_path(const struct config *c)
{
	return config_path(c, "dovecot/run/auth-client");
}

const char *dovecot_config_path(const struct config *c)
{
	return config_path(c, "dovecot/dovecot.conf");
}

/* Others see the names in it; what lies there is its owner's alone, and the
 * data folder above is closed.  Dovecot insists on it for its sockets. */
static bool make_folder(const char *path, unsigned uid, unsigned gid)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return fail("create folder %s: %m", path);
	if (geteuid() == 0 && chown(path, uid, gid) != 0)
		return fail("give folder %s to user %u: %m", path, uid);
	return true;
}

/* Open PATH anew, for its owner only. */
static FILE *create_file(const char *path, mode_t mode, unsigned uid,
			 unsigned gid)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "wxe");
	if (!f) {
		fail("create %s: %m", path);
		return NULL;
	}
	if (fchmod(fileno(f), mode) != 0 ||
	    (geteuid() == 0 && fchown(fileno(f), uid, gid) != 0)) {
		fail("set owner of %s: %m", path);
		fclose(f);
		return NULL;
	}
	return f;
}

static bool close_file(FILE *f, const char *path)
{
	bool failed = ferror(f);

	if (fclose(f) != 0 || failed)
		return fail("write %s: %m", path);
	return true;
}

static bool write_main(const struct config *c, unsigned uid, unsigned gid)
{
	const char *path = dovecot_config_path(c);
	FILE *f = create_file(path, 0600, uid, gid);
	struct passwd *user = getpwuid(uid);
	struct group *group = getgrgid(gid);

	if (!f)
		return false;
	if (!user || !group) {
		fclose(f);
		return fail("user %u or group %u has no name", uid, gid);
	}
	fprintf(f, general, c->data,
		strcmp(c->dovecot_address, "*") == 0 ? "*, ::"
						     : c->dovecot_address,
		user->pw_name, group->gr_name, uid, gid, c->certificate,
		c->key, c->auth_without_tls ? "no" : "yes", c->hostname);
	fprintf(f, services, user->pw_name, c->imap, c->imaps, c->pop3,
		c->pop3s, c->sieve);
	return close_file(f, path);
}

static bool write_sql(const struct config *c, unsigned uid, unsigned gid)
{
	const char *path = config_path(c, "dovecot/sql.conf");
	FILE *f = create_file(path, 0600, uid, gid);

	if (!f)
		return false;
	fprintf(f, sql, c->data);
	return close_file(f, path);
}

/* Dovecot splits sendmail_path at spaces and takes no quotes: a script of two
 * lines holds the arguments. */
static bool write_sendmail(const struct config *c, const char *splitmail,
			   unsigned uid, unsigned gid)
{
	const char *path = config_path(c, "dovecot/sendmail");
	FILE *f = create_file(path, 0700, uid, gid);

	if (!f)
		return false;
	fprintf(f, "#!/bin/sh\nexec '%s' --data '%s' sendmail \"$@\"\n",
		splitmail, c->data);
	return close_file(f, path);
}

bool dovecot_takes_folder(const char *data)
{
	static const char longest[] = "/dovecot/run/token-login/imap-urlauth";
	size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) -
		      sizeof(longest);

	if (strpbrk(data, " '\"\\%$#"))
		return fail("the data folder's path \"%s\" has a space or a "
			    "quote, which Dovecot cannot take", data);
	return strlen(data) <= most ||
	       fail("the data folder's path \"%s\" is longer than %zu bytes: "
		    "the sockets in it could not be opened", data, most);
}

bool dovecot_write(const struct config *c, const char *splitmail, unsigned uid,
		   unsigned gid)
{
	static const char *const folders[] = {
		"dovecot", "dovecot/run", "dovecot/state", "mail", "run",
	};

	if (!dovecot_takes_folder(c->data))
		return false;
	for (size_t i = 0; i < array_size(folders); i++)
		if (!make_folder(config_path(c, folders[i]), uid, gid))
			return false;
	return write_main(c, uid, gid) && write_sql(c, uid, gid) &&
	       write_sendmail(c, splitmail, uid, gid);
}

/* "4711 (dovecot) S ...": alive unless the state is Z. */
static bool is_living_dovecot(int pid)
{
	char path[64], name[32] = "", state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%31[^)]) %c", name, &state) != 2)
		state = 'Z';
	fclose(f);
	return state != 'Z' && strcmp(name, "dovecot") == 0;
}

bool dovecot_end_left(const struct config *c)
{
	const char *path = config_path(c, "dovecot/run/master.pid");
	FILE *f = fopen(path, "re");
	int pid = 0;

	if (!f)
		return false;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	if (pid > 0 && is_living_dovecot(pid)) {
		kill(pid, SIGTERM);
		return true;
	}
	unlink(path);
	return false;
}
