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
 *
 * The sentence is for people.  What a caller decides by is the kind, set where
 * the failure is seen and kept with the sentence wherever both are carried:
 *
 *	if (write(fd, p, n) < 0)
 *		return fail_errno("write %s: %m", path);
 *	...
 *	if (cause_kind() == FAIL_NO_ROOM)
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include "base/check.h"

enum fail_kind {
	FAIL_OTHER,
	FAIL_NO_ROOM, /* a full disk, or a quota: 452 instead of 451 */
	FAIL_HELD,    /* somebody else has it */
	FAIL_LATE,    /* no answer at the deadline */
	FAIL_ABSENT,  /* no such file */
	FAIL_FOREIGN, /* an address that is not this machine's */
};

/* Set the sentence; always returns false, so that it can be returned. */
bool fail(const char *format, ...) printf_like(1, 2);
bool fail_kind(enum fail_kind kind, const char *format, ...) printf_like(2, 3);
/* What the kernel refused: the kind is errno's. */
bool fail_errno(const char *format, ...) printf_like(1, 2);
enum fail_kind errno_kind(int number);
/* Put "CONTEXT: " before the sentence that is there; always false.  The kind
 * stays. */
bool add_cause(const char *format, ...) printf_like(1, 2);
/* The last sentence; "no cause given" when there is none. */
const char *cause(void);
enum fail_kind cause_kind(void);

enum { FAIL_SENTENCE_BYTES = 512 };

/* Sentence and kind, to be carried: over what may fail in its turn, or to
 * another fiber or thread. */
struct failure {
	enum fail_kind kind;
	char sentence[FAIL_SENTENCE_BYTES];
};

void failure_save(struct failure *to);
/* Always false. */
bool fail_again(const struct failure *f);

/* rt only: the slot of the fiber that runs now; NULL means the thread's own. */
void fail_use_slot(struct failure *slot);

#endif
