/*
 * A handler that cannot answer yet: it parks the request and returns an answer
 * with status 0; when somebody has called request_resume(), on any thread, the
 * handler is called again.
 */
#ifndef CONSOLE_PARKING_H
#define CONSOLE_PARKING_H

#include "console/request.h"

void request_park(struct request *r);
void request_resume(struct request *r);

#endif
