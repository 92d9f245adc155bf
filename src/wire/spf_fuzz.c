/* Whatever stands in DNS: terms lie in the text, blocks and names are sound. */
#include "wire/spf.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

static void check_term(const struct spf_term *t)
{
	check(t->text.n > 0 && t->qualifier && strchr("+-~?", t->qualifier));
	check(t->bits4 <= 32 && t->bits6 <= 128 && t->block.bits <= 128);
	fuzz_check_text(t->name);
	if (t->kind == SPF_INCLUDE || t->kind == SPF_EXISTS)
		check(t->name.n > 0 && t->name.n <= LIMIT_SPF_NAME_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own);
	struct spf_record r;

	if (spf_parse(in, arena, &r)) {
		check(spf_is_record(in) && r.n <= LIMIT_SPF_TERMS);
		for (size_t i = 0; i < r.n; i++)
			check_term(&r.terms[i]);
		fuzz_check_text(r.redirect);
	}
	arena_close(arena);
	free(own);
	return 0;
}
