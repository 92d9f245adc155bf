/*
 * Open connections to next hops, kept for the next mail.
 *
 *	struct guest g = { .kind = GUEST_MAIL };
 *	struct slot *slot = pool_enter(pool, key, host, &g, deadline, &p);
 *	if (!p)
 *		slot_dialled(slot, p = ...);
 *	...
 *	pool_leave(slot, p);			p lies here or is closed
 *
 * One slot per key (an address under one policy and one system); how many
 * connections there may be is the host's business (hosts.h), for all loops
 * together.  Who finds neither an idle connection nor a place for a new one
 * waits until one is given back or its deadline comes.  An idle connection is
 * handed out only while it is quiet: one that said something meanwhile (421, as
 * a rule) or was closed is dropped.  It is not kept beyond LIMIT_CONNECTION_MS,
 * or the mails that its host or administrator wants over one; nor while others
 * wait for its place.  One pool per loop.  A key's first line says whose
 * connections they are; the rest keeps them apart.
 */
#ifndef DELIVER_POOL_H
#define DELIVER_POOL_H

#include "deliver/hosts.h"
#include "deliver/peer.h"

struct pool;
struct slot;

struct pool *pool_open(struct hosts *hosts);
/* Closes what is idle; nothing may be in use. */
void pool_close(struct pool *pool);

/* An idle connection, or (*PEER is NULL) the place for a new one, which the
 * caller opens.  NULL: nothing came free; cause().  HOST becomes the slot's. */
struct slot *waits pool_enter(struct pool *pool, struct str key,
			      struct host_state *host, struct guest *g,
			      int64_t deadline_ms,
			      struct peer **peer) must_check;
/* He has; NULL: it did not come to be, and its place is given up. */
void slot_dialled(struct slot *slot, struct peer *p);
struct host_state *slot_host(const struct slot *slot);
/* P may be NULL: there is no connection. */
void pool_leave(struct slot *slot, struct peer *p);
/* Every slot: the first line of its key, and its connections. */
void pool_list(struct pool *pool,
	       void (*each)(void *arg, struct str whose, unsigned in_use,
			    unsigned idle),
	       void *arg);
/* Idle connections now. */
unsigned pool_idle(const struct pool *pool);

#endif
