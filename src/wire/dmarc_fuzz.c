/* Whatever stands in DNS: what is taken from it is sound. */
#include "wire/dmarc.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"
#include "wire/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), rest = in;
	struct dmarc_record r;
	struct tag t;

	while (tags_next(&rest, &t))
		check(t.name.n > 0 || !t.is_malformed);
	if (dmarc_parse(in, arena, &r)) {
		check(dmarc_is_record(in));
		check(r.percent <= 100 && r.n_rua <= LIMIT_DMARC_REPORTS);
		check(dmarc_words[r.policy] && dmarc_words[r.of_subdomains]);
		for (size_t i = 0; i < r.n_rua; i++)
			fuzz_check_text(r.rua[i]);
	}
	arena_close(arena);
	free(own);
	return 0;
}
