/*
 * The last hour, in memory: what waited, and what became of mail, of all
 * domains and of each; a point every few seconds since the console started.
 *
 * Points are noted by the beat (events.c) whether anybody watches or not, so
 * that who signs in sees the hour before.  What was not known is null, not
 * zero: the engine did not answer, or more than LIMIT_CONSOLE_HISTORIES domains
 * had mail in that hour and this one was too late for a place.  Domains that
 * are gone give theirs back.
 */
#ifndef CONSOLE_HISTORY_H
#define CONSOLE_HISTORY_H

#include "console/figures.h"

enum { HISTORY_STEP_S = 5 };

/* When the next point is to be noted. */
int64_t history_due_ms(void);
/* Blocks: asks the directory for names and the queue for what waits.  False:
 * cause(). */
bool history_note(struct directory *d, struct tools *queue,
		  const struct figures *now) must_check;
/* Of the domain with this id; 0: of all. */
json_t *history_json(int64_t domain);
void history_close(void);

#endif
