/*
 * For tests of hosts and of who waits for them: each is a story on loop 0, which
 * has some of it done on loop 1.
 */
#ifndef DELIVER_HOSTS_TEST_STORY_H
#define DELIVER_HOSTS_TEST_STORY_H

#include "deliver/hosts_inside.h"

enum {
	SOON_MS = 20000, /* for what happens at once */
	HOUR_MS = 3600000,
	DAY_MS = 24 * HOUR_MS,
	MINUTES_MS = 300000,
	MANY = 20, /* places of the host of most tests */
};

/* Told with one host that has MANY places. */
void tell(void (*main)(struct hosts *hosts, struct host_state *h));
struct host_state *hold(struct hosts *hosts, unsigned number, unsigned places);
/* Done on loop 1, in a fiber. */
void waits elsewhere(void (*run)(struct host_state *h), struct host_state *h);
/* Time passes for what is known. */
void later(struct hosts *hosts, int64_t ms);

/* Is there a place for a mail?  Then it is taken. */
bool enters(struct host_state *h);
/* A connection that is served, or none. */
bool connects(struct host_state *h);
unsigned connect_all(struct host_state *h);
void disconnect(struct host_state *h, unsigned n);
/* One more is dialled and sent away. */
enum host_fullness is_sent_away(struct host_state *h);

#endif
