/*
 * What came of a round is written down.
 */
#ifndef DELIVER_SETTLE_H
#define DELIVER_SETTLE_H

#include "deliver/inside.h"

/* Write what the shares know into the message's recipients, and when those
 * that are LATER are tried again.  Not while the queue reads them. */
void round_collect(struct round *round);
/* ROUND has been written: those whose next hop has come back meanwhile do not wait
 * for their own time. */
void waits round_note_comebacks(struct round *round);
/* Nobody waits for the outcome: settled now, in a fiber of its own, or when
 * the last attempt ends; what is known before that, while it runs. */
void waits round_detach(struct round *round);
/* Those that go the way of S, which has ended, hear it. */
void round_tell_followers(const struct round *round, const struct share *s);
/* An attempt goes on, and knows already what came of some of its shares. */
void round_has_news(struct round *round);
/* For attempt.c to call: one attempt less. */
void waits round_attempt_ended(struct round *round);

#endif
