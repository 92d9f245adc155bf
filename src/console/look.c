/* Changes are many, the engine is called once for those of a moment (look.h). */
#include "console/look.h"

#include <stdatomic.h>

#include "console/errands.h"
#include "control/control.h"

enum { ANSWER_MS = 1000 };

static atomic_bool is_called;

static void waits call(void *settings)
{
	const struct console_settings *set = settings;
	struct buf answer scoped(buf) = BUF_EMPTY;
	struct arena *a scoped(arena) = arena_open();
	const char *path = arena_printf(a, "%s/%s", set->data, CONTROL_SOCKET);

	atomic_store(&is_called, false);
	(void)!control_ask(path, S("look"), after_ms(ANSWER_MS), &answer);
}

void engine_looks(struct request *r)
{
	if (!atomic_exchange(&is_called, true))
		errand_alone(call, r->console->settings);
}
