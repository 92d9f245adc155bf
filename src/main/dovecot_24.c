/*
 * dovecot.conf for Dovecot 2.4 (dovecot_conf.h).
 *
 * The file says for which version it was written, in its first two lines;
 * later ones of 2.4 then keep what that one did by default.  Whatever a query
 * for a user returns is a setting of his: 2.3's quota rule ("*:bytes=N") and
 * its grace of a tenth for the last mail become such settings.
 */
#include "main/dovecot_conf.h"

static const char first_24[] = "dovecot_config_version = 2.4.0\n"
			       "dovecot_storage_version = 2.4.0\n";

#define QUOTA_BYTES "CAST(substr(quota_rule, 9) AS INTEGER)"

/* Names that are no names (from a broken client, or brought along with other
 * mailboxes) are shown with a "^", not left out. */
static const char *const locations[] = {
	[MAILBOX_MAILDIR] = "mail_driver = maildir\n"
			    "mail_path = ~/Maildir\n"
			    /* a folder as the others: by itself it would be
			     * mail_path, which is none */
			    "mail_inbox_path =\n"
			    "mailbox_list_layout = fs\n"
			    "mailbox_root_directory_name = folders\n"
			    "mailbox_directory_name = maildir-Mails\n"
			    "mailbox_directory_name_legacy = no\n",
	[MAILBOX_MDBOX] = "mail_driver = mdbox\n"
			  "mail_path = ~/mdbox\n",
};

static const char only_24[] =
	"%6$s"
	"mailbox_list_visible_escape_char = ^\n"
	"mail_plugins {\n\tquota = yes\n}\n"
	"ssl_server_cert_file = %2$s\n"
	"ssl_server_key_file = %3$s\n"
	"auth_allow_cleartext = %4$s\n"
	"auth_username_format = %%{user | lower}\n"
	/* Users who were imported with 2.3 go on logging in. */
	"auth_allow_weak_schemes = yes\n"
	"lmtp_user_concurrency_limit = unlimited\n"
	"sql_driver = sqlite\n"
	"sqlite_path = %1$s/directory.db\n"
	"passdb sql {\n"
	"\tquery = " DOVECOT_LOGIN_OF(
		"%%{user | username}",
		"%%{user | domain}") "\n}\n"
				     "userdb sql {\n"
				     "\tquery = SELECT '%1$s/mail/' || mailbox AS home, " QUOTA_BYTES
				     " || 'B' AS quota_storage_size, " QUOTA_BYTES
				     " / 10 || 'B' AS quota_storage_grace " DOVECOT_FROM_MAILBOX_OF(
					     "%%{user}") "\n"
							 "\titerate_query = " DOVECOT_EVERYBODY
							 "\n}\n"
							 "quota \"User quota\" {\n"
							 "\twarning last {\n\t\tquota_storage_percentage = %8$u\n"
							 "\t\texecute quota-warning {\n"
							 "\t\t\targs = %8$u %%{user}\n\t\t}\n\t}\n"
							 "\twarning first {\n\t\tquota_storage_percentage = %7$u\n"
							 "\t\texecute quota-warning {\n"
							 "\t\t\targs = %7$u %%{user}\n\t\t}\n\t}\n}\n"
							 "sieve_script personal {\n"
							 "\tpath = ~/sieve\n"
							 "\tactive_path = ~/.dovecot.sieve\n}\n"
							 "sieve_script spam {\n\ttype = before\n"
							 "\tpath = %1$s/" DOVECOT_SPAM_SCRIPT
							 "\n}\n"
							 "sieve_vacation_use_original_recipient = yes\n"
							 "sieve_redirect_envelope_from = sender\n"
							 "protocol imap {\n\tmail_plugins {\n\t\timap_quota = yes\n\t}\n}\n"
							 "protocol lmtp {\n\tmail_plugins {\n\t\tsieve = yes\n\t}\n}\n"
							 "service auth-worker {\n\tprocess_limit = %5$u\n}\n"
							 /* Sieve's sendmail inherits the limit and is as large as the engine. */
							 "service lmtp {\n\tvsz_limit = unlimited\n"
							 "\trestart_request_count = unlimited\n}\n"
							 /* A process for each open TLS session would end at 100 sessions. */
							 "service imap-login {\n\trestart_request_count = unlimited\n}\n"
							 "service pop3-login {\n\trestart_request_count = unlimited\n}\n"
							 "service managesieve-login {\n\trestart_request_count = unlimited\n}\n";

static void add_trash_quota(struct buf *out)
{
	buf_add(out, S("namespace inbox {\n"));
	for (const struct dovecot_folder *f = dovecot_folders; f->name; f++)
		if (f->is_trash)
			buf_printf(out,
				   "\tmailbox \"%s\" {\n"
				   "\t\tquota_storage_percentage = %d\n\t}\n",
				   f->name, DOVECOT_TRASH_PERCENT);
	buf_add(out, S("}\n"));
}

void dovecot_24_main(const struct dovecot_needs *n, struct buf *out)
{
	buf_add(out, str_of(first_24));
	dovecot_general(n, out);
	dovecot_services(n, out);
	dovecot_metrics(n, "listen", out);
	buf_printf(out, only_24, n->data, n->certificate, n->certificate,
		   n->auth_without_tls ? "yes" : "no", DOVECOT_AUTH_WORKERS,
		   locations[n->format], DOVECOT_WARN_FIRST, DOVECOT_WARN_LAST);
	add_trash_quota(out);
	buf_printf(out, "!include_try %s/" DOVECOT_NAMED "\n", n->data);
}

/* One name a block. */
void dovecot_24_named(const char *name, const char *file, const char *alt_file,
		      struct buf *out)
{
	static const char *const dots[] = { "", "." };

	if (!alt_file)
		alt_file = "";
	for (size_t i = 0; i < array_size(dots); i++)
		buf_printf(out,
			   "local_name %1$s%2$s {\n"
			   "\tssl_server_cert_file = %3$s\n"
			   "\tssl_server_key_file = %3$s\n"
			   "\tssl_server_alt_cert_file = %4$s\n"
			   "\tssl_server_alt_key_file = %4$s\n}\n",
			   name, dots[i], file, alt_file);
}
