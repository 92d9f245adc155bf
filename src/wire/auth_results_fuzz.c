/* Whatever stands in an Authentication-Results: words are words, a domain has
 * nothing of a local part, and who it says to be is asked in any case. */
#include "wire/auth_results.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

static void check_word(struct str s)
{
	check(s.n > 0);
	fuzz_check_text(s);
	for (size_t i = 0; i < s.n; i++)
		check(s.p[i] < 'A' || s.p[i] > 'Z');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, size, &own);
	const struct auth_found *list;
	size_t n;

	if (auth_results_claims(in, S("mx.a.test")))
		check(auth_results_claims(in, S("MX.A.TEST")) &&
		      in.n >= S("mx.a.test").n);
	if (auth_results_parse(in, arena, &list, &n)) {
		check(n <= LIMIT_AUTH_RESULTS);
		for (size_t i = 0; i < n; i++) {
			check_word(list[i].method_word);
			check_word(list[i].result_word);
			check(list[i].domain.n <= in.n &&
			      str_find(list[i].domain, '@') < 0);
		}
	}
	arena_close(arena);
	free(own);
	return 0;
}
