/*
 * Watchers: open streams of events, and the letters they get (events.h).
 *
 * Two sides share the list under one lock: the server's threads add, read and
 * forget watchers, the beat looks at each and puts letters.  One that the beat
 * holds outlives its request.
 */
#ifndef CONSOLE_WATCHERS_H
#define CONSOLE_WATCHERS_H

#include "console/topics.h"
#include "console/who.h"

/* ---- letters: bytes that many read and nobody changes ---- */

struct letter;

struct letter *letter_new(struct str text);
void letter_drop(struct letter *l); /* NULL is allowed */
/* *TO becomes a share in FROM, or NULL; what it was is dropped. */
void letter_put(struct letter **to, struct letter *from);
bool letter_same(const struct letter *a, const struct letter *b);

/* ---- watchers ---- */

struct watcher {
	/* For good: */
	struct arena *arena;
	struct credentials shown;
	struct who who;    /* when it began */
	struct str domain; /* empty: all */
	unsigned topics;   /* bits */
	int socket;
	/* Under the lock: */
	struct watcher *prev, *next;
	struct request *request; /* NULL: it is gone */
	unsigned holders;
	bool is_over, is_parked;
	struct letter *waiting[TOPICS], *remark, *current;
	size_t at; /* of the current one */
	/* The beat's: */
	struct letter *last[TOPICS], *own[TOPICS];
	int64_t said_ms;
};

/* For the one who makes R; FIRST, which it takes over, is the first thing it
 * reads. */
struct watcher *watcher_new(struct request *r, unsigned topics,
			    struct str domain, struct letter *first);

enum watcher_added { WATCHER_ADDED, WATCHER_ONE_TOO_MANY, WATCHER_TOO_LATE };

/* One that is not added is freed.  ADDED() is called before anybody can stop
 * the watchers. */
enum watcher_added watcher_add(struct watcher *w, void (*added)(void));

/* ---- for the server's threads ---- */

/* The next bytes for this watcher. False: no more, ever.  N of 0: none now, and
 * the request is parked. */
bool watcher_read(struct watcher *w, char *to, size_t room, size_t *n);
/* Called when a request is gone. */
void watcher_forget(struct request *r);

/* ---- for the beat ---- */

/* All that have not ended or hung up, in ARENA, until they are let go. */
struct watcher **watchers_hold(struct arena *arena, size_t *n);
void watchers_let_go(struct watcher **list, size_t n);
/* PLACE is &w->waiting[...] or &w->remark: a letter there that was not begun
 * is replaced. */
void watcher_put(struct watcher *w, struct letter **place, struct letter *l);
void watcher_end(struct watcher *w);

/* ---- all of them ---- */

void watchers_open(void);
/* They are told to end, and none is added any more. */
void watchers_end(void);

#endif
