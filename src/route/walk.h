/*
 * One decision while it is being made: the legs and reasons found so far, and
 * the way that led from the recipient to the address looked at now.
 * Inside route/ only.
 */
#ifndef ROUTE_WALK_H
#define ROUTE_WALK_H

#include "route/route.h"
#include "wire/srs.h"

struct seen;
struct expansion;

/* Members that are still to be looked at: a group's, or a forward's targets. */
struct members {
	struct members *next;
	const struct way *way;
	const struct str *list;
	size_t n, at;
};

struct walk {
	const struct router *router;
	const struct question *q;
	struct arena *arena;

	struct leg *legs;
	size_t n, room;
	struct reason *reasons;
	size_t n_reasons, reasons_room;
	struct reason spare; /* those beyond LIMIT_REASONS */

	bool expanding;    /* a leg's address may come up twice */
	struct seen *seen; /* legs, once expanding */
	unsigned dropped;  /* who is left out, and has the mail all the same */
	struct members *first, **last; /* nearest first */
	const char *shown;             /* the outermost one that is expanded */
	size_t looked;
	struct expansion *expansions; /* groups and forwards, by their key */
	bool met_loop;

	/* sent_on.c */
	bool knows_rewritten, is_return;
	struct str rewritten; /* the sender of what is sent on; empty: the
	                         mail's */

	/* of the recipient itself */
	struct domain domain;
	bool is_known;
	struct str ask_key;
	struct str resolve; /* hosts that may be the caller's */
};

/* From the recipient to an address: each group, forward and catch-all that
 * replaced one address by others. */
struct way {
	struct str trail;     /* what came, and an entry for each step */
	struct expansion *of; /* the last group or forward; NULL: none */
	unsigned depth;
	bool is_new;    /* not the recipient that was handed to us */
	bool is_member; /* one of several: refusals are not passed on */
};

/* One address, as the rules look at it. */
struct target {
	const struct address *address;
	const struct way *way;
	struct domain domain;
	struct str name;      /* of the domain, as asked: it or an alias */
	struct str key;       /* local@ and the domain's first name: what a
	                         loop cannot disguise */
	struct str given_key; /* local@ and the domain as given */
	struct str spelling;  /* what a next hop is given */
	bool is_held;
	bool is_exact;        /* held as it is, not by leaving a detail out */
	struct holder holder; /* when is_held */
	struct str detail;    /* what a mailbox gets to see of it */
	bool is_share;        /* its legs are shares of a split */
	bool is_copy;         /* that of a forward, which keeps one */
};

struct outcome {
	enum route_action action;
	struct reply reply;
	bool ask, ask_later;
	bool was_told; /* by another system, some time before */
	bool is_final; /* also for the group it is a member of */
};

/* All return true: it is decided. */
bool decide_refuse(struct walk *w, struct outcome *o, int code,
		   const char *status, const char *format, ...)
	printf_like(5, 6);
bool decide_later(struct walk *w, struct outcome *o, const char *status,
		  const char *format, ...) printf_like(4, 5);
/* Our own trouble, cause(): 451 4.3.0, never a refusal. */
bool decide_unsure(struct walk *w, struct outcome *o);
bool decide_accept(struct outcome *o, enum route_action action);
/* Who is at the end of T's way is left out, because he has the mail, or had it. */
bool decide_drop(struct walk *w, const struct target *t, struct outcome *o);
/* More than LIMIT_EXPANSION; final.  SHOWN: shown_address(). */
bool decide_too_many(struct walk *w, const char *shown, struct outcome *o);

enum fact {
#define FACT(id, rule, source, sentence) FACT_##id,
#include "route/facts.def"
#undef FACT
};

/* because(w, our_domain, V("domain", name)): a line of facts.def and the values
 * of its sentence.  Of LIMIT_REASONS at most; never NULL. */
#define because(w, fact, ...) reason_add(w, FACT_##fact, VALUES(__VA_ARGS__))
struct reason *reason_add(struct walk *w, enum fact f,
			  const struct value *values);

/* The first time this comes up in the decision? */
bool seen_first(struct walk *w, struct str what);
void seen_close(struct walk *w);

/* ---- expansions.c ---- */

/* WAY leads to the group or forward KEY.  NULL: so did another in this walk. */
struct expansion *expansion_begin(struct walk *w, const struct way *way,
				  struct str key);
struct str expansion_key(const struct expansion *e);
/* Was it expanded for another recipient of the mail, with the same trail?  Then
 * it reaches somebody. */
