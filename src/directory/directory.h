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
#include "base/next_hop.h"
#include "wire/outgoing.h"

struct directory;

enum answer {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_UNSURE, /* our own trouble: cause() */
};

struct damage;

struct directory *directory_open(const char *path); /* NULL: cause() */
/* The same for one of several who share what is known of DAMAGE. */
struct directory *directory_open_wary(const char *path, struct damage *damage);
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

/* ---- damage ---- */

/* What a directory that is damaged does not have, it may have lost. */
enum {
	DOUBT_DOMAINS = 1,
	DOUBT_ADDRESSES = 2,
	DOUBT_MEMBERS = 4,
	DOUBT_SYSTEMS = 8, /* and whom they trust */
	DOUBT_ALL = 15,
};

/* Are the tables that routing reads whole, and do their indexes agree?  Reads
 * all of them, so it blocks: for a worker.  What is not: DOUBT_*, and cause()
 * says what is wrong with the last of it. */
unsigned directory_check(const char *path);

/* What those who ask, on whatever thread, tell who checks, and he them. */
struct damage {
	_Atomic bool met; /* a question has met some */
	/* DOUBT_*: questions say UNSURE where they would say NO about these,
	 * and for a group's members. */
	_Atomic unsigned doubts;
};

/* ---- domains ---- */

/* Strangers who write in the domain's name. */
enum own_senders {
	OWN_SENDERS_ACCEPT,
	OWN_SENDERS_REFUSE, /* as sender; From is not looked at */
	OWN_SENDERS_VERIFY, /* as sender and in From: SPF, DKIM or DMARC has to
			       say that it may be (smtp/vouched.c) */
};
/* What users of the domain may write into From and the like. */
enum from_header { FROM_HEADER_ACCEPT, FROM_HEADER_OWN };

struct domain {
	int64_t id;
	struct str name;         /* its first name, not the alias asked */
	struct str relay;        /* hosts (wire/hosts.h), or empty */
	bool relay_is_elsewhere; /* its names are never this machine's */
	bool forward_unknown;
	struct str catch_all;  /* address or empty */
	struct str postmaster; /* address or empty */
	enum own_senders own_senders;
	enum from_header from_header;
	uint64_t max_message_bytes; /* 0: the server's */
	struct outgoing outgoing;   /* what is sent to the Internet in its
	                               name leaves from there */
};

/* By name or alias. */
enum answer directory_domain(struct directory *d, struct str name,
			     struct arena *arena, struct domain *out);
/* Is there one with OWN_SENDERS_VERIFY?  Asked again only when the directory has
 * changed. */
enum answer directory_verifies(struct directory *d);
/* The one created first: for a bare <postmaster>. */
enum answer directory_first_domain(struct directory *d, struct arena *arena,
				   struct domain *out);

/* ---- addresses ---- */

enum holder_kind { HOLDER_USER, HOLDER_GROUP, HOLDER_SHARED };
enum { HOLDER_KINDS = HOLDER_SHARED + 1 };
/* Each in words: "user", "group", "shared mailbox"; then NULL. */
extern const char *const kind_words[];
enum home { HOME_HOSTED, HOME_ALTERNATE, HOME_BOTH, HOME_NONE };

/* Who holds an address, and where this one address lives. */
struct holder {
	int64_t id;
	enum holder_kind kind;
	bool enabled;
	struct str login;      /* default address: LMTP recipient, login name */
	enum home mail_system; /* the user's; HOSTED for shared mailboxes */
	bool routed;           /* alternate user: this address is selected */
	enum home home;        /* hosted user: this address's own home */
	int64_t system;        /* system id; 0: the domain's relay */
	const struct str *forwards; /* addresses; n_forwards 0: none */
	size_t n_forwards;
	bool forward_keeps_copy;
	bool all_aliases; /* matched as left@* */
	bool builtin;     /* postmaster's and abuse's mailbox, made with
				   the domain: only when nobody else has the
				   address; route() lets other rules go first */
};

/* LOCAL exactly as given here; "+detail" is the caller's business.  NAME is
 * the domain part asked, a name or alias of DOMAIN. */
enum answer directory_address(struct directory *d, const struct domain *domain,
			      struct str local, struct str name,
			      struct arena *arena, struct holder *out);
/* Members of a group as addresses, in order of adding, the first MOST of
 * them. */
