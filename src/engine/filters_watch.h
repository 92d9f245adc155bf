/*
 * Filters that mail has to pass and that cannot be asked: each is connected to
 * when somebody wants to know, all at once; and one that mails have met silent
 * is down, too, until it has let one pass, or none has met it for a while.
 *
 *	filters_watch_ask(w);			every few seconds
 *	filters_watch_troubles(w, list);	from any thread meanwhile
 *
 * What begins and what is over is logged once.
 */
#ifndef ENGINE_FILTERS_WATCH_H
#define ENGINE_FILTERS_WATCH_H

#include <jansson.h>

#include "rt/fiber.h"

struct damage;
struct dns;
struct filters_watch;
struct ledger;

struct filters_watch_of {
	const char *directory; /* path of directory.db */
	struct damage *damage;
	struct dns *dns;
	struct ledger *figures; /* what mails have met (filter/filter.h) */
};

struct filters_watch *filters_watch_open(const struct filters_watch_of *of);
/* After the loop that asked. */
void filters_watch_close(struct filters_watch *w);
/* Takes LIMIT_FILTER_CONNECT_MS at most. */
void waits filters_watch_ask(struct filters_watch *w);
/* Not while it is being asked. */
void filters_watch_troubles(const struct filters_watch *w, json_t *list);

#endif
