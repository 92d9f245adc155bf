/*
 * The envelope as a client says it: MAIL and RCPT with the parameters the
 * next hop knows (RFC 5321 4.1.1, 3461, 6531), for a transaction and a probe.
 *
 * Both are put into the peer's stream and sent by the next flush.
 */
#ifndef DELIVER_ENVELOPE_H
#define DELIVER_ENVELOPE_H

#include "deliver/inside.h"
#include "deliver/peer.h"

/* Nothing that could end a line.  Checked when it came in; checked again
 * where it goes out. */
bool envelope_is_safe(struct str s);

/* BYTES of content, for SIZE. */
void envelope_say_mail(struct peer *p, const struct message *m,
		       struct str sender, uint64_t bytes, bool needs_utf8);
/* R may be NULL: a probe has no message.  To a mailbox, ORIGINAL is whom it was
 * for (addressed.h); may be empty. */
void envelope_say_rcpt(struct peer *p, const struct leg *leg,
		       const struct recipient *r, struct str original,
		       struct arena *arena);

#endif
