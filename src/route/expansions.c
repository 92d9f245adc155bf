/*
 * What the recipients of one mail were expanded to, so that it is done once.
 *
 * What a group becomes depends on the directory and on the trail the mail came
 * with, not on who leads to it; so the key is the group's and that trail.
 */
#include "route/walk.h"

#include "base/hash.h"

struct expansion {
	UT_hash_handle hh;
	struct str key;
};

struct expansions {
	struct arena *arena;
	struct expansion *all;
	size_t legs;
};

struct expansions *expansions_open(struct arena *arena)
{
	struct expansions *e = arena_new(arena, struct expansions);

	e->arena = arena;
	return e;
}

void expansions_close(struct expansions *e)
{
	if (e)
		HASH_CLEAR(hh, e->all);
}

size_t expansions_legs(const struct expansions *e)
{
	return e->legs;
}

static bool has(const struct expansions *e, struct str key)
{
	struct expansion *found;

	HASH_FIND(hh, e->all, key.p, key.n, found);
	return found;
}

static void keep_group(struct walk *w, struct str key)
{
	if (w->n_groups == w->groups_room) {
		size_t room = w->groups_room ? 4 * w->groups_room : 4;
		struct str *more = arena_array(w->arena, struct str, room);

		if (w->n_groups > 0)
			memcpy(more, w->groups, w->n_groups * sizeof(*more));
		w->groups = more;
		w->groups_room = room;
	}
	w->groups[w->n_groups++] = key;
}

bool expanded_for_another(struct walk *w, struct str key)
{
	const struct expansions *e = w->q->expansions;

	if (!e)
		return false;
	key = arena_strf(w->arena, "%.*s %.*s", STR(key), STR(w->q->trail));
	if (has(e, key))
		return true;
	keep_group(w, key);
	return false;
}

void expansions_note(struct expansions *e, const struct decision *d)
{
	e->legs += d->n;
	for (size_t i = 0; i < d->n_groups; i++) {
		struct expansion *one;

		if (has(e, d->groups[i]))
			continue;
		one = arena_new(e->arena, struct expansion);
		one->key = arena_str(e->arena, d->groups[i]);
		HASH_ADD_KEYPTR(hh, e->all, one->key.p, one->key.n, one);
	}
}
