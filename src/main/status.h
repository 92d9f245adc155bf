/*
 * What the engine says of itself on its control socket: the figures the
 * console, `splitmail status` and monitors show.
 *
 *	{"hostname", "started", "started_ms", "sessions",
 *	 "counters": {metric: n},
 *	 "systems": [{"kind", "name", "hosts", "state", "since", "problem",
 *	              "delivered", "deferred", "refused", "connections", "idle"}],
 *	 "domains": [{"name", "handed_over", "kept", "refused"}]}
 *
 * kind is mailboxes (Dovecot), internet (every domain that is not ours) or
 * system; state is up, down or unknown.  Only what mail has gone to, or from,
 * since the engine started is in the lists.  "domains" counts recipients by
 * what the client was told.
 */
#ifndef MAIN_STATUS_H
#define MAIN_STATUS_H

#include "base/buf.h"
#include "directory/directory.h"

struct ledger;

/* Open connections to one next hop, on one loop. */
struct hop_connections {
	struct str name;	/* as in the ledger of systems */
	unsigned in_use, idle;
};

struct status {
	const char *hostname;
	int64_t started_wall_ms;
	struct directory *directory;	/* hosts of named systems; may be NULL */
	struct ledger *systems, *traffic;
	unsigned sessions;
	const struct hop_connections *connections;
	size_t n_connections;
};

/* One JSON document. */
void status_write(struct buf *to, const struct status *s);

#endif
