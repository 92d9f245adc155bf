/*
 * Counts by key, shared by all loops: connections per address, questions that
 * are open.  The one place where loops see each other's numbers; rt keeps the
 * lock.
 *
 *	if (tally_add(per_ip, key) > LIMIT_CONNECTIONS_PER_IP) ...
 *	...
 *	tally_drop(per_ip, key);
 */
#ifndef RT_TALLY_H
#define RT_TALLY_H

#include "base/str.h"

struct tally;

struct tally *tally_open(void);
void tally_close(struct tally *t);
/* One more; returns the new count. */
uint64_t tally_add(struct tally *t, struct str key);
/* One less; the key is forgotten at zero. */
void tally_drop(struct tally *t, struct str key);
uint64_t tally_count(struct tally *t, struct str key);
uint64_t tally_total(struct tally *t);

#endif
