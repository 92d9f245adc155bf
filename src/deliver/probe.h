/*
 * Asking a system whether it has an address: one question, from its hosts to
 * the answer.  Inside deliver/ only; who asks is in probes.c.
 *
 *	struct probe p = { .deliver = d, .leg = &leg, .arena = arena,
 *			   .deadline_ms = after_ms(LIMIT_PROBE_MS) };
 *	probe_ask(&p);
 *	...p.verdict and p.reply can be told...
 *	probe_end(&p);		the connection is cleaned up meanwhile
 */
#ifndef DELIVER_PROBE_H
#define DELIVER_PROBE_H

#include "deliver/line.h"
#include "route/verify.h"

struct probe {
	struct deliver *deliver;
	const struct leg *leg;
	struct str key; /* address_key() of what is asked for */
	bool is_guess;  /* of somebody who was refused before */
	struct arena *arena;
	int64_t deadline_ms;

	enum verdict verdict; /* NOT_ASKED: it was cancelled */
	struct reply reply;   /* code 0: nothing was said */
	bool was_refused; /* it does not have the address: a guess, perhaps */

	/* the rest is probe.c's */
	struct line line; /* peer NULL: none */
	bool owes_reset;  /* RSET was not sent yet */
	int replies_due;  /* to what was sent already */
	int64_t hear_until_ms;
	struct reply mail, rcpt;
	struct reply why; /* of the last host that was asked in vain */
	bool was_greeted; /* by one of them */
	bool is_busy;     /* none of our connections came free */
	bool needs_utf8;
};

void waits probe_ask(struct probe *p);
void waits probe_end(struct probe *p);

#endif
