/*
 * directory.db: the questions the data plane asks.
 *
 * One SQLite file in WAL mode is the contract between the planes.  The engine
 * and Dovecot read it here; the command line and the console change it through
 * directory/changes.h, where every validation lives.  Nobody keeps a copy: a
 * committed change is in force for the next question.
 *
 *	struct directory *d = directory_open("/var/lib/splitmail/directory.db");
 *	struct domain domain;
 *	switch (directory_domain(d, S("example.org"), arena, &domain)) {
 *	case ANSWER_YES: ...
 *	case ANSWER_NO: ...
 *	case ANSWER_UNSURE: 451, never 550: cause() says what broke
 *	}
 *
 * A handle belongs to one thread.  Questions take microseconds and do not wait
 * for the loop; each is one or two indexed look-ups by prepared statements.
 * Names and local parts are passed in canonical form (wire/address.h).
 * All strings of an answer are in the given arena.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include "base/arena.h"
#include "base/fail.h"
#include "base/inet.h"

struct directory;

enum answer {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_UNSURE,		/* our own trouble: cause() */
};

struct directory *directory_open(const char *path);	/* NULL: cause() */
void directory_close(struct directory *d);
/* Changes with every commit of anybody: cheap, for noticing. */
uint64_t directory_version(struct directory *d);

/*
 * Several questions about one state of the directory, and cheaper: between
 * begin and end nothing that others commit is seen.  May be nested; nobody
 * waits in between.  When begin cannot, the questions stand alone.
 */
void directory_begin(struct directory *d);
void directory_end(struct directory *d);

/* ---- domains ---- */

enum own_senders { OWN_SENDERS_ACCEPT, OWN_SENDERS_REFUSE };

struct domain {
	int64_t id;
	struct str name;		/* its first name, not the alias asked */
	struct str relay;		/* hosts (wire/hosts.h), or empty */
	bool forward_unknown;
	struct str catch_all;		/* address or empty */
	struct str postmaster;		/* address or empty */
	enum own_senders own_senders;
	uint64_t max_message_bytes;	/* 0: the server's */
};

/* By name or alias. */
enum answer directory_domain(struct directory *d, struct str name,
			     struct arena *arena, struct domain *out);
/* The one created first: for a bare <postmaster>. */
enum answer directory_first_domain(struct directory *d, struct arena *arena,
				   struct domain *out);

/* ---- addresses ---- */

enum holder_kind { HOLDER_USER, HOLDER_GROUP, HOLDER_SHARED };
enum { HOLDER_KINDS = HOLDER_SHARED + 1 };
enum home { HOME_HOSTED, HOME_ALTERNATE, HOME_BOTH, HOME_NONE };

/* Who holds an address, and where this one address lives. */
struct holder {
	int64_t id;
	enum holder_kind kind;
	bool enabled;
	struct str login;	/* default address: LMTP recipient, login name */
	enum home mail_system;	/* the user's; HOSTED for shared mailboxes */
	bool routed;		/* alternate user: this address is selected */
	enum home home;		/* hosted user: this address's own home */
	int64_t system;		/* system id; 0: the domain's relay */
	const struct str *forwards;	/* addresses; n_forwards 0: none */
	size_t n_forwards;
	bool forward_keeps_copy;
	bool all_aliases;	/* matched as left@* */
	bool builtin;		/* postmaster's and abuse's mailbox, made with
				   the domain: only when nobody else has the
				   address; route() lets other rules go first */
};

/* LOCAL exactly as given here; "+detail" is the caller's business.  NAME is
 * the domain part asked, a name or alias of DOMAIN. */
enum answer directory_address(struct directory *d, const struct domain *domain,
			      struct str local, struct str name,
			      struct arena *arena, struct holder *out);
/* Members of a group as addresses, in order of adding. */
enum answer directory_members(struct directory *d, int64_t group,
			      struct arena *arena, const struct str **out,
			      size_t *n);

/* May this login write as this address (one of its own, +detail allowed)?
 * NO also when the login is not hosted or not enabled any more. */
enum answer directory_may_send_as(struct directory *d, struct str login,
				  struct str local, struct str domain);

/* ---- systems ---- */

enum system_tls {
	SYSTEM_TLS_NONE,
	SYSTEM_TLS_OPPORTUNISTIC,	/* clear text when TLS cannot be had */
	SYSTEM_TLS_REQUIRED,		/* encrypted, whoever it is */
	SYSTEM_TLS_VERIFIED,		/* certificate has to match */
};
enum when_down { DOWN_KEEP_KNOWN, DOWN_KEEP_ALL, DOWN_DEFER };

struct system {
	int64_t id;		/* 0: a domain's relay that has no name */
	struct str name;	/* its name, or its hosts */
	struct str hosts;
	enum system_tls tls;
	struct str user, password;	/* for AUTH at its side; or empty */
	bool may_relay;
	bool smart_host;
	enum when_down when_down;
};

enum answer directory_system(struct directory *d, int64_t id,
			     struct arena *arena, struct system *out);
enum answer directory_system_named(struct directory *d, struct str name,
				   struct arena *arena, struct system *out);
/* The way to the Internet, when there is one. */
enum answer directory_smart_host(struct directory *d, struct arena *arena,
				 struct system *out);
/* The system whose `trust` holds PEER. */
enum answer directory_trusted(struct directory *d, const struct inet *peer,
			      struct arena *arena, struct system *out);
/* A domain's relay as a system named by its hosts: opportunistic, keep-known. */
struct system directory_relay(const struct domain *domain);

/* ---- this node ---- */

struct node {
	char id[17];		/* 16 hex digits */
	uint8_t key[32];	/* for the loop trail */
};

bool directory_node(struct directory *d, struct node *out) must_check;

#endif
