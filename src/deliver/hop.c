/*
 * What an address to connect to is called, for people and in the pool.
 */
#include "deliver/hop.h"

struct str hop_name(const struct hop *hop, struct arena *arena)
{
	if (hop->path)
		return str_of(hop->path);
	return arena_strf(arena, "%.*s[%s]:%u", STR(hop->host),
			  inet_ip_text(&hop->at).c, hop->at.port);
}

struct str hop_key(const struct hop *hop, struct arena *arena)
{
	struct str whose = next_hop_text(&hop->next, arena);

	if (hop->path)
		return arena_strf(arena, "%.*s\n%s", STR(whose), hop->path);
	return arena_strf(arena, "%.*s\n%s %d %.*s %.*s", STR(whose),
			  inet_text(&hop->at).c, hop->tls, STR(hop->host),
			  STR(hop->user));
}
