/*
 * Where mail goes next: the one word for it, from route() to the queue, the
 * pool of connections and the figures.
 *
 *	struct next_hop h = { NEXT_HOP_SYSTEM, S("exchange") };
 *	next_hop_text(&h, arena)		"system exchange"
 *
 * Kind and name together say who it is.  A system may bear any name an
 * administrator gives it ("internet", or the host name that is some domain's
 * relay): it is another next hop, with its own connections, credentials and
 * figures.
 */
#ifndef BASE_NEXT_HOP_H
#define BASE_NEXT_HOP_H

#include "base/arena.h"

enum next_hop_kind { /* the numbers are stored in queue.db */
		     NEXT_HOP_UNDECIDED = 0, /* route() has not said yet */
		     NEXT_HOP_MAILBOXES = 1, /* those of this server */
		     NEXT_HOP_SYSTEM = 2,    /* a mail system that has a name */
		     NEXT_HOP_RELAY =
			     3, /* a domain's relay: its hosts are its name */
		     NEXT_HOP_INTERNET =
			     4, /* by MX: the domain whose, or empty: all */
};

struct next_hop {
	enum next_hop_kind kind;
	struct str name; /* empty where the kind says everything */
};

/* "undecided", "mailboxes", "system", "relay", "internet" */
const char *next_hop_word(enum next_hop_kind kind);
/* False: that is no such word. */
bool next_hop_kind_of(struct str word, enum next_hop_kind *out) must_check;

/* The word and the name: no two next hops have the same text, so it is what
 * they are found by. */
struct str next_hop_text(const struct next_hop *h, struct arena *arena);
/* Back again; on loan from TEXT.  False: it was not such a text. */
bool next_hop_parse(struct str text, struct next_hop *out) must_check;

/* Is it one that an administrator calls a system: named, or a relay? */
static inline bool next_hop_is_system(const struct next_hop *h)
{
	return h->kind == NEXT_HOP_SYSTEM || h->kind == NEXT_HOP_RELAY;
}

/* The system's name or the relay's hosts, otherwise empty. */
static inline struct str next_hop_system(const struct next_hop *h)
{
	return next_hop_is_system(h) ? h->name : S("");
}

#endif
