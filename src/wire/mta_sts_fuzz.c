/* Whatever is served as a policy or a record: what is taken from it is sound. */
#include "wire/mta_sts.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

static void check_policy(const struct sts_policy *p)
{
	check(p->n <= LIMIT_STS_HOSTS && p->max_age_s >= 0);
	check(p->n > 0 || p->mode == STS_NONE);
	for (size_t i = 0; i < p->n; i++) {
		fuzz_check_text(p->mx[i]);
		check(p->mx[i].n > 0);
		if (!str_starts(p->mx[i], S("*.")))
			check(sts_allows(p, p->mx[i]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), id;
	struct sts_policy p;

	if (sts_record_parse(&in, 1, &id)) {
		fuzz_check_text(id);
		check(id.n > 0);
	}
	if (sts_policy_parse(in, arena, &p))
		check_policy(&p);
	arena_close(arena);
	free(own);
	return 0;
}
