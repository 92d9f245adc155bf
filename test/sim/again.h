/*
 * Mails that are handed in again, whole: what arrived anywhere, with the trace
 * fields it came with.  By a user it is new, and by anybody else it comes round.
 */
#ifndef TEST_SIM_AGAIN_H
#define TEST_SIM_AGAIN_H

#include "books.h"

/* In one world of three there is somebody who does so. */
void again_draw(int64_t window_ms);

void again_open(void);
void again_close(void);
/* It has arrived for PERSON at TAKER. */
void again_keep(const struct unit *u, int person, int taker, struct str sender,
		struct str recipient, struct str bytes);
/* Which of them C hands in next, and M goes to whom; -1: none. */
int again_choose(const struct client *c, struct mail *m);
/* U is that COPY, with a mark of its own in front; -1: it is not. */
void again_write(struct unit *u, int copy);

#endif
