/*
 * The file of the host's aliases, for who is no engine.
 *
 *	router.aliases = aliases_read(config->aliases, arena);
 */
#ifndef MAIN_ALIASES_H
#define MAIN_ALIASES_H

#include "wire/aliases.h"

/* In ARENA.  NULL: PATH is, or it cannot be read: cause(). */
const struct aliases *aliases_read(const char *path, struct arena *arena);
#endif
