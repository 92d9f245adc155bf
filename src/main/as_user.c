/*
 * splitmail as-user USER PROGRAM ARGUMENTS...: what the supervisor runs its
 * children through.  No shell, and nothing of root's is left behind.
 */
#include <stdio.h>
#include <unistd.h>

#include "filter/rspamd.h"
#include "main/main.h"
#include "rt/confine.h"
#include "rt/privileges.h"

int as_user_main(const struct call *c)
{
	struct person person;

	if (c->argc < 3)
		return call_fail(2, "usage: splitmail as-user USER PROGRAM...");
	if (!person_find(c->argv[1], &person) ||
	    !privileges_become(&person, true))
		return call_fail(1, "%s", cause());
	/* whose Lua is compiled as it runs */
	if (strcmp(c->argv[2], RSPAMD_PROGRAM) != 0)
		confine_memory();
	execv(c->argv[2], c->argv + 2);
	fail("run %s: %m", c->argv[2]);
	return call_fail(1, "%s", cause());
}
