/*
 * route(): where would this address go, and why.
 *
 * One function answers for every recipient, whoever asks: the SMTP session,
 * submission, the queue before each attempt, groups, DSNs, the command line.
 * It is pure: its answer depends on the directory, the question and what
 * verification knows, and it waits for nothing.  The order of its rules is the
 * order of the functions in route.c.
 *
 *	struct question q = { .recipient = &address, .asker = asker };
 *	struct decision d = route_decide(router, &q, arena);
 *	if (d.ask) {			another system should be asked first
 *		probe(...);		(deliver/probe.h) tells route/verify.h
 *		d = route_decide(router, &q, arena);
 *	}
 *	d.action ... d.legs ... d.reasons
 *
 * A decision to deliver has legs, one per share of the work: a mailbox here, a
 * system, the Internet.  Groups and forwards are expanded to their end here.
 */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include "base/sentence.h"
#include "directory/directory.h"
#include "wire/address.h"
#include "wire/reply.h"

struct verification; /* route/verify.h */
struct guard;        /* route/guard.h */

struct router { /* one per loop */
	struct directory *directory;
	struct verification *verification; /* NULL: knows nothing, and
	                                      nothing is to be asked */
	const struct guard *guard;
};

/* ---- the question ---- */

enum asker_kind {
	ASKER_INTERNET, /* a stranger */
	ASKER_USER,     /* authenticated */
	ASKER_SYSTEM,   /* a system that is trusted (rights) or only
	                   recognised (no rights) */
	ASKER_LOCAL,    /* ourselves: DSNs, Sieve */
};

struct asker {
	enum asker_kind kind;
	struct str user;      /* login */
	struct system system; /* ASKER_SYSTEM */
	bool trusted;         /* ASKER_SYSTEM: by AUTH or `trust`, so that it
	                         has rights; otherwise it only refuses loops */
};

/* "internet", "user:a@b", "system:NAME", "local"; false: cause(). */
bool asker_parse(struct directory *d, struct str text, struct arena *arena,
                 struct asker *out) must_check;
struct str asker_text(const struct asker *a, struct arena *arena);

struct question {
	const struct address *recipient;
	struct asker asker;
	struct str trail;       /* entries that came with the recipient */
	bool is_split;          /* retry of one share: do not expand again */
	bool takes_there;       /* when both: the other system's share */
	uint64_t message_bytes; /* declared or known; 0: unknown */
	bool is_probe;          /* the sender is <>: perhaps another system
	                           that asks, so that it must not wait for us */
	bool is_retry;          /* from the queue, where only what was accepted
	                           is: neither verification nor the guard nor
	                           the right to relay is asked for again */
};

/* ---- the decision ---- */

enum route_action {
	ROUTE_DELIVER, /* one mailbox here */
	ROUTE_RELAY,   /* one system, or the Internet */
	ROUTE_EXPAND,  /* a group or forward: legs of any kind, 0..n */
	ROUTE_BOTH,    /* here and there */
	ROUTE_REFUSE,
	ROUTE_LATER,
};

enum leg_kind { LEG_MAILBOX, LEG_SYSTEM, LEG_INTERNET };

struct leg {
	enum leg_kind kind;
	struct str address;   /* what the next hop is given */
	struct str login;     /* LEG_MAILBOX: LMTP recipient without detail */
	struct str detail;    /* LEG_MAILBOX */
	struct system system; /* LEG_SYSTEM */
	struct str domain;    /* LEG_INTERNET: whose MX */
	struct str trail; /* to be sent along: what came and our own entry */
	bool is_member;   /* by expansion */
	bool is_here;     /* share of a split: PART_HERE, else PART_THERE */
	bool is_split;
	bool is_known; /* the directory or a verification knows it */
};

struct reason {                     /* a line of facts.def */
	const char *rule;           /* "domain", "address", "home", ... */
	const char *source;         /* "directory", "verification", "trail",
	                               "configuration" */
	const char *id;             /* "our_domain" */
	const struct value *values; /* of its sentence */
	const char *sentence;       /* reason_fact() */
	int64_t age_s;              /* of a verification; 0: now */
};

struct decision {
	enum route_action action;
	const struct leg *legs;
	size_t n;
	bool ask; /* RELAY to a system that was not asked yet;
	             legs[0] and this key are what a probe needs
	             (a catch-all's target, not what was given) */
	struct str ask_key;
	struct reply reply; /* what the sender would see at RCPT */
	const struct reason *reasons;
	size_t n_reasons;
	bool is_known;              /* an address of ours exists for it */
	struct str domain;          /* our domain's first name, or empty */
	uint64_t max_message_bytes; /* 0: the server's */
};

struct decision route_decide(const struct router *r, const struct question *q,
                             struct arena *arena);
const char *route_action_name(enum route_action a); /* "deliver"... */
/* "example.org is a domain of ours" */
struct str reason_fact(const struct reason *r, struct arena *arena);

/*
 * May this asker use SENDER in MAIL FROM?  Yes: code 250.  An authenticated
 * user only his own addresses or <>; a stranger may not use an own domain that
 * says own_senders = refuse.
 */
struct reply route_sender(const struct router *r, const struct asker *a,
                          const struct address *sender, struct arena *arena);

#endif
