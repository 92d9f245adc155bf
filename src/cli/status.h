/* `splitmail status` as a plugin of Nagios and its kin (status_nagios.c). */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/cli.h"

/*
 * One line, "SPLITMAIL OK - 3 sessions, 12 mails wait | sessions=3;;;0 ...", and
 * the exit status that monitoring-plugins have: 0 OK, 1 WARNING, 2 CRITICAL (no
 * mail comes in), 3 UNKNOWN (whoever asks may not).
 */
int status_nagios(struct cli *c, const struct args *a);

#endif
