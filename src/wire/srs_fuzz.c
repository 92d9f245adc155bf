/* Whatever is written as an address: it comes back as it was, or is no SRS
 * address. */
#include "wire/srs.h"

#include <stdlib.h>

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const uint8_t key[SRS_KEY_BYTES] = "fuzz";
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), out, was, again;

	check(srs_reverse(key, in, 1, arena, &out) == SRS_NOT);
	if (srs_forward(key, in, S("own.test"), 1, arena, &out)) {
		fuzz_check_text(out);
		check(srs_reverse(key, out, 1, arena, &was) == SRS_GOOD);
		fuzz_check_text(was);
		check(srs_forward(key, was, S("own.test"), 1, arena, &again));
		check(srs_reverse(key, again, 2, arena, &out) == SRS_GOOD);
		check(str_same_nocase(out, was));
	}
	arena_close(arena);
	free(own);
	return 0;
}
