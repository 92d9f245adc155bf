/*
 * Operators of the Internet's mail hosts (wire/operator.h), as destinations:
 * how many mails go there at once and in a minute, and how long nothing does
 * because one has said that it is too much.  One memory for all loops.
 *
 *	switch (destination_enter(all, S("google.com"), &wish, &rest)) {
 *	case DESTINATION_RESTS:	...nothing goes before rest.for_ms
 *	case DESTINATION_BUSY:	...none came free before the deadline
 *	case DESTINATION_OPEN:
 *		...one mail
 *		destination_leave(all, S("google.com"), outcome, &reply);
 *	}
 *
 * Who says that it wants less (blame_throttles()) rests: for a minute, and
 * twice as long each time it says so again, an hour at most.  Then one mail
 * tries, and when it is taken twice as many as before may go at once, until
 * it is forgotten that there was anything.  Who waits meanwhile comes back one
 * after the other, so that they are not all looked at again and again.
 *
 * A name is a peer's: at most LIMIT_DESTINATIONS are known, those where nothing
 * is under way go first.
 */
#ifndef DELIVER_DESTINATIONS_H
#define DELIVER_DESTINATIONS_H

#include "base/arena.h"
#include "rt/fiber.h"
#include "wire/reply.h"

struct destinations;

/* 0 of the first two: as many as like. */
struct destination_limits {
	unsigned at_once, per_minute;
	int64_t rest_ms, rest_most_ms; /* the first time; at most */
};

struct destinations *destinations_open(const struct destination_limits *limits);
void destinations_close(struct destinations *all); /* NULL is allowed */

enum destination_answer {
	DESTINATION_OPEN,
	DESTINATION_RESTS,
	DESTINATION_BUSY, /* or cancelled */
};

struct destination_wish {
	struct str domain; /* whose mail it is, for those who watch */
	bool is_ordered;   /* an administrator wants it tried */
	int64_t deadline_ms;
};

struct destination_rest {
	int64_t for_ms;     /* when to come back, from now on */
	struct reply reply; /* why; its text in the caller's arena */
};

/* *REST is set with DESTINATION_RESTS. */
enum destination_answer waits
destination_enter(struct destinations *all, struct str name,
		  const struct destination_wish *wish, struct arena *arena,
		  struct destination_rest *rest) must_check;

enum destination_outcome {
	DESTINATION_NOTHING, /* neither of them */
	DESTINATION_TOOK,
	DESTINATION_THROTTLED,
};
/* The one that entered is done.  REPLY: what was said, with THROTTLED.  True:
 * it is well again, and what waits for it need not wait longer
 * (destination_domains()). */
bool destination_leave(struct destinations *all, struct str name,
		       enum destination_outcome outcome,
		       const struct reply *reply);
/* An administrator wants to know now: its rest is over.  False: it does not
 * rest. */
bool destination_wake(struct destinations *all, struct str name) must_check;
/* Domains of whose mail it was that was put off there, in ARENA. */
struct str *destination_domains(struct destinations *all, struct str name,
				struct arena *arena, size_t *n);

/* What is known, for those who watch; strings in ARENA. */
struct destination_note {
	struct str name;
	unsigned in_use, at_once; /* at_once: allowed now; 0: as set */
	bool rests;
	int64_t until_ms;   /* wall clock, of its rest; 0: it does not */
	struct reply reply; /* why it rests, or is let recover */
	const struct str *domains;
	size_t n_domains;
};
/* Those that rest or recover, and those where something is under way. */
struct destination_note *destinations_list(struct destinations *all,
					   struct arena *arena, size_t *n);

#endif
