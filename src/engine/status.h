/*
 * What the engine says of itself on its control socket: the figures the
 * console, `splitmail status` and monitors show.
 *
 *	{"hostname", "started", "started_ms", "sessions", "confined",
 *	 "sessions_by": [{"service", "tls", "sessions"}],
 *	 "counters": {metric: n},
 *	 "histograms": {metric: {"n": [...], "sum_ms"}},
 *	 "systems": [{"kind", "next_hop", "name", "hosts", "state", "since", "problem",
 *	              "delivered", "deferred", "refused", "connections", "idle"}],
 *	 "systems_left_out": n,
 *	 "certificate_ends",
 *	 "certificates": [{"name", "names", "names_left_out", "key", "ends",
 *	                   "ends_ms", "trouble"}],
 *	 "trouble": [{"what", "stops_mail", "text", "values", "detail"}],
 *	 "held_deadly": [id],
 *	 "domains": [{"name", "handed_over", "kept", "refused"}],
 *	 "filters": [{"name", "passed", "refused", "later", "discarded", "held",
 *	              "down", "ms"}],
 *	 "destinations": [{"name", "waiting", "mails", "at_once", "until",
 *	                   "last_reply"}],
 *	 "orphans": n}
 *
 * confined says what the kernel holds the process by (rt/confine.h), or null.
 * sessions_by has all that there can be (smtp_kind_word()); a histogram's n are
 * those of struct histogram_value.
 * kind is mailboxes (Dovecot), internet (every domain that is not ours) or
 * system; next_hop tells a system with a name from a relay, as
 * base/next_hop.h does; state is up, down or unknown.  Only what mail has gone to, or from,
 * since the engine started is in the lists.  Systems come in order of their
 * last use, and so many that the answer stays within
 * LIMIT_CONTROL_ANSWER_BYTES; the others are counted in systems_left_out.
 * "trouble" is what is wrong now (show/troubles.h), systems that are down among
 * it, the LIMIT_CONTROL_TROUBLES used last.
 * "certificate_ends" is the end of the first of "certificates", which all are
 * shown who name no host that has one of its own (engine/certificates.h).
 * "destinations" are operators of hosts of the Internet that want less mail for
 * now, LIMIT_CONTROL_TROUBLES at most: how many recipients wait for them, how many
 * mails are under way there and may be, and until when there are none at all
 * (deliver/destinations.h).
 * "held_deadly" are messages in the queue that are held because the engine died
 * whenever they were under way, at most LIMIT_CONTROL_DEADLY.  "domains" counts
 * recipients by what the client was told, "filters" what filter.h says.  "orphans" are files of mail in
 * spool.orphans/, which queue.db does not know.
 */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include <jansson.h>

#include "base/buf.h"
#include "smtp/smtp.h"

struct destinations;
struct ledger;
struct queue;

/* Open connections to one next hop, on one loop. */
struct hop_connections {
	struct str name; /* as in the ledger of systems */
	unsigned in_use, idle;
};

struct status {
	const char *hostname;
	int64_t started_wall_ms;
	const char *directory; /* its path, for hosts; may be NULL */
	const char *data;      /* the data folder, for the queue; likewise */
	struct ledger *systems, *traffic, *filters;
	struct destinations *destinations; /* may be NULL */
	struct smtp_sessions sessions;
	const char *confined;        /* or NULL */
	struct queue *queue;         /* for orphans; may be NULL */
	int64_t certificate_ends_ms; /* wall clock; 0: not known */
	json_t *certificates;        /* may be NULL */
	const json_t *troubles;      /* beside systems; may be NULL */
	const struct hop_connections *connections;
	size_t n_connections;
};

/* One JSON document.  Blocks, and with thousands of systems for long: not for a
 * loop's thread. */
void status_write(struct buf *to, const struct status *s);

#endif
