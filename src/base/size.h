/*
 * Sizes as people write them.
 *
 *	uint64_t bytes;
 *	size_parse(S("1.5 GiB"), UINT64_C(1) << 50, &bytes)	1610612736
 *	size_text(1610612736).c					"1.5 GiB"
 *
 * Units are powers of 1024, whether K, KB or KiB is written (and o for octet,
 * as in Mo and Mio): who allows a mailbox 5 GB does not mean less than 5 GiB.
 *
 *	size = 1*DIGIT [("." / ",") 1*2DIGIT] *SP [unit]
 *	unit = ("K" / "M" / "G" / "T") ["i"] ["B" / "o"] / "B"	; in any case
 */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include "base/str.h"

/* At most MOST, which is below 2^56. */
bool size_parse(struct str s, uint64_t most, uint64_t *out) must_check;

struct size_text {
	char c[32];
};

/* The largest unit with at most one decimal that is exactly BYTES; when there
 * is none, the nearest ("1.4 GiB"). */
struct size_text size_text(uint64_t bytes);

#endif
