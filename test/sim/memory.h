/*
 * Memory that nobody points at any more, after a world in which no server was
 * killed: what a killed one had is not given back.  Only builds with
 * AddressSanitizer know.
 */
#ifndef TEST_SIM_MEMORY_H
#define TEST_SIM_MEMORY_H

#include <stdbool.h>

/* What it was is written to standard error. */
bool memory_is_lost(void);

#endif
