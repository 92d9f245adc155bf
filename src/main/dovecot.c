/*
 * The private Dovecot's files: which version there is, its configuration
 * (dovecot_conf.h), the folders it lives in.
 */
#include "main/dovecot.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "main/certificate.h"
#include "main/owned.h"
#include "rt/folder.h"
#include "rt/process.h"
#include "rt/stream.h"

#define DOVECOT_LDA "/usr/lib/dovecot/dovecot-lda"

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

/* "2.3.19.1 (9b53102964)", "2.4.1-4 (7d8c0e5759)": what counts is "2.3". */
bool dovecot_understand_version(struct str said, enum dovecot_version *out)
{
	struct str line, version, rest, major, minor;

	str_split(&said, '\n', &line);
	str_split(&line, ' ', &version);
	rest = version;
	if (!str_split(&rest, '.', &major) || !str_split(&rest, '.', &minor))
		return fail("\"%.*s\" is no version of Dovecot", STR(version));
	if (str_same(major, S("2")) && str_same(minor, S("3")))
		*out = DOVECOT_2_3;
	else if (str_same(major, S("2")) && str_same(minor, S("4")))
		*out = DOVECOT_2_4;
	else
		return fail("Dovecot %.*s is not known here: Splitmail writes "
			    "the configuration of Dovecot 2.3 and 2.4",
			    STR(version));
	return true;
}

/* Anybody's, for who has no name himself. */
static const char *other_user(void)
{
	struct passwd *p;

	setpwent();
	while ((p = getpwent()) && p->pw_uid == 0)
		;
	return p ? p->pw_name : "";
}

static const char *other_group(void)
{
	struct group *g;

	setgrent();
	while ((g = getgrent()) && g->gr_gid == 0)
		;
	return g ? g->gr_name : "";
}

static void learn_needs(const struct config *c, unsigned uid, unsigned gid,
			struct dovecot_needs *out)
{
	struct passwd *user = getpwuid(uid);
	struct group *group = getgrgid(gid);

	*out = (struct dovecot_needs){
		.data = c->data,
		.hostname = c->hostname,
		.listen = strcmp(c->dovecot_address, "*") == 0
				  ? inet6_is_there() ? "*, ::" : "*"
				  : c->dovecot_address,
		.is_nameless = !user || !group,
		.user = user ? user->pw_name : other_user(),
		.group = group ? group->gr_name : other_group(),
		.uid = uid,
		.gid = gid,
		.certificate = certificate_path(c),
		.auth_without_tls = c->auth_without_tls,
		.imap = c->imap,
		.imaps = c->imaps,
		.pop3 = c->pop3,
		.pop3s = c->pop3s,
		.sieve = c->sieve,
		.metrics = c->dovecot_metrics,
		.proxies = c->dovecot_proxies,
	};
}

/* What another version left is not left to be misunderstood. */
static bool write_configuration(const struct config *c,
				const struct dovecot_needs *n,
				enum dovecot_version version,
				const struct person *owner)
{
	const char *sql_path = config_path(c, "dovecot/sql.conf");
	struct buf text scoped(buf) = BUF_EMPTY, sql scoped(buf) = BUF_EMPTY;

	switch (version) {
	case DOVECOT_2_3:
		dovecot_23_main(n, &text);
		dovecot_23_sql(n, &sql);
		if (!owned_text(sql_path, buf_str(&sql), owner))
			return false;
		break;
	case DOVECOT_2_4:
		dovecot_24_main(n, &text);
		unlink(sql_path);
		break;
	}
	if (n->is_nameless)
		dovecot_nameless(version, &text);
	return owned_text(dovecot_config_path(c), buf_str(&text), owner);
}

/* Dovecot splits sendmail_path at spaces and takes no quotes: a script holds the
 * arguments.  Sieve's mail comes by a socket of its own (engine/engine.h). */
static bool write_sendmail(const struct config *c, const char *splitmail,
			   const struct person *owner)
{
	const char *path = config_path(c, "dovecot/sendmail");
	FILE *f = owned_create(path, 0700, owner);

	if (!f)
		return false;
	fprintf(f,
		"#!/bin/sh\nexport SPLITMAIL_SOCKET='%s/run/submit'\n"
		"exec '%s' --data '%s' sendmail \"$@\"\n",
		c->data, splitmail, c->data);
	return owned_close(f, path);
}

