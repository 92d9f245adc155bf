/*
 * Where the engine writes: what rt/confine.h leaves it.
 *
 * The data folder and what lies elsewhere by a symbolic link in it: its spool,
 * its sockets, a database.  In the folder of the programs' socket only sockets
 * are made.
 */
#ifndef MAIN_PLACES_H
#define MAIN_PLACES_H

#include "main/config.h"
#include "rt/confine.h"

enum { PLACES_MOST = 8 };

/* In the config's arena.  How many there are. */
size_t places_of_engine(const struct config *c,
			struct confined_place out[PLACES_MOST]);

#endif
