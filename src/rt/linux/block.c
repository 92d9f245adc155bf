/* The pool of buffers: last given, first taken, so that they stay warm. */
#include <stdlib.h>

#include "rt/linux/loop_inside.h"
#include "rt/linux/stream_inside.h"

enum { SPARE = 64 }; /* 1 MiB a thread */

static _Thread_local struct block *spare;
static _Thread_local int spares;

struct block *block_take(void)
{
	struct block *b = spare;

	if (b) {
		spare = b->next;
		spares--;
	} else {
		b = must_alloc(sizeof(*b));
	}
	b->next = NULL;
	b->from = b->end = 0;
	return b;
}

void block_give(struct block *b)
{
	if (!b)
		return;
	if (spares == SPARE) {
		free(b);
		return;
	}
	b->next = spare;
	spare = b;
	spares++;
}

void blocks_close(void)
{
	while (spare) {
		struct block *b = spare;

		spare = b->next;
		free(b);
	}
	spares = 0;
}
