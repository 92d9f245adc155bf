/*
 * Somebody else's descriptor: a library that has one of its own and wants to
 * be called when there is something to read (libunbound).
 *
 *	struct watch *w = watch_open(fd, on_readable, arg);
 *	...
 *	watch_close(w);		the descriptor stays the library's
 *
 * The call is made on this loop, outside any fiber, as long as there is
 * something to read: it has to take it, must not wait, and may open gates,
 * start fibers and close the watch.  A watch does not keep the loop running.
 */
#ifndef RT_WATCH_H
#define RT_WATCH_H

struct watch;

struct watch *watch_open(int fd, void (*readable)(void *), void *arg);
void watch_close(struct watch *w);

#endif
