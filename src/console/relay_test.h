/*
 * Trying an alternate mail server: is it there, does it speak TLS, does it
 * refuse an address nobody has, and take one that a user there has?
 *
 * The trial is an errand (errands.h).
 */
#ifndef CONSOLE_RELAY_TEST_H
#define CONSOLE_RELAY_TEST_H

#include "console/request.h"

/* On the loop, before the server, and after the errands have ended. */
bool relay_tests_open(const struct console_settings *s) must_check;
void relay_tests_close(void);

#endif
