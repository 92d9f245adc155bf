/*
 * The address of this machine that the kernel would send from; nothing is
 * sent for that.  For programs that start and end: not in a simulated world.
 */
#ifndef RT_SOURCE_H
#define RT_SOURCE_H

#include "base/check.h"
#include "base/inet.h"

/* To TO; port 0.  False: no way leads there. */
bool source_address(const struct inet *to, struct inet *out) must_check;

#endif
