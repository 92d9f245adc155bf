/*
 * For fuzz targets only: one arena per input, and its bytes cut in pieces.
 */
#ifndef WIRE_FUZZ_H
#define WIRE_FUZZ_H

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* An exact copy, so that ASan sees a read beyond its end. */
static inline struct str fuzz_input(const uint8_t *bytes, size_t n, char **own)
{
	*own = must_alloc(n);
	if (n)
		memcpy(*own, bytes, n);
	return (struct str){ *own, n };
}

static inline void fuzz_check_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		check((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

#endif
