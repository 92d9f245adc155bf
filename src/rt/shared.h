/*
 * Memory that outlives a process: its parent has it, too.
 *
 *	int fd = shared_make("underway", bytes);	the parent's
 *	...process_plan.shared_fd = fd, .shared_as = 4
 *	void *p = shared_map(4, bytes);			in the child
 *
 * Zeroed at first.  It is no file: what is written into it costs no disk and
 * never fails, and a child that dies leaves it as it was at that moment.
 */
#ifndef RT_SHARED_H
#define RT_SHARED_H

#include "base/fail.h"

/* A descriptor, or -1: cause(). */
int shared_make(const char *name, size_t bytes);
/* NULL: cause(). */
void *shared_map(int fd, size_t bytes);
void shared_unmap(void *p, size_t bytes); /* NULL is allowed */

#endif
