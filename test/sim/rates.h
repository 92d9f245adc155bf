/*
 * So many mails a minute an administrator lets go to a system
 * (manners.mails_per_minute): who has counted, and what that explains.
 */
#ifndef TEST_SIM_RATES_H
#define TEST_SIM_RATES_H

#include "world.h"

struct inet;

/* PEER says MAIL to T, which may be a question, too; and then DATA. */
void rate_note(struct taker *t, const struct inet *peer, bool has_text);
/* Until when none of the Splitmails could send another mail to T, or now; 0: there
 * was always room. */
int64_t rate_full_ms(const struct taker *t);

#endif
