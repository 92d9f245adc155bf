/*
 * What he who asks may see of what leads to an address: an administrator of a
 * domain only what is of that.
 */
#include "directory/change.h"

static const char *const kind_names[] = {
	[REFERENCE_FORWARD] = "forward",
	[REFERENCE_MEMBER] = "member",
	[REFERENCE_CATCH_ALL] = "catch_all",
	[REFERENCE_POSTMASTER] = "postmaster",
	[REFERENCE_ADMINISTRATOR] = "administrator",
};

const char *reference_kind_name(enum reference_kind k)
{
	return kind_names[k];
}

bool reference_is_seen(const struct changes *c, const struct reference *r)
{
	return !c->role_domain || r->domain == c->role_domain;
}

static struct str text_of(struct changes *c, const struct reference *r)
{
	return arena_strf(c->arena, "%.*s (%s%s)", STR(r->owner),
			  kind_names[r->kind],
			  r->is_last ? "; nobody is left in it" : "");
}

/* The first ten that he sees. */
struct texts references_texts(struct changes *c, const struct references *all)
{
	struct str *names = arena_array(c->arena, struct str, NAMES_SHOWN);
	size_t n = 0;

	for (size_t i = 0; i < all->n && n < NAMES_SHOWN; i++)
		if (reference_is_seen(c, &all->r[i]))
			names[n++] = text_of(c, &all->r[i]);
	return (struct texts){ names, n };
}
