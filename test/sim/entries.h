/*
 * The plan as a list of entries, each with a name, so that any of them can be
 * left out: by hand (--without c0,e1), or when a world is shrunk (shrink.h).
 *
 *	c0  c0.3  c0.3.u4	a client; a mail of it; one recipient of that
 *	e2			a mishap, or what an administrator does
 *	s1  p0			a Splitmail, another system
 *	u3  u3@two  g0.u1	an address, in the second domain; a member of a
 *				group
 *	p0.manners  resets ...	what is out of the common
 *
 * The plan is drawn whole, and then something of it is left out: the draws of
 * all the others are what they were.  What cannot be without an entry goes with
 * it: the mails of a client, who is at home on a system, what befalls him.
 */
#ifndef TEST_SIM_ENTRIES_H
#define TEST_SIM_ENTRIES_H

#include <stddef.h>

#include "base/str.h"

/* In the order in which it pays to do without them. */
enum part {
	PART_CLIENT,
	PART_EVENT,
	PART_SPLITMAIL,
	PART_PEER,
	PART_MAIL,
	PART_PERSON,
	PART_RECIPIENT, /* from here on: details */
	PART_MEMBER,
	PART_MANNERS,
	PART_GONE,
	PART_RESETS,
	PART_CUTS,
	PART_JITTER,
	PART_PIECES,
	PART_HASTE,
	PART_PIPELINES,
	PART_CHUNKS,
	PART_BYTES,
	PART_CATCH_ALL,
	PART_ASKS,
	PART_WAY_OUT,
	PART_TLS,
	PART_LANES,
	PART_FULL,
	PART_DISABLED,
	PART_CROWD,
	PART_ALSO,
};

struct entry {
	enum part part;
	int of[3]; /* the client, its mail, a person ... */
	char name[40];
};

enum { ENTRIES = 2000 };

struct entries {
	struct entry all[ENTRIES];
	size_t n;
};

/* Those of the plan as it is now, part by part. */
void entries_list(struct entries *to);
struct person_name {
	char text[24];
} person_name(int person);
/* It says 250 at once, as everybody would. */
struct taker;
bool taker_is_ordinary(const struct taker *t);
/* Each name of NAMES, which are separated by commas.  What has gone with
 * another is out already.  False: BAD is no entry of this plan. */
bool entries_leave_out(struct str names, struct str *bad);

#endif
