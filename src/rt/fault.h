/*
 * Deaths that tests ask for: SPLITMAIL_FAULT="PLACE WORD SIGNAL" in the
 * environment makes the process die by that signal (a number) when it comes by
 * PLACE with something that contains WORD.
 *
 *	fault_here("attempt", leg->address);
 *
 * In builds with tests only; in any other nothing is left of it.
 */
#ifndef RT_FAULT_H
#define RT_FAULT_H

#include "base/str.h"

#ifdef SPLITMAIL_FAULTS
void fault_here(const char *place, struct str what);
/* Is NAME in the environment? */
bool fault_wanted(const char *name);
#else
static inline void fault_here(const char *place, struct str what)
{
	(void)place;
	(void)what;
}
#endif

#endif
