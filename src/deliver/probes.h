/*
 * The questions to other systems that are open on this loop.
 */
#ifndef DELIVER_PROBES_H
#define DELIVER_PROBES_H

#include "deliver/inside.h"

struct probes *probes_open(struct deliver *d);
/* None may be open. */
void probes_close(struct probes *all);
/* All are given up, soon; until then, or the deadline. */
void probes_stop(struct probes *all);
void waits probes_drain(struct probes *all, int64_t deadline_ms);
bool probes_are_over(const struct probes *all);

#endif
