/* Which planted fault is alive; in builds for mutants only. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mutants.h"

static const char *const names[MUTANTS] = {
#define PLANTED(name, where, sentence) [MUTANT_##name] = #name,
#include "base/mutants.def"
#undef PLANTED
};

enum mutant mutant_alive;

bool mutant_wake(const char *name)
{
	for (int i = MUTANT_NONE + 1; i < MUTANTS; i++)
		if (strcmp(names[i], name) == 0) {
			mutant_alive = (enum mutant)i;
			return true;
		}
	return false;
}

__attribute__((constructor)) static void wake_who_is_named(void)
{
	const char *name = getenv("SPLITMAIL_MUTANT");

	if (!name || !name[0] || mutant_wake(name))
		return;
	fprintf(stderr, "SPLITMAIL_MUTANT: there is no \"%s\"\n", name);
	exit(2);
}
