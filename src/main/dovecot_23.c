/* dovecot.conf for Dovecot 2.3 (dovecot_conf.h). */
#include "main/dovecot_conf.h"

/* Names that are no names (from a broken client, or brought along with other
 * mailboxes) are shown with a "^", not left out. */
static const char *const locations[] = {
	[MAILBOX_MAILDIR] = "maildir:~/Maildir:LAYOUT=fs:"
			    "MAILBOXDIR=folders:FULLDIRNAME=maildir-Mails:"
			    "BROKENCHAR=^",
	[MAILBOX_MDBOX] = "mdbox:~/mdbox:BROKENCHAR=^",
};

static const char only_23[] =
	"mail_location = %6$s\n"
	"mail_plugins = quota\n"
	"ssl_cert = <%2$s\n"
	"ssl_key = <%3$s\n"
	"disable_plaintext_auth = %4$s\n"
	"auth_username_format = %%Lu\n"
	"auth_worker_max_count = %5$u\n"
	"passdb {\n\tdriver = sql\n\targs = %1$s/dovecot/sql.conf\n}\n"
	"userdb {\n\tdriver = sql\n\targs = %1$s/dovecot/sql.conf\n}\n"
	"plugin {\n"
	"\tquota = count:User quota\n"
	"\tquota_vsizes = yes\n"
	"%7$s"
	"\tquota_warning = storage=%9$u%%%% quota-warning %9$u %%u\n"
	"\tquota_warning2 = storage=%8$u%%%% quota-warning %8$u %%u\n"
	"\tsieve = file:~/sieve;active=~/.dovecot.sieve\n"
	"\tsieve_before = %1$s/" DOVECOT_SPAM_SCRIPT "\n"
	"\tsieve_vacation_use_original_recipient = yes\n"
	"\tsieve_redirect_envelope_from = sender\n"
	"}\n"
	"protocol imap {\n\tmail_plugins = quota imap_quota\n}\n"
	"protocol lmtp {\n\tmail_plugins = quota sieve\n}\n"
	/* Sieve's sendmail inherits the limit and is as large as the engine. */
	"service lmtp {\n\tvsz_limit = 0\n\tservice_count = 0\n}\n"
	/* Names with certificates of their own: 2,000 need more than usual. */
	"service config {\n\tvsz_limit = 0\n}\n"
	"service ipc {\n\tchroot =\n}\n"
	/* A process for each open TLS session would end at 100 sessions. */
	"service imap-login {\n\tservice_count = 0\n}\n"
	"service pop3-login {\n\tservice_count = 0\n}\n"
	"service managesieve-login {\n\tservice_count = 0\n}\n";

static const char sql[] =
	"driver = sqlite\n"
	"connect = %1$s/directory.db\n"
	"password_query = " DOVECOT_LOGIN_OF(
		"%%n",
		"%%d") "\n"
		       "user_query = SELECT '%1$s/mail/' || mailbox AS home, quota_rule " DOVECOT_FROM_MAILBOX_OF(
			       "%%u") "\n"
				      "iterate_query = " DOVECOT_EVERYBODY "\n";

/* The first rule is the user's own (sql.conf): the others are numbered from 2
 * on, and say what comes on top of it. */
static void add_trash_rules(struct buf *out)
{
	unsigned number = 2;

	for (const struct dovecot_folder *f = dovecot_folders; f->name; f++)
		if (f->is_trash)
			buf_printf(out, "\tquota_rule%u = %s:storage=+%d%%%%\n",
				   number++, f->name,
				   DOVECOT_TRASH_PERCENT - 100);
}

void dovecot_23_main(const struct dovecot_needs *n, struct buf *out)
{
	struct buf trash scoped(buf) = BUF_EMPTY;

	add_trash_rules(&trash);
	buf_add_char(&trash, '\0');
	dovecot_general(n, out);
	dovecot_services(n, out);
	dovecot_metrics(n, "address", out);
	buf_printf(out, only_23, n->data, n->certificate, n->certificate,
		   n->auth_without_tls ? "no" : "yes", DOVECOT_AUTH_WORKERS,
		   locations[n->format], trash.p, DOVECOT_WARN_FIRST,
		   DOVECOT_WARN_LAST);
	buf_printf(out, "!include_try %s/" DOVECOT_NAMED "\n", n->data);
}

void dovecot_23_named(const char *name, const char *file, const char *alt_file,
		      struct buf *out)
{
	const char *sign = alt_file ? "<" : "";

	if (!alt_file)
		alt_file = "";
	buf_printf(out,
		   "local_name \"%1$s %1$s.\" {\n"
		   "\tssl_cert = <%2$s\n\tssl_key = <%2$s\n"
		   "\tssl_alt_cert = %3$s%4$s\n\tssl_alt_key = %3$s%4$s\n}\n",
		   name, file, sign, alt_file);
}

void dovecot_23_sql(const struct dovecot_needs *n, struct buf *out)
{
	buf_printf(out, sql, n->data);
}
