/*
 * The host's own names: root@mx.example.org, where mx.example.org is this
 * server, as its aliases(5) have them (wire/aliases.h).
 *
 * An alias is a group: whom it names are new recipients, and a name without a
 * domain is one of this host's again.
 */
#include "route/walk.h"

static const struct alias *alias_of(const struct walk *w,
				    const struct target *t)
{
	const struct router *r = w->router;
	const struct alias *found;

	if (!r->aliases || str_empty(r->hostname) ||
	    !str_same(t->address->domain, r->hostname))
		return NULL;
	found = aliases_find(r->aliases, t->address->local);
	if (!found && t->address->has_detail)
		found = aliases_find(r->aliases, t->address->base);
	return found;
}

/* The file may be read anew before all of them were looked at: they are
 * copied. */
static struct members members_of(struct walk *w, const struct alias *a)
{
	struct str *list = arena_array(w->arena, struct str, a->n + 1);

	for (size_t i = 0; i < a->n; i++)
		list[i] = str_find(a->targets[i], '@') >= 0
				  ? arena_str(w->arena, a->targets[i])
				  : arena_strf(w->arena, "%.*s@%.*s",
					       STR(a->targets[i]),
					       STR(w->router->hostname));
	return (struct members){ .list = list, .n = a->n };
}

static bool expand_alias(struct walk *w, struct target *t,
			 const struct alias *a, struct outcome *o)
{
	struct members members = members_of(w, a);
	struct expansion *e;

	if (w->router->sees) {
		because(w, not_to_see, V("address", t->spelling),
			V("domain", t->address->domain));
		return decide_drop(w, t, o);
	}
	if (!str_empty(a->unfit))
		because(w, alias_unfit, V("address", t->spelling),
			V("target", a->unfit));
	if (a->n == 0)
		return decide_refuse(w, o, 550, "5.3.5",
				     "%sthe aliases of this host lead it to "
				     "no address",
				     shown_address(w, t));
	if (group_begin(w, t, t->key, &e, o))
		return true;
	because(w, alias_of, V("address", t->spelling), V("n", a->n));
	return group_expand(w, t, e, members, o);
}

bool rule_alias_of_host(struct walk *w, struct target *t, struct outcome *o)
{
	const struct alias *a = alias_of(w, t);
	struct domain unused;

	if (!a)
		return false;
	switch (directory_domain(w->router->directory, t->address->domain,
				 w->arena, &unused)) {
	case ANSWER_YES:
		return false;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return decide_unsure(w, o);
	}
	t->key = t->given_key = address_key(t->address, w->arena);
	return expand_alias(w, t, a, o);
}

bool rule_alias_beside(struct walk *w, struct target *t, struct outcome *o)
{
	const struct alias *a = t->is_held ? NULL : alias_of(w, t);

	return a && expand_alias(w, t, a, o);
}