bool expanded_for_another(struct walk *w, struct expansion *e);
/* Somebody has the mail by WAY: all groups and forwards that led to him reach
 * somebody. */
void way_reaches(const struct way *way);
/* The walk ends: those that reach somebody, for the mail's expansions. */
size_t expansions_end(struct walk *w, const struct str **mail_keys);

/* A leg for T, its entry added to the trail it takes along (unless it ends
 * here).  False: that address is served already, or there are too many legs
 * (*o is final then). */
struct leg *leg_add(struct walk *w, const struct target *t, enum leg_kind kind,
		    struct outcome *o);

/* ---- rules.c: all of them, for one address ---- */

struct outcome route_address(struct walk *w, const struct way *way,
			     const struct address *a);

/* ---- holder.c: T is held by somebody ---- */

/* Disabled, or no mail for this address.  True: refused. */
bool holder_has_no_mail(struct walk *w, const struct target *t,
			struct outcome *o);
/* Group, forward or home; decides. */
bool holder_decide(struct walk *w, struct target *t, struct outcome *o);

/* A step on the way: T is replaced by other addresses.  Its key in the trail;
 * was it there when the mail came; too many steps (decided); the way on. */
struct str way_key(struct walk *w, struct str address);
bool way_was_stepped(const struct walk *w, struct str key);
bool way_is_too_deep(struct walk *w, const struct target *t, struct outcome *o);
struct way way_step(struct walk *w, const struct target *t, struct str key);

/* T is a group called NAME.  True: decided, it was expanded before; else its
 * members are those of *E. */
bool group_begin(struct walk *w, const struct target *t, struct str name,
		 struct expansion **e, struct outcome *o);
/* Its MEMBERS are looked at in their turn.  Decides. */
bool group_expand(struct walk *w, const struct target *t, struct expansion *e,
		  struct members members, struct outcome *o);

/* ---- host.c: aliases of the host's own names ---- */

/* Where the host's name is no domain of ours, before all other rules. */
bool rule_alias_of_host(struct walk *w, struct target *t, struct outcome *o);
/* Where it is one, for what nobody has. */
bool rule_alias_beside(struct walk *w, struct target *t, struct outcome *o);

/* ---- sender_routing.c ---- */

/* Would a next system take T's local part for a route, and is it not for the
 * asker to say one?  True: refused.  For what leaves for a system. */
bool sender_routing_refused(struct walk *w, const struct target *t,
			    struct outcome *o);

/* ---- leave_from.c ---- */

/* The leg that was added last leaves for the Internet, by its sender: from which
 * addresses?  True: decided, as it was. */
bool leave_from(struct walk *w, const struct target *t, struct outcome *o);

/* ---- sent_on.c ---- */

/* The leg that was added last leaves for the Internet: by which sender?  True:
 * decided, as it was. */
bool sent_on_rewrite(struct walk *w, const struct target *t, struct outcome *o);
/* Could A be a sender that was rewritten? */
bool sent_on_looks_so(const struct address *a);
/* Is it a sender that this server has rewritten? */
enum answer sent_on_from_here(struct directory *d, const struct address *sender,
			      struct arena *arena);
/* Whom it is to be returned to.  False: our own trouble, cause(). */
bool sent_on_returns(struct walk *w, const struct address *a,
		     enum srs_verdict *verdict, struct str *to) must_check;

/* ---- relay.c: the other system's share ---- */

/* Has this server handed T on before, on this mail's way? */
bool route_was_here(const struct walk *w, const struct target *t);
/* Was it, or did it come from S?  The reason is added. */
bool route_loops(struct walk *w, const struct target *t,
		 const struct system *s);
/* System ID, or the domain's relay for 0.  True: decided, there is none. */
bool route_system(struct walk *w, struct target *t, int64_t id,
		  struct system *s, struct outcome *o);
/* Decides.  KNOWN: the directory has the address. */
bool route_relay(struct walk *w, const struct target *t, const struct system *s,
		 bool known, struct outcome *o);

/* ---- verified.c: and what it has said ---- */

/* Decides.  KNOWN: likewise. */
bool route_relay_verified(struct walk *w, const struct target *t,
			  const struct system *s, bool known,
			  struct outcome *o);

/* "<a@b>: ", or "" where the address does not fit into ASCII. */
const char *shown_address(const struct walk *w, const struct target *t);

#endif
