/*
 * How long what waits has waited, and when it is tried again.
 */
#include "deliver/retry.h"

enum {
	SOON_MS = 5000,
	OFTEN = 4, /* times as often, when it is soon well as a rule */
};

/* As Postfix: wait as long again as it has been waiting.  What should be well
 * soon is tried sooner; but when it is not, less and less often, too. */
int64_t retry_time(const struct deliver_settings *s, bool soon,
		   int64_t since_ms, int64_t now_ms)
{
	int64_t least = s->retry_min_s * 1000, most = s->retry_max_s * 1000;
	int64_t wait = now_ms - since_ms;

	if (soon && wait > least)
		wait = wait / OFTEN > least ? wait / OFTEN : least;
	if (soon && least > SOON_MS)
		least = SOON_MS;
	if (wait < least)
		wait = least;
	if (wait > most)
		wait = most;
	return now_ms + wait;
}

int64_t message_waited_ms(struct deliver *d, const struct message *m)
{
	return m->entered_ms ? queue_now(d->queue) - m->entered_ms : 0;
}
