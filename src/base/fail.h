/*
 * The world failed: false, and the cause as one sentence.
 *
 *	if (rename(from, to) != 0)
 *		return fail("rename %s to %s: %m", from, to);
 *	...
 *	if (!spool_link(f))
 *		log_warn("%s", cause());
 *
 * Each fiber (and each plain thread) has one error slot; fail() overwrites it,
 * cause() reads it, add_cause() puts a context in front ("open queue: ...").
 * Low layers never log; whoever decides what to do logs, once.  The text is
 * valid until the next fail() of the same fiber.
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include "base/check.h"

/* Set the sentence; always returns false, so that it can be returned. */
bool fail(const char *format, ...) printf_like(1, 2);
/* Put "CONTEXT: " before the sentence that is there; always false. */
bool add_cause(const char *format, ...) printf_like(1, 2);
/* The last sentence; "no cause given" when there is none. */
const char *cause(void);

enum { FAIL_SLOT_BYTES = 512 };

/* rt only: the slot of the fiber that runs now; NULL means the thread's own. */
void fail_use_slot(char *slot);

#endif
