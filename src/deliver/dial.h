/*
 * A connection that is opened, in a place that was taken for it, and what is
 * learnt of its host by that.
 */
#ifndef DELIVER_DIAL_H
#define DELIVER_DIAL_H

#include "deliver/hop.h"
#include "deliver/hosts.h"
#include "deliver/inside.h"
#include "deliver/pool.h"
#include "wire/blame.h"

struct line_wish {
	enum guest_kind kind;
	bool is_guess;       /* a question of somebody who was refused before */
	bool fresh;          /* a pooled connection will not do */
	bool has_others;     /* other hosts are left: this one has
	                    LIMIT_FIRST_HOST_MS to greet us */
	int64_t deadline_ms; /* for a connection that is free, and for one that
	                        is opened */
};

/* A connection in use: given back with line_release(). */
struct line {
	struct peer *peer;
	struct host_state *host; /* while it is in use */
	struct slot *slot;
	enum guest_kind kind;
};

/* What is known of HOP's host, held: host_release(). */
struct host_state *host_of_hop(struct deliver *d, const struct hop *hop,
			       struct arena *arena);
/* R shows, perhaps, that a host of NEXT bans who asks for unknown addresses. */
void learn_ban(struct deliver *d, struct host_state *host,
	       const struct next_hop *next, enum smtp_verb verb,
	       const struct reply *r, struct arena *arena);
/* R says that HOST wants TLS, over a connection that goes without
 * although it is announced: since it failed.  Then it is tried again with the
 * next one. */
bool host_wants_tls(struct host_state *host, const struct peer *p,
		    const struct reply *r);
/* Opens what LINE has a place for.  False: *TROUBLE, and the place is given up,
 * though not the line; *FULL: is it the host's, or that it has enough of us? */
bool waits line_dial(struct deliver *d, const struct hop *hop,
		     const struct line_wish *wish, struct line *line,
		     struct arena *arena, struct trouble *trouble,
		     enum host_fullness *full) must_check;
/* Back to the pool, or closed when it is broken. */
void line_release(struct line *line);

#endif
