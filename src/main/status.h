/*
 * What the engine says of itself on its control socket: the figures the
 * console, `splitmail status` and monitors show.
 *
 *	{"hostname", "started", "started_ms", "sessions",
 *	 "counters": {metric: n},
 *	 "systems": [{"kind", "name", "hosts", "state", "since", "problem",
 *	              "delivered", "deferred", "refused", "connections", "idle"}],
 *	 "systems_left_out": n,
 *	 "domains": [{"name", "handed_over", "kept", "refused"}]}
 *
 * kind is mailboxes (Dovecot), internet (every domain that is not ours) or
 * system; state is up, down or unknown.  Only what mail has gone to, or from,
 * since the engine started is in the lists.  Systems come in order of their
 * last use, and so many that the answer stays within
 * LIMIT_CONTROL_ANSWER_BYTES; the others are counted in systems_left_out.
 * "domains" counts recipients by what the client was told.
 */
#ifndef MAIN_STATUS_H
#define MAIN_STATUS_H

#include "base/buf.h"

struct ledger;

/* Open connections to one next hop, on one loop. */
struct hop_connections {
	struct str name;	/* as in the ledger of systems */
	unsigned in_use, idle;
};

struct status {
	const char *hostname;
	int64_t started_wall_ms;
	const char *directory;	/* its path, for hosts; may be NULL */
	struct ledger *systems, *traffic;
	unsigned sessions;
	const struct hop_connections *connections;
	size_t n_connections;
};

/* One JSON document.  Blocks, and with thousands of systems for long: not for a
 * loop's thread. */
void status_write(struct buf *to, const struct status *s);

#endif
