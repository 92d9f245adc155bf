/*
 * What Splitmail says itself passes the filters of what leaves, too, so that it
 * is signed.
 *
 * A notice is not theirs to refuse, and it does not wait for them: what one of
 * them wants otherwise than changed is logged, and one that is down is passed by.
 * Each is asked by itself, so that a spam filter that does not like what is given
 * back keeps nobody from signing.
 */
#ifndef DELIVER_DSN_FILTER_H
#define DELIVER_DSN_FILTER_H

#include "deliver/inside.h"

/* M is whole and has its recipient.  However it goes, M is what is to be sent. */
void waits dsn_filter(struct deliver *d, struct message *m);

#endif
