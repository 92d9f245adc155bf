#include "queue/lanes.h"

#include <stdlib.h>

#include "base/limits.h"

enum { LANES_FEW = 50000 };

struct lane *lane_make(struct lanes *l, struct next_hop hop)
{
	struct arena *a scoped(arena) = arena_open();
	struct str key = next_hop_text(&hop, a);
	struct lane *lane;

	HASH_FIND(hh, l->all, key.p, key.n, lane);
	if (lane)
		return lane;
	lane = must_alloc(sizeof(*lane) + key.n);
	*lane = (struct lane){ .due_ms = INT64_MAX, .key_bytes = key.n };
	memcpy(lane->key, key.p, key.n);
	lane->hop = (struct next_hop){
		hop.kind, { lane->key + key.n - hop.name.n, hop.name.n }
	};
	HASH_ADD_KEYPTR(hh, l->all, lane->key, lane->key_bytes, lane);
	return lane;
}

void lane_note(struct lanes *l, struct next_hop hop, int64_t due_ms)
{
	struct lane *lane = lane_make(l, hop);

	if (due_ms < lane->due_ms)
		lane->due_ms = due_ms;
}

void lanes_clear(struct lanes *l)
{
	struct lane *lane, *next;

	HASH_ITER (hh, l->all, lane, next) {
		HASH_DEL(l->all, lane);
		free(lane);
	}
}

void lanes_are_read(struct lanes *l)
{
	l->n_read = HASH_COUNT(l->all);
}

bool lanes_are_stale(const struct lanes *l)
{
	size_t n = HASH_COUNT(l->all);

	return n >= LANES_FEW && n >= 2 * l->n_read;
}
