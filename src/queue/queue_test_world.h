/*
 * For unit tests: a queue in a folder of its own, and messages whose bytes
 * follow from a number.
 */
#ifndef QUEUE_QUEUE_TEST_WORLD_H
#define QUEUE_QUEUE_TEST_WORLD_H

#include "base/test.h"
#include "queue/queue.h"
#include "queue/store.h"

struct world {
	char folder[64];
	struct queue *q;
};

void world_open(struct world *w);
void world_again(struct world *w); /* as after a restart */
void world_close(struct world *w);
/* Somebody else's connection, as the command line's: the first number. */
int64_t ask(struct world *w, const char *text);
bool is_in(struct world *w, int64_t number);
int spool_files(struct world *w);

size_t size_of(unsigned n); /* 7, 23, 39...: in the spool */
void fill(unsigned n, char *to, size_t size);
struct message *waits make_sized(struct world *w, unsigned n, size_t size);
struct message *waits make_message(struct world *w, unsigned n);
bool waits body_is(struct message *m, unsigned n, size_t size);
bool waits is_whole(struct message *m);

void waits keep(struct world *w, struct message *m, bool claim);
struct claim_wish wish(int64_t now, size_t max);
bool waits changed(struct world *w); /* queue_changed() */
struct message *waits claim_one(struct world *w, int64_t now, int64_t *next);

#endif
