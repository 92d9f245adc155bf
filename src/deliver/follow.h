/*
 * Waiting mail follows the directory.
 */
#ifndef DELIVER_FOLLOW_H
#define DELIVER_FOLLOW_H

#include "deliver/inside.h"

struct follow;

struct follow *follow_open(void);
void follow_close(struct follow *f);
/* Has somebody changed the directory?  Then what waits follows, in a fiber of
 * its own. */
void follow_look(struct deliver *d);
bool follow_runs(const struct follow *f);

#endif
