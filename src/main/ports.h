/* The ports that splitmail.conf wants. */
#ifndef MAIN_PORTS_H
#define MAIN_PORTS_H

#include "main/config.h"

/* Before anything starts: false when another program listens on one that mail
 * cannot be without, with whose it is as the cause (rt/port.h).  Of the console's
 * it is only said: mail flows without it. */
bool ports_are_free(const struct config *c) must_check;

#endif
