/*
 * Connections from inside, for rt/sim only.
 *
 * A connection is two ends, one on each host.  What an end sends travels in
 * pieces, each an event; pieces of one direction arrive in the order in which
 * they were sent, those of different connections as it comes.  Within a
 * machine there is no piece: bytes are there at once.
 *
 * Invariants:
 *  1. An end that is not open has no stream; what arrives there is answered
 *     with a reset.
 *  2. in_flight is what the peer has sent and is not in arrived yet; a sender
 *     waits while both together fill the window.
 *  3. A connection is freed when both ends are closed and no piece is under
 *     way (uses).
 */
#ifndef RT_SIM_NET_INSIDE_H
#define RT_SIM_NET_INSIDE_H

#include "base/buf.h"
#include "rt/sim/world_inside.h"
#include "rt/stream.h"

enum {
	WINDOW_BYTES = 212992, /* as a Unix socket's */
	CAN_READ = 1,
	CAN_WRITE = 2,
};

enum carrier {
	CARRIED_BY_PAIR, /* a Unix socket: its peer's end is seen at once */
	CARRIED_BY_TCP,
};

struct end {
	struct connection *connection;
	struct sim_host *host;
	struct sim_link *link; /* of what it sends; NULL: the machine */
	struct stream *stream; /* NULL: nobody has it (yet) */
	/* There is something to read, or room to write, or trouble. */
	void (*stir)(struct stream *s);
	struct buf arrived;
	size_t in_flight;
	uint64_t sent, came; /* pieces, of what it sends */
	int64_t last_us;     /* when the last of them arrives */
	bool is_open;
	bool is_dead;        /* what is lost is not sent again */
	bool has_end;        /* the peer has */
	const char *trouble; /* "Connection reset by peer" */
	struct inet address;
};

struct connection {
	struct connection *prev, *next; /* all */
	uint64_t number;
	enum carrier carrier;
	struct end ends[2];
	unsigned uses; /* pieces under way */
	bool hangs;    /* nothing arrives any more */
};

/* Both ends are open and have no stream. */
struct connection *connection_new(enum carrier carrier, struct sim_host *a,
				  struct sim_host *b);
struct end *end_other(struct end *e);
/* How many were taken: 0: there is no room; -1: cause(). */
ptrdiff_t end_send(struct end *e, const char *p, size_t n);
/* 0: nothing is there, see has_end and trouble. */
size_t end_receive(struct end *e, char *to, size_t room);
bool end_has_room(struct end *e);
/* Orderly, or by a reset. */
void end_close(struct end *e, bool reset);
/* How long a piece of N bytes takes from now on. */
int64_t link_delay(const struct sim_link *l, size_t n);
struct sim_link *link_of(struct sim_host *from, struct sim_host *to);

/* ---- stream.c ---- */

struct stream *stream_of_end(struct end *e);

/* ---- listener.c ---- */

enum meeting {
	MEETING_DONE,    /* the connection waits to be accepted */
	MEETING_REFUSED, /* nobody listens */
	MEETING_FULL,    /* try again later */
};

/* A connection from CLIENT's end to AT on HOST.  *MADE is the client's end. */
enum meeting listener_meet(struct sim_host *host, const struct inet *at,
			   struct sim_host *client, const struct inet *from,
			   struct end **made);
enum meeting listener_meet_path(struct sim_host *host, const char *path,
				struct end **made);
bool path_is_there(struct sim_host *host, const char *path);

#endif
