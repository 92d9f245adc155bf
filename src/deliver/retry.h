/*
 * When what waits is tried again.
 */
#ifndef DELIVER_RETRY_H
#define DELIVER_RETRY_H

#include "deliver/inside.h"

/* When to try again what has been waiting since SINCE: as long again, within
 * the limits of the settings.  SOON: it is our own trouble, of a moment as a
 * rule, and the first times are seconds apart. */
int64_t retry_time(const struct deliver_settings *s, bool soon,
		   int64_t since_ms, int64_t now_ms);
/* How long it has really waited; 0: it is not kept. */
int64_t message_waited_ms(struct deliver *d, const struct message *m);

#endif
