/*
 * Who holds a port that is wanted.
 *
 *	if (!port_is_free(&at))
 *		puts(cause());	"listen on 0.0.0.0:25: Address already in use,
 *				 by exim4 (process 812)"
 */
#ifndef RT_PORT_H
#define RT_PORT_H

#include "base/check.h"
#include "base/inet.h"

/* False when somebody listens there, with the cause: whose program it is, and
 * its name where the kernel lets us see that.  Any other trouble is for who
 * listens to find. */
bool port_is_free(const struct inet *at) must_check;

/* A socket that listens, as proc(5) has it in /proc/net/tcp and tcp6. */
struct port_row {
	struct inet at;
	unsigned uid;
	uint64_t inode;
};

/* False: the line is none, or is of a socket that does not listen. */
bool port_row_parse(const char *line, struct port_row *out) must_check;
/* Does it keep another from listening on AT? */
bool port_row_holds(const struct port_row *row, const struct inet *at);

#endif
