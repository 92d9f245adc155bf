/*
 * What became of a recipient, told once: to the log, to those who count and
 * watch, and to what is known of addresses.
 *
 *	s->state = ...; s->reply = ...;		whoever finds it out
 *	fate_...(round, s);			and says so here, once
 *
 * A share meets one of these for each round:
 *
 *	answered	route() refuses it, or has no answer now
 *	had		dropped: its mailbox has the message already
 *	tried		its next hop has said something, or nobody could be asked
 *	followed	it ends where another share does, and has that one's fate
 *
 * and then, when its message is in the queue, written, perhaps expired.  The
 * client hears of all of them together.  Who is refused at RCPT never was a
 * recipient of ours: smtp/envelope.c.
 */
#ifndef DELIVER_FATE_H
#define DELIVER_FATE_H

#include "deliver/inside.h"

void fate_answered(const struct round *round, const struct share *s);
void fate_had(const struct round *round, const struct share *s);
void fate_tried(const struct round *round, const struct share *s);
void fate_followed(const struct round *round, const struct share *s);
/* Its time in the queue is over. */
void fate_expired(const struct round *round, const struct share *s);
/* Its state is in the message now, as the queue will keep it. */
void fate_written(const struct round *round, const struct share *s);
/* The client is told 250, or that all are refused. */
void fates_told(const struct round *round);

#endif
