/*
 * An open conversation with a mail system, for mail or for a question.
 *
 *	hops_find(d, leg, deadline, arena, &hops, &n, &trouble)
 *	struct line_wish wish = { .kind = GUEST_MAIL, .deadline_ms = ... };
 *	line_open(d, &hops[0], &wish, arena, &line, &trouble)
 *	...talk over line.peer
 *	line_release(&line);
 *
 * A question (probe.c) does the same with GUEST_QUESTION: it has a share of the
 * connections of its own, so that neither waits for the other.  It sets
 * line.peer->is_worn when the connection has asked enough, and may read and
 * write what is known of line.host (hosts.h).
 */
#ifndef DELIVER_LINE_H
#define DELIVER_LINE_H

#include "deliver/dial.h"

/*
 * A pooled or a new connection, greeted, secured and authenticated.  Who is
 * sent away although others are served waits for one of theirs.  False:
 * *TROUBLE; with is_busy it says nothing about the host, only that no
 * connection came free in time.
 */
bool waits line_open(struct deliver *d, const struct hop *hop,
		     const struct line_wish *wish, struct arena *arena,
		     struct line *out, struct trouble *trouble) must_check;
/* *TROUBLE: no connection to HOP is free, cause(); false. */
bool line_is_busy(struct trouble *trouble, const struct hop *hop,
		  struct arena *arena);
/* HOP was silent: a fiber of its own looks whether it is back. */
void look_begin(struct deliver *d, const struct hop *hop);
/* No such fiber begins any more, and those that look give up. */
void looks_end(struct deliver *d);

#endif
