/*
 * Connections to filters: opened, kept for the next mail, and what is said and
 * heard on one.
 *
 *	struct contact *c = contact_open(filters, socket, after_ms(step_ms));
 *	milter_say_texts(&c->out, MILTER_HELO, &helo, 1);
 *	if (!contact_hear(c, arena, &answer, deadline_ms))
 *		contact_close(c);
 *	...
 *	contact_keep(c, deadline_ms);
 *
 * One mail at a time; each begins with what is agreed on.  A kept connection
 * that the filter has left meanwhile is replaced without a word.
 *
 * A filter that let us wait for nothing is not waited for again by each mail:
 * for LIMIT_FILTER_REST_MS it counts as down at once.  One that refuses at once
 * costs nothing and is tried again.
 */
#ifndef FILTER_CONTACT_H
#define FILTER_CONTACT_H

#include "dns/dns.h"
#include "filter/filter.h"
#include "rt/stream.h"
#include "wire/milter.h"

struct contact {
	struct contact *next; /* kept for its place */
	struct place *place;
	struct stream *peer;
	struct milter_options agreed;
	struct buf out; /* packets that are not sent yet */
	struct buf in;
	size_t used; /* of it: the last answer, which is on loan */
	int64_t kept_ms;
};

void filters_count(struct filters *f, struct str filter,
		   enum filter_figure which, uint64_t n);
/* How a mail has met it, and why. */
void filters_met(struct filters *f, struct str filter, enum filter_state state,
		 struct str why);

/* NULL: cause(). */
struct contact *waits contact_open(struct filters *f, struct str socket,
				   int64_t deadline_ms);
/* The mail is over, by the filter's verdict. */
void waits contact_keep(struct contact *c, int64_t deadline_ms);
/* For the filter the mail is over, too, whatever became of it. */
void contact_close(struct contact *c); /* NULL is allowed */

/* What is in `out`; false: cause(). */
bool waits contact_send(struct contact *c, int64_t deadline_ms) must_check;
/* Send, and hear one answer, on loan until the next; false: cause(). */
bool waits contact_hear(struct contact *c, struct arena *arena,
			struct milter_answer *out,
			int64_t deadline_ms) must_check;

#endif
