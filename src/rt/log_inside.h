/*
 * Between log.c, which makes lines, and log_out.c, which gets them out.
 */
#ifndef RT_LOG_INSIDE_H
#define RT_LOG_INSIDE_H

#include <stddef.h>

#include "base/check.h"

/* Whole lines, N bytes.  Once log_start() was called they are only put where
 * the log's thread finds them; until then, and in a crash, they are written. */
void log_out(const char *lines, size_t n);
/* Is stderr the journal of systemd?  Lines then begin with "<priority>NAME[PID]: "
 * and have no date. */
bool log_finds_journal(void);
/* The number of this process. */
int log_process(void);
/* A warning of the log's own, as log_warn() makes them; its length. */
size_t log_make_line(char *to, size_t room, const char *format, ...)
	printf_like(3, 4);
/* What this thread gathered and did not give to log_out() yet. */
size_t log_gathered(const char **lines);

#endif
