/*
 * Dovecot as a user without a name (dovecot_conf.h), as containers have them.
 *
 * Dovecot wants default_internal_user and default_login_user to exist, but a
 * service or socket whose user is empty stays whose it is.  So the defaults
 * are anybody's, and nothing is left that uses them.
 */
#include "main/dovecot_conf.h"

static const struct {
	const char *service, *socket; /* socket NULL: the service itself */
	const char *key;
	bool only_23;
} places[] = {
	{ "anvil", NULL, "user" },
	{ "auth", NULL, "user" },
	{ "auth", "auth-client", "user" },
	{ "auth", "auth-login", "user" },
	{ "auth", "auth-userdb", "user" },
	{ "auth-worker", NULL, "user" },
	{ "auth-worker", "auth-worker", "user" },
	{ "dict", NULL, "user" },
	{ "dict", "dict", "group" },
	{ "dict-async", NULL, "user" },
	{ "dict-async", "dict-async", "group" },
	{ "dns-client", NULL, "user" },
	{ "doveadm", NULL, "extra_groups" },
	{ "health-check", NULL, "user" },
	{ "imap", NULL, "extra_groups" },
	{ "imap-hibernate", NULL, "user" },
	{ "imap-hibernate", "imap-hibernate", "group" },
	{ "imap-login", NULL, "user" },
	{ "imap-urlauth", NULL, "user" },
	{ "imap-urlauth-login", NULL, "user" },
	{ "imap-urlauth-login", "imap-urlauth", "user" },
	{ "imap-urlauth-worker", NULL, "extra_groups" },
	{ "imap-urlauth-worker", "imap-urlauth-worker", "user" },
	{ "indexer", NULL, "user" },
	{ "indexer-worker", NULL, "extra_groups" },
	{ "indexer-worker", "indexer-worker", "user" },
	{ "lmtp", NULL, "extra_groups" },
	{ "managesieve-login", NULL, "user" },
	{ "pop3", NULL, "extra_groups" },
	{ "pop3-login", NULL, "user" },
	{ "stats", NULL, "user" },
	{ "stats", "login/stats-writer", "user" },
	{ "stats", "stats-writer", "group" },
	{ "submission", NULL, "extra_groups" },
	{ "submission-login", NULL, "user" },
	{ "aggregator", NULL, "user", true },
	{ "director", NULL, "user", true },
	{ "ipc", NULL, "user", true },
	{ "ipc", "ipc", "user", true },
	{ "ipc", "login/ipc-proxy", "user", true },
	{ "old-stats", NULL, "user", true },
	{ "replicator", "replicator", "user", true },
	{ "replicator", "replicator-doveadm", "user", true },
	{ "tcpwrap", NULL, "user", true },
};

void dovecot_nameless(enum dovecot_version version, struct buf *out)
{
	for (size_t i = 0; i < array_size(places); i++) {
		if (places[i].only_23 && version != DOVECOT_2_3)
			continue;
		buf_printf(out, "service %s {\n", places[i].service);
		if (places[i].socket)
			buf_printf(out, "\tunix_listener %s {\n\t\t%s =\n\t}\n",
				   places[i].socket, places[i].key);
		else
			buf_printf(out, "\t%s =\n", places[i].key);
		buf_add(out, S("}\n"));
	}
}
