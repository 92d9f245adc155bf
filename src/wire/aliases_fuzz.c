/* Any file ends, gives no more than it holds, and each alias is found. */
#include "wire/aliases.h"

#include <stdlib.h>

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct aliases all;
	size_t sum = 0;
	char *own;

	aliases_parse(fuzz_input(bytes, n, &own), arena, &all, NULL, NULL);
	for (size_t i = 0; i < all.n; i++) {
		const struct alias *a = &all.list[i];

		check(aliases_find(&all, a->name) == a);
		check(a->n > 0 || !str_empty(a->unfit));
		sum += a->name.n;
		for (size_t k = 0; k < a->n; k++)
			sum += a->targets[k].n;
	}
	check(sum <= n);
	free(own);
	arena_close(arena);
	return 0;
}
