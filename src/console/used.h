/*
 * How much lies in a mailbox.
 */
#ifndef CONSOLE_USED_H
#define CONSOLE_USED_H

#include "console/handlers.h"

/* A, which shows a user or shared mailbox, with "used" when there is a mailbox
 * here: null, when Dovecot does not say in time.  Called again when the errand
 * has ended. */
struct response answer_with_used(struct request *r, struct response a);

#endif
