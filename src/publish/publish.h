/*
 * What a domain should say of its mail in the DNS, and what it says now: MX,
 * addresses and names of hosts, SPF, DMARC, DKIM, MTA-STS, TLSRPT, and where
 * programs of its users find this server.  Some of its users may live on other
 * systems: what is to be published holds for the mail of all of them.
 *
 *	struct publish_plan plan;
 *
 *	switch (publish_plan(d, S("example.org"), &server, arena, &plan))
 *	case ANSWER_YES:
 *		publish_look(&plan, &dns, after_ms(LIMIT_PUBLISH_MS), arena,
 *			     &out);
 *
 * Everything is asked at once, in fibers; what has not answered at the deadline
 * is said to be unknown.  Nothing is published from here.
 */
#ifndef PUBLISH_PUBLISH_H
#define PUBLISH_PUBLISH_H

#include "base/sentence.h"
#include "directory/dkim.h"
#include "dns/dns.h"
#include "wire/hosts.h"

/* What splitmail.conf says. */
struct publish_server {
	struct str hostname;
	struct outgoing outgoing;    /* addresses mail leaves from */
	enum address_family family;  /* ...to hosts of the Internet */
	uint16_t imaps, submissions; /* ports; 0: off */
	bool takes_mail;             /* of other machines, from everybody */
};

/* ---- what it is about ---- */

struct publish_system {
	struct str name;
	bool is_relay; /* of the domain, named by its hosts */
	const struct host *hosts;
	size_t n_hosts;
	const struct str *trust; /* blocks it sends from */
	size_t n_trust;
};

struct publish_key { /* of DKIM */
	struct str selector, text;
	enum dkim_state state;
	bool is_kept; /* mail that it has signed may still wait */
};

struct publish_plan {
	struct str domain;
	struct str postmaster; /* who gets reports */
	struct publish_server server;
	/* This machine's in the Internet, as far as they are known: from which
	 * mail leaves in the domain's name, and of the host. */
	const struct inet *own, *host;
	size_t n_own, n_host;
	const struct publish_system *systems; /* the others */
	size_t n_systems;
	const struct publish_key *keys;
	size_t n_keys;
};

/* NAME by name or alias; blocks for a question of the kernel. */
enum answer publish_plan(struct directory *d, struct str name,
			 const struct publish_server *server,
			 struct arena *arena, struct publish_plan *out);

/* ---- what was found ---- */

enum publish_state {
	PUBLISH_RIGHT,
	PUBLISH_ABSENT,
	PUBLISH_OTHER,   /* it is there, and something is wrong with it */
	PUBLISH_UNKNOWN, /* it cannot be asked now */
};
extern const char *const publish_states[]; /* "right", ... */

struct publish_remark {
	const char *id; /* of remarks.def */
	struct str text;
	const struct value *values;
	bool is_fault;
};

struct publish_row {
	const char *what; /* "mx", "address", "ptr", "spf", "dmarc", "dkim",
			     "mta-sts", "policy", "tls-reports", "imaps",
			     "submissions" */
	const char *type; /* "MX"; of a policy "HTTPS" */
	struct str name;
	struct str value; /* to be published: as in a zone file, but texts
			     bare; empty: it cannot be told from here */
	bool is_needed;   /* mail suffers without it */
	enum publish_state state;
	const struct str *found;
	size_t n_found;
	const struct publish_remark *remarks;
	size_t n_remarks;
};

struct published {
	const struct publish_row *rows;
	size_t n;
};

/* All is in ARENA. */
void waits publish_look(const struct publish_plan *plan,
			const struct dns_settings *dns, int64_t deadline_ms,
			struct arena *arena, struct published *out);

/* Lines of a zone file that say what ROWS should be, texts in pieces of 255
 * bytes; what is no record stands in comments. */
struct str publish_zone(const struct published *p, struct arena *arena);

#endif
