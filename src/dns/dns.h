/*
 * Names to addresses, on libunbound: hosts file and resolv.conf by default,
 * or the servers of splitmail.conf's `dns`.
 *
 *	struct inet *a;
 *	switch (dns_addresses(dns, S("mail.b.example"), 25, deadline, arena,
 *			      &a, &n))
 *
 * One resolver per loop, made at the first question.  Answers obey TTL in
 * libunbound's own cache.
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "base/arena.h"
#include "base/inet.h"
#include "base/tlsa.h"
#include "rt/fiber.h"

struct dns_settings {
	const char *const
		*servers; /* "127.0.0.1@5353"; NULL-ended; may be NULL */
	bool dnssec;
	const char *trust_anchor; /* NULL: the root's, of dns-root-data */
	const char *hosts_file;   /* NULL: /etc/hosts */
};

struct dns;

/* Before the loops run; SETTINGS outlive it. */
struct dns *dns_open(const struct dns_settings *settings);
/* After the loops have ended; NULL is allowed. */
void dns_close(struct dns *d);

enum dns_answer {
	DNS_FOUND,
	DNS_NONE,    /* the name or the type does not exist */
	DNS_TROUBLE, /* SERVFAIL, timeout: try later; cause() */
};

/* A and AAAA, IPv6 after IPv4 turn by turn, LIMIT_HOSTS at most; port filled
 * in.  An address in text ("192.0.2.1", "::1") is its own answer. */
enum dns_answer waits dns_addresses(struct dns *d, struct str name,
				    uint16_t port, int64_t deadline_ms,
				    struct arena *arena, struct inet **out,
				    size_t *n);

struct mx {
	uint16_t preference;
	struct str name;
};

struct mx_list {
	struct mx *mx;
	size_t n;
	bool is_null;   /* with DNS_NONE: "." alone (RFC 7505) */
	bool is_secure; /* DNSSEC vouches for it, also for there being none */
};

/* In order of preference, equal ones shuffled.  No MX but an address: the name
 * itself (RFC 5321 5.1).  LIMIT_HOSTS at most. */
enum dns_answer waits dns_mx(struct dns *d, struct str domain,
			     int64_t deadline_ms, struct arena *arena,
			     struct mx_list *out);

struct txt_list {
	struct str *texts;
	size_t n;
};

/* What NAME says in words.  LIMIT_TXT at most. */
enum dns_answer waits dns_txt(struct dns *d, struct str name,
			      int64_t deadline_ms, struct arena *arena,
			      struct txt_list *out);

/* The name of the host at ADDRESS: the first that leads back to it. */
enum dns_answer waits dns_name_of(struct dns *d, const struct inet *address,
				  int64_t deadline_ms, struct arena *arena,
				  struct str *out);

/* False: answers come, and none can be validated, since the servers asked do not
 * hand on what that needs; or the resolver cannot be made.  cause(). */
bool waits dns_can_validate(struct dns *d, int64_t deadline_ms) must_check;

struct tlsa_list {
	struct tlsa *records;
	size_t n;
	struct str host; /* whose they are: where an alias leads, or it */
};

/* What DNSSEC vouches for of the certificate of HOST's server at PORT, which is
 * asked for only when it vouches for HOST's addresses, too (RFC 7672 2.2).
 * LIMIT_TLSA at most. */
enum dns_answer waits dns_tlsa(struct dns *d, struct str host, uint16_t port,
			       int64_t deadline_ms, struct arena *arena,
			       struct tlsa_list *out);

#endif
