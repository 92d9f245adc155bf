/* A recipient's address, read once. */
#include "queue/message.h"

const struct address *recipient_parsed(const struct recipient *r,
				       struct arena *arena)
{
	struct address *a;
	struct str path;

	if (r->parsed)
		return r->parsed;
	a = arena_new(arena, struct address);
	if (address_parse(r->address, arena, a))
		return a;
	path = arena_strf(arena, "<%.*s>", STR(r->address)); /* <postmaster> */
	return path_parse(&path, PATH_FORWARD, arena, a) ? a : NULL;
}
