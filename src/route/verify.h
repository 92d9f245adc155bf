/*
 * What other systems have said about their addresses.
 *
 * One memory for all loops.  A yes is fresh for 10 minutes (no new question) and
 * is remembered for 7 days as "confirmed once"; a no holds 30 seconds; trouble
 * holds 5, so that a system that is down is not dialled for every RCPT.
 * Bounded by LIMIT_VERIFICATIONS: those not used for longest go.
 *
 * A system that accepts every address of a domain confirms none of them: when it
 * has confirmed some and refused none, it is asked for one that is made up.  If
 * it accepts that, its yes is fresh for 10 minutes and no more, for a day or
 * until it refuses somebody.
 *
 * Trouble with one address is its own.  Of a system as a whole it is said only
 * that it is down: every host of it was dialled anew, and none took the
 * connection; and it has answered nobody since that question began.
 *
 * A question that comes back while it is still open (A asks B, B asks A) is
 * seen in any loop.  It can come back only after RCPT was said (verify_said());
 * and soon, or whoever sends with the null sender would hear of a slow system
 * that nobody has the address.
 */
#ifndef ROUTE_VERIFY_H
#define ROUTE_VERIFY_H

#include "route/route.h"
#include "rt/tally.h"

enum verdict {
	VERDICT_NOT_ASKED,
	VERDICT_YES,
	VERDICT_NO,      /* 5xx at RCPT: reply is what it said */
	VERDICT_TROUBLE, /* 4xx, refused our MAIL, or no answer about this
	                    address; reply of code 0: nothing was said */
	VERDICT_DOWN,    /* no host of it can be reached; a reply of code 0:
	                    nothing was said */
};

struct finding {
	enum verdict verdict; /* NOT_ASKED: nothing that is fresh */
	struct reply reply;
	int64_t age_s;
	bool once_confirmed; /* a yes within 7 days, whatever came later; of a
	                        system that does not accept everything */
	bool was_refused;    /* the last yes or no was a no, however old */
	bool is_due;         /* no word about it within the last hour */
	bool is_asked_now;   /* the question is open, here or in another loop;
	                        false as well when the verdict is fresh */
	bool may_come_back;  /* is_asked_now, and RCPT was said within the last
	                        LIMIT_PROBE_WAIT_MS */
};

/* SYSTEM is its system_key() everywhere below. */

/* OPEN_QUESTIONS outlives it; NULL: questions never meet. */
struct verification *verification_open(struct tally *open_questions);
void verification_close(struct verification *v); /* NULL is allowed */

struct finding verify_find(struct verification *v, struct str system,
			   struct str address_key, struct arena *arena);
/* Around a probe.  begin: false when the question is open already, or has just
 * been answered. */
bool verify_begin(struct verification *v, struct str system,
		  struct str address_key) must_check;
/* RCPT is being said, between the two. */
void verify_said(struct verification *v, struct str system,
		 struct str address_key);
/* Is it open, here or in another loop? */
bool verify_is_open(struct verification *v, struct str system,
		    struct str address_key);
/* VERDICT_NOT_ASKED: the probe was given up, nothing is learned.  BEGAN_MS: a
 * system that has answered since is not down. */
void verify_end(struct verification *v, struct str system,
		struct str address_key, enum verdict verdict,
		const struct reply *reply, int64_t began_ms);
/* A relayed recipient was accepted or refused: as good as a probe. */
void verify_learn(struct verification *v, struct str system,
		  struct str address_key, enum verdict verdict,
		  const struct reply *reply);

/* Is it time to ask SYSTEM for an address of DOMAIN that nobody has?  Once it
 * was true, not for an hour. */
bool verify_wants_proof(struct verification *v, struct str system,
			struct str domain);
/* What it said to that. */
void verify_learn_made_up(struct verification *v, struct str system,
			  struct str domain, enum verdict verdict);

/* The largest message SYSTEM takes, as its EHLO said last; 0: no limit is
 * known. */
void verify_learn_size(struct verification *v, struct str system,
		       uint64_t bytes);
uint64_t verify_size(struct verification *v, struct str system,
		     struct arena *arena);

/* ---- what outlives the process (route/confirmed.h) ---- */

struct confirmation {
	struct str system, address_key;
	int64_t age_ms;   /* of the last yes */
	bool was_refused; /* a no came later */
};

typedef void waits confirmation_each(void *arg, const struct confirmation *c);

/* All that were confirmed, from the one not used for longest on; those that are
 * news since the last call.  EACH may wait. */
void waits verify_each_confirmed(struct verification *v,
				 confirmation_each *each, void *arg);
void waits verify_each_news(struct verification *v, confirmation_each *each,
			    void *arg);
/* As it was told before.  One that is older than 7 days is left out. */
void verify_restore(struct verification *v, const struct confirmation *c);

#endif
