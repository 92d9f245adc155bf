/* A ring of instants: the oldest says when the next one may go (pace.h). */
#include "base/pace.h"

#include <stdlib.h>

enum { MINUTE_MS = 60000 };

/* The newest ones are what counts. */
static void resize(struct pace *p, unsigned room)
{
	int64_t *at = must_alloc(room * sizeof(*at));
	unsigned n = p->n < room ? p->n : room;

	for (unsigned i = 0; i < n; i++)
		at[i] = p->at[(p->first + p->n - n + i) % p->room];
	free(p->at);
	*p = (struct pace){ .at = at, .room = room, .n = n };
}

bool pace_take(struct pace *p, unsigned per_minute, int64_t now_ms,
	       int64_t *again_ms)
{
	check(per_minute > 0);
	if (p->room != per_minute)
		resize(p, per_minute);
	if (p->n < p->room) {
		p->at[(p->first + p->n++) % p->room] = now_ms;
		return true;
	}
	*again_ms = p->at[p->first] + MINUTE_MS;
	if (now_ms < *again_ms)
		return false;
	p->at[p->first] = now_ms;
	p->first = (p->first + 1) % p->room;
	return true;
}

/* Which one it was is the same to the others: the newest. */
void pace_return(struct pace *p)
{
	if (p->n > 0)
		p->n--;
}

void pace_free(struct pace *p)
{
	free(p->at);
	*p = (struct pace)PACE_NEW;
}
