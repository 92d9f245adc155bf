/*
 * The file of the host's aliases (wire/aliases.h), as one lane has it.
 *
 *	struct host_aliases *a = host_aliases_open("/etc/aliases");
 *	router.aliases = host_aliases_list(a);
 *	fiber_start("aliases", host_aliases_keeper, a);	until it is cancelled
 *	...
 *	host_aliases_close(a);
 *
 * It is looked at every two seconds.  One that is not there has no aliases;
 * one that cannot be read, or is too large, leaves those of before.
 */
#ifndef ENGINE_HOST_ALIASES_H
#define ENGINE_HOST_ALIASES_H

#include "rt/fiber.h"
#include "wire/aliases.h"

struct host_aliases;

/* Read for the first time, which blocks: a thread that helped would be made
 * before this process gives up its rights, and keep them.  SAYS: the log hears
 * what is wrong with it. */
struct host_aliases *host_aliases_open(const char *path, bool says);
void host_aliases_close(struct host_aliases *a); /* NULL is allowed */
/* Good as long as A is; what is in it changes while the caller waits. */
const struct aliases *host_aliases_list(const struct host_aliases *a);
void waits host_aliases_keeper(void *host_aliases);

#endif
