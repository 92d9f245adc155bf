/*
 * One next hop, many recipients: a fiber each.
 */
#ifndef DELIVER_ATTEMPT_H
#define DELIVER_ATTEMPT_H

#include "deliver/inside.h"

/* Group by next hop and start one fiber each; a share whose attempt cannot be
 * started is LATER. */
void attempts_start(struct round *round);

#endif
