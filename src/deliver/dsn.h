/*
 * Who is told what came of a message.
 */
#ifndef DELIVER_DSN_H
#define DELIVER_DSN_H

#include "deliver/inside.h"

enum { DSN_MOST = 3 }; /* failed, delayed, delivered */

/*
 * Make the DSNs that are due about ROUND's shares, collected before; returns how
 * many.  The caller owns them.  dsn_told() when they are on the disk: what
 * they say is not said again.
 */
size_t waits dsn_make(struct round *round, struct message *out[DSN_MOST]);
void dsn_told(struct round *round);
/* They are not, and will be made again. */
void dsn_untold(struct round *round);

#endif
