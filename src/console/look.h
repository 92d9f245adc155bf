/*
 * The engine is told that somebody has changed the queue or the directory: mail
 * may wait for that.  If it does not hear, it finds out by itself.
 */
#ifndef CONSOLE_LOOK_H
#define CONSOLE_LOOK_H

#include "console/request.h"

void engine_looks(struct request *r);

#endif
