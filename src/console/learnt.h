/*
 * What was learnt of the hosts of a system, or of a domain's relay.
 */
#ifndef CONSOLE_LEARNT_H
#define CONSOLE_LEARNT_H

#include "console/handlers.h"

/* A, which shows one that goes to the hosts or the system named by its member
 * KEY, with "learnt": a list, empty when KEY is; null, when the engine does not
 * answer.  Called again when the errand has ended. */
struct response answer_with_learnt(struct request *r, struct response a,
				   const char *key);

#endif
