/*
 * HTTP: from libmicrohttpd's callbacks to a handler, and its answer back.
 */
#ifndef CONSOLE_SERVER_H
#define CONSOLE_SERVER_H

#include "console/request.h"

struct server;

/* NULL: cause(). */
struct server *server_listen(const struct inet *at);
/* Begins to answer, on threads of its own. */
bool server_start(struct server *s, struct console *c) must_check;
/* No new connections; those that run go on. */
void server_quiesce(struct server *s);
/* After server_quiesce(): until all that has begun is answered, or the deadline
 * comes, for some clients do not read. */
void waits server_finish(struct console *c, int64_t deadline_ms);
/* After server_quiesce(), or without server_start(). Nobody may be parked any
 * more, and an answer that is not sent yet is cut off. */
void server_close(struct server *s);

#endif
