/*
 * route(): where would this address go, and why.
 *
 * One function answers for every recipient, whoever asks: the SMTP session,
 * submission, the queue before each attempt, groups, DSNs, the command line.
 * It is pure: its answer depends on the directory, the question and what
 * verification knows, and it waits for nothing.  The order of its rules is the
 * order of the functions in rules.c.
 *
 *	struct question q = { .recipient = &address, .asker = asker };
 *	struct decision d = route_answer(router, &q, arena);
 *	if (d.ask) {			another system should be asked first
 *		deliver_probe(...);	tells route/verify.h
 *		q.has_asked = true;
 *		d = route_answer(router, &q, arena);
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
#include "rt/fiber.h"
#include "wire/address.h"
#include "wire/aliases.h"
#include "wire/reply.h"

struct verification; /* route/verify.h */
struct allowance;    /* route/allowance.h */
struct guard;        /* route/guard.h */
struct callers;      /* route/callers.h */
struct expansions;

struct router { /* one per loop */
	struct directory *directory;
	struct verification *verification; /* NULL: knows nothing, and
	                                      nothing is to be asked */
	struct allowance *allowance;       /* NULL: nobody is limited */
	const struct guard *guard;
	struct str hostname; /* this server's: its postmaster is everybody's;
	                        may be empty */
	int64_t sees;        /* the one domain that who looks may see: what
	                            leads to others of ours is not followed
	                            into them.  0: all, and always where mail
	                            is to go */
	const struct aliases *aliases; /* of this host's own names; NULL: none.
	                                  May be another list after a wait */
	struct callers *callers; /* NULL: a system's hosts are known by their
	                            addresses only, not by their names */
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
	struct str user;      /* login; LOCAL: whose Sieve, as far as known */
	struct system system; /* ASKER_SYSTEM */
	bool trusted;         /* ASKER_SYSTEM: by AUTH or `trust`, so that it
	                         has rights; otherwise it only refuses loops */
};

/* "internet", "user:a@b", "system:NAME", "local", "local:a@b" (his Sieve); false:
 * cause(). */
bool asker_parse(struct directory *d, struct str text, struct arena *arena,
		 struct asker *out) must_check;
struct str asker_text(const struct asker *a, struct arena *arena);
/* Who calls from PEER without having said who he is: the system that is
 * trusted there, or a stranger.  UNSURE: cause(). */
enum answer asker_at(struct directory *d, const struct inet *peer,
		     struct arena *arena, struct asker *out);
/* May send to anybody: whoever is known and trusted. */
bool asker_has_rights(const struct asker *a);

struct question {
	const struct address *recipient;
	struct asker asker;
	const struct inet *peer; /* who is connected to us, for who is not a
	                            user; NULL: nobody, or somebody at an
	                            address that says nothing */
	struct str trail;        /* entries that came with the recipient */
	struct expansions *expansions; /* of the mail it is a recipient of;
	                                  NULL: of none */
	bool is_split;            /* retry of one share: do not expand again */
	bool takes_there;         /* when both: the other system's share */
	bool is_copy;             /* of a forward: wherever it lives by now */
	uint64_t message_bytes;   /* declared or known; 0: unknown */
	const struct str *sender; /* the mail's, empty for <>; NULL: unknown */
	bool is_probe; /* the sender is <>, or one of questions: perhaps
	                           another system that asks, so that it must
	                           not wait for us */
	const struct inet *client; /* whose guesses are counted; or NULL */
	bool has_asked;            /* the system was, and has not answered in
	                              the time one may wait for it at RCPT */
	bool is_retry; /* from the queue, where only what was accepted
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
	struct str sender;    /* instead of the mail's, because it is sent on to
	                      the Internet (wire/srs.h); empty: the mail's */
	struct outgoing outgoing; /* LEG_INTERNET: it leaves from there */
	struct str trail; /* to be sent along: what came and our own entry */
	bool is_member;   /* by expansion */
	bool is_here;     /* share of a split: PART_HERE, else PART_THERE */
	bool is_split;
	bool is_copy;  /* split, and the only share of its address: what
	                  a forward keeps */
	bool is_known; /* the directory or a verification knows it */
};

/* Does it leave for the Internet, by whatever way? */
static inline bool leg_leaves(const struct leg *leg)
{
	return leg->kind == LEG_INTERNET ||
	       (leg->kind == LEG_SYSTEM && leg->system.smart_host);
}
/* Of the Internet: by the MX of the leg's domain. */
struct next_hop leg_next_hop(const struct leg *leg);
/* Where it leaves from; empty: as the server's settings say. */
static inline const struct outgoing *leg_outgoing(const struct leg *leg)
{
	return leg->kind == LEG_SYSTEM ? &leg->system.limits.outgoing
				       : &leg->outgoing;
}

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
	struct str resolve; /* hosts whose addresses would tell whether it
	                       is they who call: callers_resolve(), then
	                       decide again; empty: none */
	bool ask_later;     /* accepted, and worth a question in the background;
	                   with legs[0] and the key likewise */
	bool was_told; /* another system has decided it, some time before */
	struct reply reply; /* what the sender would see at RCPT */
	const struct reason *reasons;
	size_t n_reasons;
	const struct str
		*groups; /* that reach somebody: for expansions_note() */
	size_t n_groups;
	size_t looked;              /* at how many addresses, for all that */
	bool is_known;              /* an address of ours exists for it */
	struct str domain;          /* our domain's first name, or empty */
	uint64_t max_message_bytes; /* 0: the server's */
};

struct decision route_decide(const struct router *r, const struct question *q,
			     struct arena *arena);
/* The same in a fiber: what has to be resolved first is, and others have
 * their turn after every LIMIT_ROUTE_STEP addresses. */
struct decision waits route_answer(const struct router *r,
				   const struct question *q,
				   struct arena *arena);

/*
 * The groups and forwards that recipients of one mail were expanded to.  One
 * that several of them lead to is expanded once: all+1@ and all+2@, or two
 * groups that have a third one in them.  Whoever accepts a recipient notes its
 * decision; later ones have the legs that are still missing, perhaps none.  One
 * that reaches nobody is refused, whoever led to it before.
 * Memory is ARENA's.
 */
struct expansions *expansions_open(struct arena *arena);
void expansions_close(struct expansions *e); /* NULL is allowed */
void expansions_note(struct expansions *e, const struct decision *d);
/* Legs of all that was noted. */
size_t expansions_legs(const struct expansions *e);

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
/* Has a stranger who writes as A to be verified (own_senders = verify)?  What was
 * sent on from here comes back as it is. */
enum answer route_verifies(const struct router *r, const struct address *a,
			   struct arena *arena);

#endif
