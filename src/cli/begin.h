/*
 * What comes first: the commands that make a data folder and start its server,
 * as they have to be typed on this machine.
 *
 *	cli_refuse(c, "... Start it: %s.", begin_serve(c->data, c->arena));
 *
 * They are sentences' ends without quotes; the texts are the arena's.
 */
#ifndef CLI_BEGIN_H
#define CLI_BEGIN_H

#include "base/arena.h"

/* The data folder when nobody names another; packaging/splitmail.service is
 * for it. */
#define USUAL_DATA "/var/lib/splitmail"

/* "splitmail init --hostname NAME", with --data where DATA is not the usual. */
const char *begin_init(const char *data, struct arena *a);
/* "systemctl start splitmail" where the unit is installed, systemd runs, and DATA
 * is the usual; else "splitmail serve". */
const char *begin_serve(const char *data, struct arena *a);

#endif
