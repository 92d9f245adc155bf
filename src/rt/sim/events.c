/* What will happen, in the order of its instants; what has the same instant,
 * in the order in which it was said. */
#include <stdlib.h>

#include "rt/sim/world_inside.h"

struct event {
	int64_t at;
	uint64_t number;
	void (*call)(void *); /* NULL: forgotten */
	void *arg;
	struct place *home;
	bool is_own;
};

static struct {
	struct event **heap;
	size_t n, room;
	uint64_t last;
} all;

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static void up(size_t i, struct event *e)
{
	while (i > 0 && is_before(e, all.heap[(i - 1) / 2])) {
		all.heap[i] = all.heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	all.heap[i] = e;
}

static void down(size_t i, struct event *e)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < all.n &&
		    is_before(all.heap[child + 1], all.heap[child]))
			child++;
		if (child >= all.n || !is_before(all.heap[child], e))
			break;
		all.heap[i] = all.heap[child];
		i = child;
	}
	all.heap[i] = e;
}

static struct event *add(struct event what)
{
	struct event *e = must_alloc(sizeof(*e));

	*e = what;
	e->number = ++all.last;
	if (all.n == all.room) {
		all.room = all.room ? 2 * all.room : 64;
		all.heap = must_realloc(all.heap,
					all.room * sizeof(struct event *));
	}
	all.n++;
	up(all.n - 1, e);
	return e;
}

struct event *event_at(int64_t at_us, void (*call)(void *), void *arg)
{
	return add((struct event){ .at = at_us,
				   .call = call,
				   .arg = arg,
				   .home = &process_here()->thread });
}

struct event *event_of_place(struct place *where, int64_t at_us,
			     void (*call)(void *), void *arg)
{
	return add((struct event){ .at = at_us,
				   .call = call,
				   .arg = arg,
				   .home = where,
				   .is_own = true });
}

struct event *event_own_at(int64_t at_us, void (*call)(void *), void *arg)
{
	return event_of_place(place_here(), at_us, call, arg);
}

void event_forget(struct event *e)
{
	if (e)
		e->call = NULL;
}

static struct event *take_first(void)
{
	struct event *first = all.heap[0], *last = all.heap[--all.n];

	if (all.n > 0)
		down(0, last);
	return first;
}

/* What was forgotten is no reason to let time pass. */
int64_t events_next(void)
{
	while (all.n > 0 && !all.heap[0]->call)
		free(take_first());
	return all.n > 0 ? all.heap[0]->at : INT64_MAX;
}

void events_run(int64_t now_us)
{
	while (events_next() <= now_us) {
		struct event *e = take_first();

		fibers_use_home(e->home);
		if (!e->is_own || !e->home->process->ended)
			e->call(e->arg);
		free(e);
	}
}

void events_close(void)
{
	while (all.n > 0) {
		struct event *e = take_first();

		if (!e->is_own && e->call)
			free(e->arg);
		free(e);
	}
	free(all.heap);
	all.heap = NULL;
	all.room = 0;
	all.last = 0;
}
