/*
 * HTTPS in a world: what sim_https() has told, after a moment; the rest is not
 * there.
 */
#include "rt/https.h"

#include <stdlib.h>

#include "rt/sim/world_inside.h"

enum { TAKES_MS = 20 };

static char *told_host, *told_text;

void sim_https(const char *host, const char *text)
{
	free(told_host);
	free(told_text);
	told_host = host ? strdup(host) : NULL;
	told_text = text ? strdup(text) : NULL;
}

bool https_get(const struct https_question *q, struct arena *arena,
	       struct str *out)
{
	fiber_sleep(after_ms(TAKES_MS));
	if (!told_text || strcmp(q->host, told_host) != 0)
		return fail("https://%s%s: there is nobody", q->host, q->path);
	*out = arena_str(arena, str_of(told_text));
	return true;
}
