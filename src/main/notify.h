/*
 * What a service manager is told: systemd's protocol (sd_notify(3)), datagrams
 * of NAME=VALUE lines to the socket that $NOTIFY_SOCKET names, a path or
 * "@name".
 *
 *	notify_open(&n);
 *	...
 *	notify_ready(&n);		everything is up
 *	notify_status(&n, "...");	a sentence for `systemctl status`
 *	notify_alive(&n);		twice in each n.watchdog_ms
 *
 * Without $NOTIFY_SOCKET nobody listens, and all of it does nothing.  The
 * variables are taken out of the environment: what we start does not speak for
 * us.
 *
 * READY=1 waits for a manager that is slow, NOTIFY_MS at most, for without it a
 * start has failed; nothing else waits: what has no room is lost, and the next
 * word of its kind may have some.
 */
#ifndef MAIN_NOTIFY_H
#define MAIN_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include "rt/fiber.h"

enum { NOTIFY_MS = 5000, NOTIFY_STATUS_BYTES = 400 };

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_bytes;
	int64_t watchdog_ms; /* 0: no word of life is wanted */
	bool is_ready;       /* that was said */
	char status[NOTIFY_STATUS_BYTES];
};

/* False: cause(), and nobody listens. */
bool notify_open(struct notify *n) must_check;
void notify_close(struct notify *n);
bool notify_is_heard(const struct notify *n);

void waits notify_ready(struct notify *n);
/* Reading everything again: from here to notify_ready(). */
void notify_reloading(struct notify *n);
/* WITHIN_MS: how long the end may take; a start likewise. */
void notify_stopping(struct notify *n, int64_t within_ms);
void notify_starting(struct notify *n, int64_t within_ms);
void notify_alive(struct notify *n);
/* One line, cut at NOTIFY_STATUS_BYTES; the same as before is not said again. */
void notify_status(struct notify *n, const char *format, ...) printf_like(2, 3);

#endif
