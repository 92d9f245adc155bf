/* Readiness of a foreign descriptor, by uv_poll. */
#include "rt/watch.h"

#include <stdlib.h>

#include "base/check.h"
#include "rt/linux/loop_inside.h"

struct watch {
	uv_poll_t poll;
	void (*readable)(void *);
	void *arg;
};

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;

	(void)status; /* its owner finds out by reading */
	(void)events;
	w->readable(w->arg);
}

struct watch *watch_open(int fd, void (*readable)(void *), void *arg)
{
	struct watch *w = must_alloc(sizeof(*w));

	*w = (struct watch){ .readable = readable, .arg = arg };
	check(uv_poll_init(loop_uv(), &w->poll, fd) == 0);
	w->poll.data = w;
	check(uv_poll_start(&w->poll, UV_READABLE, on_event) == 0);
	return w;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void watch_close(struct watch *w)
{
	uv_close((uv_handle_t *)&w->poll, on_closed);
}
