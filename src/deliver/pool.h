/*
 * Open connections to next hops, kept for the next mail.
 *
 *	struct slot *slot = pool_enter(pool, key, deadline);	waits for room
 *	struct peer *p = slot_idle(slot);			or dial one
 *	...
 *	pool_leave(slot, p);			p lies here or is closed
 *
 * One slot per key (an address under one policy and one system), at most
 * LIMIT_PER_HOP connections of it in use; who comes later waits until one is
 * given back or its deadline comes.  An idle connection is handed out only
 * while it is quiet: one that said something meanwhile (421, as a rule) or was
 * closed is dropped.  One pool per loop.  A key's first line says whose
 * connections they are; the rest keeps them apart.
 */
#ifndef DELIVER_POOL_H
#define DELIVER_POOL_H

#include "deliver/peer.h"

struct pool;
struct slot;

struct pool *pool_open(void);
/* Closes what is idle; nothing may be in use. */
void pool_close(struct pool *pool);

/* NULL: no room came free; cause(). */
struct slot *waits pool_enter(struct pool *pool, struct str key,
                              int64_t deadline_ms) must_check;
/* An idle connection, or NULL: the caller opens one. */
struct peer *slot_idle(struct slot *slot);
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
