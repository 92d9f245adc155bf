/*
 * Delivery into mailboxes here.
 */
#ifndef DELIVER_MAILBOX_H
#define DELIVER_MAILBOX_H

#include "deliver/inside.h"

/* Try to deliver to the N SHARES, all of one next hop: each has an outcome
 * afterwards. */
void waits mailbox_deliver(struct attempt *a, struct share **shares, size_t n);

#endif
