/* Texts of the queue, shared by its list and the overview. */
#ifndef CONSOLE_WAITING_H
#define CONSOLE_WAITING_H

#include "queue/tools.h"

/* "451 4.4.1 down (mx.b.example[192.0.2.1]:25)", or empty. (queue.c) */
struct str reply_text(const struct reply *reply, struct str remote,
		      struct arena *a);

#endif
