/*
 * splitmail.conf: what has to be known before the directory can be read.
 *
 *	struct config *c = config_read("/var/lib/splitmail");
 *	if (!c)
 *		...cause(): "splitmail.conf:12: no such option 'hostnam'"
 *
 * A file with only `hostname` is a working production configuration.  Every
 * key, its default and what it does stand in settings.def.
 */
#ifndef MAIN_CONFIG_H
#define MAIN_CONFIG_H

#include "base/arena.h"
#include "base/inet.h"
#include "base/sentence.h"
#include "cli/begin.h"
#include "engine/engine.h"
#include "publish/publish.h"

enum { CONSOLE_PORT = 8025 };

#define USUAL_SENDMAIL "/run/splitmail/submit"
#define USUAL_ALIASES "/etc/aliases"

struct config {
	struct arena *arena;
	const char *data; /* absolute path of the data folder */
	const char *hostname;
	const char *user; /* who the children run as; may be "" */
	const char *certificate, *key;
	bool certificate_is_named;
	const char *certificates; /* folder of more, by name */
	bool certificates_are_named;
	struct outgoing outgoing; /* sources of outgoing connections */
	enum address_family internet_family;

	struct engine_listener *listeners;
	size_t n_listeners;
	bool console_enabled;
	struct inet console;        /* TLS unless it is a loopback address */
	const char **console_names; /* other names it is reached by;
					   NULL-ended; or NULL */
	int64_t console_session_idle_s; /* without a request: signed out */

	bool dovecot_enabled;
	const char *dovecot_address;              /* "*" or an IP address */
	uint16_t imap, imaps, pop3, pop3s, sieve; /* 0: off */
	uint16_t dovecot_metrics;                 /* on 127.0.0.1; 0: off */
	const char **dovecot_proxies; /* in front of it; NULL-ended; or NULL */

	bool is_confined; /* the engine, by the kernel (rt/confine.h) */
	unsigned threads; /* 0: one per core */
	bool auth_without_tls;
	uint64_t message_bytes;
	unsigned connections_per_address;
	unsigned destination_mails, destination_mails_per_minute;
	unsigned recipients_per_minute; /* of one login; 0: no limit */
	int64_t retry_min_s, retry_max_s, expiry_s, delay_warning_s;
	int64_t handover_s, command_s, data_s;

	const char *sendmail;  /* socket for programs of every user */
	const char *aliases;   /* file of the host's; NULL: there are none */
	bool queue_is_private; /* not for every user's mailq */

	const char **dns_servers; /* NULL-ended; NULL: the system's */
	bool dnssec;
	const char *dns_trust_anchor;
	const char *dns_hosts; /* hosts file */
};

/* DATA is the data folder. NULL: cause() has file and line. */
struct config *config_read(const char *data);
void config_close(struct config *c);

struct config_plan { /* what init was told */
	const char *hostname;
	const char *bind;   /* or NULL: every address */
	unsigned port_base; /* 0: the standard ports */
	const char *user;   /* or NULL */
	bool is_the_one;    /* that programs of this machine find */
};
/* Write DATA/splitmail.conf; an existing one is refused. */
bool config_write(const char *data, const struct config_plan *plan) must_check;
/* Where its console is: "http://127.0.0.1:8025". */
const char *config_console_url(const struct config_plan *plan, struct arena *a);

/*
 * The socket where DATA's Splitmail takes mail from programs of every user, in
 * ARENA: what splitmail.conf says; as long as the caller may not read that, what
 * it is without a word in it.  That of the usual data folder lies where
 * everybody gets at it.
 */
const char *config_sendmail(const char *data, struct arena *arena);

/* Paths inside the data folder, in the config's arena. */
const char *config_path(const struct config *c, const char *name);

/* What is said of the server in DNS. */
struct publish_server config_published(const struct config *c);
/* LIST of the listener WHO; in ARENA.  False: cause(). */
bool config_dnsbl(const char *who, const char *const *list, size_t n,
		  struct arena *arena, struct smtp_door *door) must_check;

/* The names of its listeners, each once. */
struct texts config_listeners(const struct config *c);

#endif
