/*
 * May a request be made: by its address, by who makes it, and from where?
 */
#ifndef CONSOLE_ADMISSION_H
#define CONSOLE_ADMISSION_H

#include "console/handlers.h"

/* May it be made?  Asked at its head; r->route and r->who are known then.
 * False: *OUT. */
bool admit_request(struct request *r, struct response *out) must_check;
/* A body may have taken its time: who asks is asked again. */
bool admit_request_again(struct request *r, struct response *out) must_check;

#endif
