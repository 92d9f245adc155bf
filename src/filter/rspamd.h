/*
 * The Rspamd that the supervisor runs for this Splitmail alone (main/rspamd.h):
 * a filter as any other, known by where it listens.
 */
#ifndef FILTER_RSPAMD_H
#define FILTER_RSPAMD_H

#include "base/arena.h"

#define RSPAMD_PROGRAM "/usr/bin/rspamd"
#define RSPAMD_FOLDER "rspamd" /* in the data folder */

/* As a filter's socket is written; DATA is an absolute path. */
static inline struct str rspamd_socket(const char *data, struct arena *arena)
{
	return arena_strf(arena, "unix:%s/" RSPAMD_FOLDER "/run/milter.sock",
			  data);
}

#endif
