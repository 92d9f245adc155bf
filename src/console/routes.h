/*
 * Which route of routes.def a request takes, by its method and path.
 */
#ifndef CONSOLE_ROUTES_H
#define CONSOLE_ROUTES_H

#include "console/handlers.h"

/* NULL: none.  Then *ALLOW has the methods of its path, or NULL when there is no
 * such path.  The {parts} of the path go into r->args. */
const struct route *route_find(struct request *r, const char **allow);
/* A hint for who made a POST to a list: " PUT ... makes one.", or "". */
const char *route_instead_of_post(struct request *r);

#endif
