/*
 * Planted faults: would what is to find faults find these?
 *
 *	if (MUTANT(disabled_is_served))
 *		return false;
 *
 * Each is a line of mutants.def and one place in the code it says.  In a build
 * with -Dmutants=true one of them is alive, or none: the one the environment's
 * SPLITMAIL_MUTANT names, or mutant_wake().  Every other build has the constant
 * false there, and nothing of the planted line is left in it.
 */
#ifndef BASE_MUTANTS_H
#define BASE_MUTANTS_H

#include "base/check.h"

#ifdef SPLITMAIL_MUTANTS

enum mutant {
	MUTANT_NONE,
#define PLANTED(name, where, sentence) MUTANT_##name,
#include "base/mutants.def"
#undef PLANTED
	MUTANTS
};

extern enum mutant mutant_alive;

#define MUTANT(name) (mutant_alive == MUTANT_##name)

/* Before anything else runs. False: there is none of that name. */
bool mutant_wake(const char *name) must_check;

#else
#define MUTANT(name) false
#endif

#endif
