/*
 * Where a mail system can be reached, and an open conversation with it.
 *
 *	hops_find(d, leg, deadline, arena, &hops, &n, &trouble)
 *	line_open(d, &hops[0], false, deadline, arena, &line, &trouble)
 *	...talk over line.peer
 *	line_release(&line);
 */
#ifndef DELIVER_REMOTE_H
#define DELIVER_REMOTE_H

#include "deliver/job.h"
#include "deliver/pool.h"

/* One address to connect to, under one policy. */
struct hop {
	struct str host; /* its name: TLS, log */
	struct inet at;
	const char *path; /* a Unix socket instead: LMTP */
	enum system_tls tls;
	struct str user, password;
	struct str system; /* connections are not shared by systems */
	bool is_internet;  /* found by MX: never ourselves */
};

/* A connection in use: given back with line_release(). */
struct line {
	struct peer *peer;
	struct slot *slot;
};

/*
 * The addresses of LEG's next hop, in the order in which they are to be tried:
 * as configured (or by MX), but those that did not answer a moment ago last.
 * False: *TROUBLE says why there are none.
 */
bool waits hops_find(struct deliver *d, const struct leg *leg,
                     int64_t deadline_ms, struct arena *arena, struct hop **out,
                     size_t *n, struct trouble *trouble) must_check;

/* A pooled or (FRESH: always) a new connection, greeted, secured and
 * authenticated.  False: *TROUBLE. */
bool waits line_open(struct deliver *d, const struct hop *hop, bool fresh,
                     int64_t deadline_ms, struct arena *arena, struct line *out,
                     struct trouble *trouble) must_check;
/* Back to the pool, or closed when it is broken. */
void line_release(struct line *line);

/* One transaction over HOP with those of LEFT that are WAITING; LEFT is
 * reordered.  Those that are WAITING afterwards may go to another host. */
void waits hop_try(struct attempt *a, const struct hop *hop,
                   struct share **left, size_t n, struct trouble *trouble);

/* For people; and for the pool, whose keys begin with ledgers_row(). */
struct str hop_name(const struct hop *hop, struct arena *arena);
struct str hop_key(const struct hop *hop, struct arena *arena);
/* *TROUBLE: the way leads to ourselves; false. */
bool loops_back(struct trouble *trouble, struct arena *arena);

#endif
