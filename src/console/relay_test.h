/*
 * Trying an alternate mail server: is it there, does it speak TLS, does it
 * refuse an address nobody has, and take one that a user there has?
 *
 * The trial is a fiber of the console's loop; the request is parked until its
 * end.
 */
#ifndef CONSOLE_RELAY_TEST_H
#define CONSOLE_RELAY_TEST_H

#include "console/request.h"

/* On the loop, before the server and after it has been quiesced: no trial
 * begins any more, and those that run have ended. */
bool relay_tests_open(const struct console_settings *s) must_check;
void waits relay_tests_stop(void);
void relay_tests_close(void);

#endif
