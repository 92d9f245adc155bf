/*
 * The socket where programs of every user of this machine hand in mail: it
 * lies outside the data folder, which is closed to them.
 *
 *	supervisor	programs_make_folder(config, &person)	/run/splitmail
 *	engine		listens there, 0666; the kernel says who calls
 *	sendmail	programs_socket(data, arena)
 */
#ifndef MAIN_PROGRAMS_H
#define MAIN_PROGRAMS_H

#include "main/config.h"
#include "rt/privileges.h"

/* Of PATH, absolute: what is in front of the last '/'.  In ARENA. */
const char *programs_folder(const char *path, struct arena *arena);
/* Make the folder of CONFIG's socket for OWNER, where it is missing; what is
 * there is left as it is.  False: the engine cannot listen there, cause(). */
bool programs_make_folder(const struct config *config,
			  const struct person *owner) must_check;

/* Where sendmail finds the Splitmail of DATA: $SPLITMAIL_SOCKET, or what
 * config_sendmail() knows. */
const char *programs_socket(const char *data, struct arena *arena);
/* Nobody answers at SOCKET: is there a server, or was, so that it is worth
 * waiting for the next one? */
bool programs_may_wait(const char *socket);

#endif
