/* A world before main(), for unit tests that were written for the kernel, too,
 * and open none: of the seed in SPLITMAIL_SEED, or 0. */
#include <stdlib.h>

#include "rt/sim/sim.h"

static void __attribute__((constructor)) open_by_itself(void)
{
	const char *text = getenv("SPLITMAIL_SEED");

	sim_open(text ? strtoull(text, NULL, 10) : 0);
}
