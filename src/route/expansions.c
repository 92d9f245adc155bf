/*
 * What the recipients of one mail were expanded to, so that it is done once.
 *
 * What a group becomes depends on the directory and on the trail the mail came
 * with, not on who leads to it; so the key is the group's and that trail.
 *
 * Invariant: what was noted reaches somebody.  A group whose members all are
 * left out is refused when it is a recipient, beside another that leads to it
 * as well as alone; so it is expanded again.  Again, too, and to nothing new, is
 * one whose members are groups that another way led to first.
 */
#include "route/walk.h"

#include "base/hash.h"

struct expansion {
	UT_hash_handle hh;
	struct str key; /* of the mail's: that and the trail */

	/* of a walk's: */
	struct expansion *from;
	bool reaches;
	struct str mail_key; /* empty: the mail has it already */
};

static struct expansion *find(struct expansion *all, struct str key)
{
	struct expansion *found;

	HASH_FIND(hh, all, key.p, key.n, found);
	return found;
}

static void add(struct expansion **all, struct expansion *e)
{
	HASH_ADD_KEYPTR(hh, *all, e->key.p, e->key.n, e);
}

/* ---- in one walk ---- */

struct expansion *expansion_begin(struct walk *w, const struct way *way,
				  struct str key)
{
	struct expansion *e;

	if (find(w->expansions, key))
		return NULL;
	e = arena_new(w->arena, struct expansion);
	e->key = key;
	e->from = way->of;
	add(&w->expansions, e);
	return e;
}

static void reaches(struct expansion *e)
{
	for (; e && !e->reaches; e = e->from)
		e->reaches = true;
}

void way_reaches(const struct way *way)
{
	reaches(way->of);
}

struct str expansion_key(const struct expansion *e)
{
	return e->key;
}

/* ---- in one mail ---- */

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

bool expanded_for_another(struct walk *w, struct expansion *e)
{
	const struct expansions *mail = w->q->expansions;
	struct str key;

	if (!mail)
		return false;
	key = arena_strf(w->arena, "%.*s %.*s", STR(e->key), STR(w->q->trail));
	if (!find(mail->all, key)) {
		e->mail_key = key;
		return false;
	}
	reaches(e);
	return true;
}

size_t expansions_end(struct walk *w, const struct str **mail_keys)
{
	struct str *keys;
	size_t n = 0;

	if (!w->expansions)
		return 0;
	keys = arena_array(w->arena, struct str, HASH_COUNT(w->expansions));
	for (struct expansion *e = w->expansions; e; e = e->hh.next)
		if (e->reaches && !str_empty(e->mail_key))
			keys[n++] = e->mail_key;
	HASH_CLEAR(hh, w->expansions);
	*mail_keys = keys;
	return n;
}

void expansions_note(struct expansions *mail, const struct decision *d)
{
	mail->legs += d->n;
	for (size_t i = 0; i < d->n_groups; i++) {
		struct expansion *one;

		if (find(mail->all, d->groups[i]))
			continue;
		one = arena_new(mail->arena, struct expansion);
		one->key = arena_str(mail->arena, d->groups[i]);
		add(&mail->all, one);
	}
}
