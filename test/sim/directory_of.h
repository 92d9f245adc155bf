/* What stands in a Splitmail's directory, and who changes it. */
#ifndef TEST_SIM_DIRECTORY_OF_H
#define TEST_SIM_DIRECTORY_OF_H

#include "world.h"

/* In a process on its host: everything as the plan has it. */
void directory_fill(const struct splitmail *s);

#endif
