/*
 * Directory handles for the threads of the console: one is lent to each
 * request while it runs.
 */
#ifndef CONSOLE_DESK_H
#define CONSOLE_DESK_H

#include "directory/directory.h"

struct desk;

struct desk *desk_open(const char *path);
void desk_close(struct desk *d);

struct directory *desk_borrow(struct desk *d); /* NULL: cause() */
void desk_return(struct desk *d,
		 struct directory *handle); /* NULL is allowed */

#endif
