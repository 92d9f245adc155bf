/* What the tests of confine.h look at. */
#ifndef RT_CONFINE_INSIDE_H
#define RT_CONFINE_INSIDE_H

#include <stdint.h>

#include "rt/confine.h"

/* What a version of Landlock's ABI is told to refuse, and what of it is given
 * back in a place. */
uint64_t confine_rights(int abi);
uint64_t confine_rights_in(enum confined_to to, int abi);

/* io_uring is what no kernel here has, from now on: libuv 1.45 and later makes
 * one with each loop, whatever it is told, and aborts when it cannot use that any
 * more.  For this thread and those it starts. */
void confine_rings(struct confinement *c);

enum call_verdict { CALL_ALLOWED, CALL_LIMITED, CALL_FORBIDDEN };

/* calls.def, row by row; NULL: that was the last. */
const char *confine_call(size_t i, enum call_verdict *verdict);

#endif