enum answer directory_members(struct directory *d, int64_t group, size_t most,
			      struct arena *arena, const struct str **out,
			      size_t *n);

/*
 * Is a login still worth what it was when Dovecot let it in?  RIGHT is the
 * login_right it got then (schema.sql).  NO: he is deleted, disabled, not
 * hosted here any more, has another login or another password.
 */
enum answer directory_login_holds(struct directory *d, struct str login,
				  struct str right);
/* May this login write as this address: one of its own, or of a group or shared
 * mailbox whose `senders` allow it; +detail allowed?
 * NO also when the login is not hosted or not enabled any more. */
enum answer directory_may_send_as(struct directory *d, struct str login,
				  struct str local, struct str domain);

/* ---- systems ---- */

enum system_tls {
	SYSTEM_TLS_NONE,
	SYSTEM_TLS_OPPORTUNISTIC, /* clear text when TLS cannot be had */
	SYSTEM_TLS_REQUIRED,      /* encrypted, whoever it is */
	SYSTEM_TLS_VERIFIED,      /* certificate has to match */
};
enum when_down { DOWN_KEEP_KNOWN, DOWN_KEEP_ALL, DOWN_DEFER };
enum address_family { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6 };

/*
 * What an administrator has set for a system; 0: not set.  It wins over what
 * was learnt of a host, whichever is smaller, and is not forgotten.  A relay
 * that has no name has none of it.
 */
struct system_limits {
	unsigned connections; /* at once to each of its hosts, of all loops
				   together */
	unsigned mails_per_connection; /* then a fresh one is opened */
	unsigned recipients_per_mail;  /* the others go in further mails */
	unsigned mails_per_minute;     /* to all its hosts; the rest waits for
					   its turn */
	enum address_family family;    /* of the addresses connected to */
	struct outgoing outgoing;      /* where mail for it leaves from */
};

struct system {
	int64_t id;      /* 0: a domain's relay that has no name */
	struct str name; /* its name, or its hosts */
	struct str hosts;
	bool is_elsewhere; /* an address of a host that is this machine's,
				   or link-local, is none */
	enum system_tls tls;
	struct str user, password; /* for AUTH at its side; or empty */
	bool may_relay;
	bool xclient; /* it is told who a stranger is (deliver/xclient.h) */
	bool smart_host;
	enum when_down when_down;
	struct system_limits limits;
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
/* Who it is, and what is known of it by: next_hop_text(). */
static inline struct next_hop system_next_hop(const struct system *s)
{
	return (struct next_hop){ s->id ? NEXT_HOP_SYSTEM : NEXT_HOP_RELAY,
				  s->name };
}
static inline struct str system_key(const struct system *s, struct arena *arena)
{
	struct next_hop h = system_next_hop(s);

	return next_hop_text(&h, arena);
}

/* ---- filters: programs that mail passes before it is accepted ---- */

/* In: of strangers and systems.  Out: of users, programs and Sieve. */
enum filter_direction { FILTER_BOTH, FILTER_IN, FILTER_OUT };
/* Of one that cannot be asked, or does not answer in time: the mail is to come
 * again, goes on without, or waits in the queue, held. */
enum filter_down { FILTER_DOWN_LATER, FILTER_DOWN_ACCEPT, FILTER_DOWN_HOLD };

struct filter {
	struct str name;
	struct str socket;    /* wire/endpoint.h */
	struct str listeners; /* "mx, submission"; empty: all */
	enum filter_direction direction;
	enum filter_down when_down;
	/* How long it is waited for: for each answer, and for the one to the
	 * whole message, which it may look at for long. */
	unsigned step_s, message_s;
	bool enabled;
	unsigned position; /* 1, 2, ... */
};

enum { FILTERS_MOST = 20 }; /* each takes its time of every mail */

/* Those that are on and see mail of DIRECTION (never FILTER_BOTH) that comes by
 * LISTENER, in their order; YES also for none. */
enum answer directory_filters(struct directory *d, struct str listener,
			      enum filter_direction direction,
			      struct arena *arena, const struct filter **out,
			      size_t *n);

/* ---- this node ---- */

struct node {
	char id[17];     /* 16 hex digits */
	uint8_t key[32]; /* for the loop trail */
};

bool directory_node(struct directory *d, struct node *out) must_check;

#endif
