/*
 * What every Dovecot is told in the same words (dovecot_conf.h).
 *
 * Everything runs as one ordinary user: no chroot, no login user of its own.
 * A reload leaves open sessions alone (shutdown_clients): LMTP would say 421
 * to mail that it has just put into the mailbox, and it would come twice.
 * Sieve's redirect and vacation leave through `splitmail sendmail`, which
 * speaks to the engine on a Unix socket.
 *
 * A lock is linked into its place with its owner's number in it already
 * (dotlock_use_excl): who is killed while he makes one would leave an empty
 * file, which nobody dares to break for two minutes.
 */
#include "main/dovecot_conf.h"

static const char general[] =
	"base_dir = %1$s/dovecot/run\n"
	"state_dir = %1$s/dovecot/state\n"
	"instance_name = splitmail\n"
	"hostname = %2$s\n"
	"shutdown_clients = no\n"
	"log_path = /dev/stderr\n"
	"protocols = imap pop3 lmtp sieve\n"
	"listen = %3$s\n"
	"default_internal_user = %4$s\n"
	"default_internal_group = %5$s\n"
	"default_login_user = %4$s\n"
	"first_valid_uid = %6$u\n"
	"first_valid_gid = %7$u\n"
	"mail_uid = %6$u\n"
	"mail_gid = %7$u\n"
	"mail_home = %1$s/mail/none\n"
	"mail_max_userip_connections = %8$u\n"
	"ssl = yes\n"
	"ssl_min_protocol = TLSv1.2\n"
	"auth_mechanisms = plain login\n"
	"auth_username_chars =\n" /* o'brien; queries escape */
	"auth_cache_size = 0\n"
	"auth_verbose = yes\n"
	"recipient_delimiter = +\n"
	"lmtp_hdr_delivery_address = original\n"
	"quota_full_tempfail = yes\n"
	"dotlock_use_excl = no\n"
	"submission_host =\n"
	"sendmail_path = %1$s/dovecot/sendmail\n";

const struct dovecot_folder dovecot_folders[] = {
	{ "Drafts", "\\Drafts", .is_made = true },
	{ "Sent", "\\Sent", .is_made = true },
	{ "Sent Items", "\\Sent" },
	{ "Sent Messages", "\\Sent" },
	{ "Junk", "\\Junk", .is_made = true },
	{ "Junk E-mail", "\\Junk" },
	{ "Junk Email", "\\Junk" },
	{ "Spam", "\\Junk" },
	{ "Trash", "\\Trash", .is_made = true, .is_trash = true },
	{ "Deleted Items", "\\Trash", .is_trash = true },
	{ "Deleted Messages", "\\Trash", .is_trash = true },
	{ "Archive", "\\Archive", .is_made = true },
	{ "Archives", "\\Archive" },
	{ 0 },
};

/* With "/" between folders, as other servers have it, a dot is a letter of a
 * name as any other. */
static void add_folders(struct buf *out)
{
	buf_add(out, S("namespace inbox {\n\tinbox = yes\n"
		       "\tseparator = /\n"));
	for (const struct dovecot_folder *f = dovecot_folders; f->name; f++)
		buf_printf(out,
			   "\tmailbox \"%s\" {\n\t\tspecial_use = %s\n"
			   "%s\t}\n",
			   f->name, f->use,
			   f->is_made ? "\t\tauto = subscribe\n" : "");
	buf_add(out, S("}\n"));
}

static const char services[] =
	"service anvil {\n\tchroot =\n\tclient_limit = %2$u\n}\n"
	"service stats {\n\tchroot =\n}\n"
	"service quota-warning {\n"
	"\texecutable = script %10$s/dovecot/quota-warning\n"
	"\tunix_listener quota-warning {\n\t\tmode = 0600\n\t}\n}\n"
	"service lmtp {\n\tunix_listener lmtp {\n\t\tmode = 0600\n\t}\n"
	"\tclient_limit = 1\n\tprocess_min_avail = %4$u\n}\n"
	"service auth {\n\tunix_listener auth-client {\n\t\tmode = 0600\n\t}\n"
	"\tunix_listener auth-userdb {\n\t\tmode = 0600\n\t}\n}\n"
	"service auth-worker {\n\tuser = %1$s\n}\n"
	"service imap-login {\n\tchroot =\n"
	"\tinet_listener imap {\n\t\tport = %5$u\n\t}\n"
	"\tinet_listener imaps {\n\t\tport = %6$u\n\t\tssl = yes\n\t}\n}\n"
	"service imap {\n\tprocess_limit = %3$u\n}\n"
	"service pop3-login {\n\tchroot =\n"
	"\tinet_listener pop3 {\n\t\tport = %7$u\n\t}\n"
	"\tinet_listener pop3s {\n\t\tport = %8$u\n\t\tssl = yes\n\t}\n}\n"
	"service managesieve-login {\n\tchroot =\n"
	"\tinet_listener sieve {\n\t\tport = %9$u\n\t}\n}\n";

void dovecot_general(const struct dovecot_needs *n, struct buf *out)
{
	buf_printf(out, general, n->data, n->hostname, n->listen, n->user,
		   n->group, n->uid, n->gid, DOVECOT_USER_SESSIONS);
	add_folders(out);
}

/* Who logs in, for Prometheus.  Dovecot 2.3 calls the protocol service. */
static void add_metric(const char *service, bool is_ok, struct buf *out)
{
	buf_printf(out,
		   "metric %s_logins%s {\n"
		   "\tfilter = event=auth_request_finished and "
		   "(service=%s or protocol=%s) and %ssuccess=yes\n}\n",
		   service, is_ok ? "" : "_failed", service, service,
		   is_ok ? "" : "not ");
}

void dovecot_metrics(const struct dovecot_needs *n, const char *listen,
		     struct buf *out)
{
	static const char *const logins[] = { "imap", "pop3", "sieve" };

	if (!n->metrics)
		return;
	buf_printf(out,
		   "service stats {\n\tinet_listener http {\n"
		   "\t\t%s = 127.0.0.1\n\t\tport = %u\n\t}\n}\n",
		   listen, n->metrics);
	for (size_t i = 0; i < array_size(logins); i++) {
		add_metric(logins[i], true, out);
		add_metric(logins[i], false, out);
	}
}

static const char proxied[] =
	"service imap-login {\n"
	"\tinet_listener imap {\n\t\thaproxy = yes\n\t}\n"
	"\tinet_listener imaps {\n\t\thaproxy = yes\n\t}\n}\n"
	"service pop3-login {\n"
	"\tinet_listener pop3 {\n\t\thaproxy = yes\n\t}\n"
	"\tinet_listener pop3s {\n\t\thaproxy = yes\n\t}\n}\n"
	"service managesieve-login {\n"
	"\tinet_listener sieve {\n\t\thaproxy = yes\n\t}\n}\n";

/* Dovecot asks everybody, and serves these alone. */
static void add_proxies(const char *const *proxies, struct buf *out)
{
	if (!proxies)
		return;
	buf_add(out, S("haproxy_trusted_networks ="));
	for (; *proxies; proxies++)
		buf_printf(out, " %s", *proxies);
	buf_printf(out, "\n%s", proxied);
}

void dovecot_services(const struct dovecot_needs *n, struct buf *out)
{
	buf_printf(out, services, n->user, DOVECOT_COUNTED, DOVECOT_SESSIONS,
		   DOVECOT_LMTP_SPARE, n->imap, n->imaps, n->pop3, n->pop3s,
		   n->sieve, n->data);
	add_proxies(n->proxies, out);
}
