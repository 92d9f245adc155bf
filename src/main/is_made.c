/*
 * splitmail is-made: what systemd asks before it starts the service
 * (ExecCondition=).  Before `init` there is nothing to start: the service stays as
 * it is, and its log and `systemctl status` have the sentence that says why.
 */
#include <errno.h>
#include <unistd.h>

#include "main/main.h"

int is_made_main(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *path = arena_printf(arena, "%s/splitmail.conf", c->data);

	if (access(path, F_OK) == 0 || errno != ENOENT)
		return 0;
	return call_fail(1,
			 "nothing is started: %s is not there; `%s` makes it",
			 path, begin_init(c->data, arena));
}