/*
 * Dovecot calls it with PERCENT and LOGIN.  The mail goes straight into the
 * mailbox: no script of its owner answers or forwards it, and without the quota
 * plugin it finds room in a mailbox that is full.
 */
static const char quota_warning[] =
	"#!/bin/sh\n"
	"exec " DOVECOT_LDA " -c '%1$s' -o info_log_path=/dev/null "
	"-o mail_plugins= -d \"$2\" <<END\n"
	"Return-Path: <>\n"
	"From: Postmaster <postmaster@${2##*@}>\n"
	"To: <$2>\n"
	"Subject: Your mailbox is $1%% full\n"
	"Date: $(LC_ALL=C date -R)\n"
	"Message-ID: <quota.$(date +%%s).$$@%2$s>\n"
	"Auto-Submitted: auto-generated\n"
	"MIME-Version: 1.0\n"
	"Content-Type: text/plain; charset=us-ascii\n"
	"\n"
	"Your mailbox $2 has become more than $1%% full.\n"
	"\n"
	"When it is full, new mail for you has to wait, and goes back to its\n"
	"senders after some days. Please delete what you do not need, and then\n"
	"empty the trash, which counts as well; or ask your postmaster for more\n"
	"room.\n"
	"END\n";

static bool write_quota_warning(const struct config *c,
				const struct person *owner)
{
	const char *path = config_path(c, "dovecot/quota-warning");
	FILE *f = owned_create(path, 0700, owner);

	if (!f)
		return false;
	fprintf(f, quota_warning, dovecot_config_path(c), c->hostname);
	return owned_close(f, path);
}

/* How the mailboxes lie there; where there are none yet, the usual way. */
static bool learn_format(const struct config *c, enum mailbox_format *out)
{
	const char *mail = config_path(c, "mail");

	switch (mailbox_format_find(mail, out)) {
	case FORMAT_NOTED:
		return true;
	case FORMAT_EMPTY:
		*out = MAILBOX_MAILDIR;
		return mailbox_format_note(mail, *out);
	case FORMAT_OLD:
		return fail("the mailboxes in %s were made by an earlier "
			    "version, with folders in another order: run "
			    "`splitmail --data %s convert` once (it renames "
			    "folders, and no mail is copied)",
			    mail, c->data);
	case FORMAT_TROUBLE:
		break;
	}
	return false;
}

bool dovecot_takes_folder(const char *data)
{
	static const char longest[] = "/dovecot/run/token-login/imap-urlauth";
	size_t most =
		sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof(longest);

	if (strpbrk(data, " '\"\\%$#"))
		return fail("the data folder's path \"%s\" has a space or a "
			    "quote, which Dovecot cannot take",
			    data);
	return strlen(data) <= most ||
	       fail("the data folder's path \"%s\" is longer than %zu bytes: "
		    "the sockets in it could not be opened",
		    data, most);
}

bool dovecot_make_folders(const struct config *c, const struct person *owner)
{
	static const char *const folders[] = {
		"dovecot", "dovecot/run", "dovecot/state", "mail", "run",
	};

	if (!dovecot_takes_folder(c->data))
		return false;
	for (size_t i = 0; i < array_size(folders); i++)
		if (!owned_folder(config_path(c, folders[i]), owner))
			return false;
	return true;
}

bool dovecot_write(const struct config *c, enum dovecot_version version,
		   const char *splitmail, const struct person *owner)
{
	struct dovecot_needs needs;

	learn_needs(c, owner->uid, owner->gid, &needs);
	return learn_format(c, &needs.format) &&
	       write_configuration(c, &needs, version, owner) &&
	       owned_text(config_path(c, DOVECOT_SPAM_SCRIPT),
			  S(DOVECOT_SPAM_TEXT), owner) &&
	       write_quota_warning(c, owner) &&
	       write_sendmail(c, splitmail, owner);
}

struct lock *dovecot_lock(const struct config *c)
{
	const char *folder = config_path(c, "dovecot");
	struct lock *lock = lock_take_folder(folder);

	if (!lock)
		process_signal_holders(folder, DOVECOT_LOCK_FD, SIGTERM);
	else
		unlink(config_path(c, "dovecot/run/master.pid"));
	return lock;
}
