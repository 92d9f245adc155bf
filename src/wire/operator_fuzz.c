/* An operator is an end of the host's name, and its own operator. */
#include "wire/operator.h"

#include <stdlib.h>

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), once;

	if (str_find(in, '\0') < 0) {
		once = operator_of(in, arena);
		check(once.n <= in.n);
		check(str_same_nocase(once, str_from(in, in.n - once.n)));
		check(str_same(operator_of(once, arena), once));
	}
	free(own);
	arena_close(arena);
	return 0;
}
