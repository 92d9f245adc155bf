/*
 * Mailboxes here that have the message already.
 */
#ifndef DELIVER_GIVEN_BACK_H
#define DELIVER_GIVEN_BACK_H

#include "deliver/inside.h"

/* At acceptance: shares of mailboxes that have the message already, from this
 * server and a moment ago, are dropped. */
void waits round_drop_given(struct round *round);
/* At the end: mailboxes that did not get it have it not. */
void round_forget_given(struct round *round);

#endif
