/* Texts of the queue, shared by its list and the overview. */
#ifndef CONSOLE_WAITING_H
#define CONSOLE_WAITING_H

#include "console/request.h"
#include "queue/tools.h"

/*
 * Recipients lie in the queue under the name they were given with: all names
 * of DOMAIN (empty: of the administrator's own; for a superadministrator one
 * empty name, which is every domain).  A superadministrator may name a domain
 * that is none of ours.  NO: it is not his, or not there.  (queue.c)
 */
enum answer queue_names(struct request *r, struct str domain,
			const struct str **out, size_t *n);

#endif
