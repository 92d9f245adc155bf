/*
 * What goes out as a message: our header in front, then the bytes as they came
 * in, dots stuffed, nothing else.
 */
#ifndef DELIVER_CONTENT_H
#define DELIVER_CONTENT_H

#include "deliver/inside.h"
#include "deliver/peer.h"

/* Our header lines for a mail to SHARES. */
struct str content_head(const struct round *round, struct share *const *shares,
			size_t n, bool is_lmtp);
/* With HEAD in front and a CRLF at the end, not stuffed. */
uint64_t content_bytes(const struct message *m, struct str head);
/* Slower than this and a next hop holds our connection on purpose. */
int64_t content_deadline(const struct message *m, struct str head);

enum content_said {
	CONTENT_SAID,
	CONTENT_LOST,       /* the connection; cause() */
	CONTENT_UNREADABLE, /* ours: cause() says what of it */
};

/* What a recipient waits for whose message cannot be read, whoever found out:
 * nobody else's trouble, and without paths.  The log has the cause. */
struct reply content_unreadable(struct arena *arena);

/* All of it but the final dot, for DATA; what is left unsent goes with the next
 * flush.  *AT_LINE_START: it ended with CRLF. */
enum content_said waits content_say(struct peer *p, struct message *m,
				    struct str head, bool *at_line_start);

#endif
