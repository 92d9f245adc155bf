/* A list as somebody writes it; what it is asked is a name. */
#include "wire/dnsbl.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_open();
	struct inet at = { .port = 0 };
	char *own;
	struct str in = fuzz_input(bytes, size, &own), name;
	struct dnsbl list;

	if (dnsbl_parse(in, arena, &list)) {
		check(list.weight != 0 && list.zone.n > 0 &&
		      list.zone.n <= LIMIT_DOMAIN_BYTES);
		fuzz_check_text(list.zone);
		memcpy(at.ip, in.p, in.n < 16 ? in.n : 16);
		name = dnsbl_name(&at, list.zone, arena);
		check(str_ends(name, list.zone));
	}
	arena_close(arena);
	free(own);
	return 0;
}
