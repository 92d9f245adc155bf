/* An address list is read within its bounds, and what it names has no space
 * outside quotes that the field had not. */
#include "wire/authors.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, size, &own);
	const struct str *list;
	size_t n, total = 0;

	if (authors_parse(in, arena, &list, &n)) {
		check(n <= LIMIT_AUTHORS);
		for (size_t i = 0; i < n; i++)
			total += list[i].n;
		check(total <= in.n);
	}
	arena_close(arena);
	free(own);
	return 0;
}
