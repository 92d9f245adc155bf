/*
 * What other systems have said about their addresses.
 *
 * One memory for all loops.  A yes is fresh for 10 minutes (no new question) and is
 * remembered for 7 days as "confirmed once", which is what keep-known asks
 * when the system is down; a no holds 30 seconds; trouble holds 5, so that a
 * system that is down is not dialled for every RCPT.  Trouble without a reply
 * (code 0: it could not be reached) is said of all its addresses at once.
 * Bounded by LIMIT_VERIFICATIONS: those not used for longest go.
 *
 * A question that comes back while it is still open (A asks B, B asks A) is
 * seen by verify_begin() in any loop.
 */
#ifndef ROUTE_VERIFY_H
#define ROUTE_VERIFY_H

#include "route/route.h"
#include "rt/tally.h"

enum verdict {
	VERDICT_NOT_ASKED,
	VERDICT_YES,
	VERDICT_NO,      /* 5xx at RCPT: reply is what it said */
	VERDICT_TROUBLE, /* 4xx, refused our MAIL; reply NULL or of code
	                    0: it cannot be reached */
};

struct finding {
	enum verdict verdict;
	struct reply reply;
	int64_t age_s;
	bool once_confirmed; /* a yes within 7 days, whatever came later */
	bool is_asked_now;   /* the question is open, here or in another loop */
};

/* OPEN_QUESTIONS outlives it; NULL: questions never meet. */
struct verification *verification_open(struct tally *open_questions);
void verification_close(struct verification *v);

struct finding verify_find(struct verification *v, struct str system,
                           struct str address_key, struct arena *arena);
/* Around a probe.  begin: false when the question is open already (answer 550
 * at once if a system asks back, otherwise go without). */
bool verify_begin(struct verification *v, struct str system,
                  struct str address_key) must_check;
/* VERDICT_NOT_ASKED: the probe was given up, nothing is learned. */
void verify_end(struct verification *v, struct str system,
                struct str address_key, enum verdict verdict,
                const struct reply *reply);
/* A relayed recipient was accepted or refused: as good as a probe. */
void verify_learn(struct verification *v, struct str system,
                  struct str address_key, enum verdict verdict,
                  const struct reply *reply);

/* The largest message SYSTEM takes, as its EHLO said last; 0: no limit is
 * known. */
void verify_learn_size(struct verification *v, struct str system,
                       uint64_t bytes);
uint64_t verify_size(struct verification *v, struct str system,
                     struct arena *arena);

#endif
