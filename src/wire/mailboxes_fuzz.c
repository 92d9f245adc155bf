/* Any field ends, and gives no more than it holds. */
#include "wire/mailboxes.h"

#include <stdlib.h>

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str rest = fuzz_input(bytes, n, &own), one;
	size_t sum = 0;

	while (mailbox_next(&rest, arena, &one)) {
		check(!str_empty(one));
		sum += one.n;
	}
	check(sum <= n && str_empty(rest));
	free(own);
	arena_close(arena);
	return 0;
}
