/*
 * Delivery to other servers.
 */
#ifndef DELIVER_REMOTE_H
#define DELIVER_REMOTE_H

#include "deliver/inside.h"

/* Try to deliver to the N SHARES, all of one next hop: each has an outcome
 * afterwards. */
void waits remote_deliver(struct attempt *a, struct share **shares, size_t n);

#endif
