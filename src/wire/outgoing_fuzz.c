/* The canonical text of outgoing addresses is read as the same addresses. */
#include "wire/outgoing.h"

#include <stdlib.h>

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct outgoing from, again;
	char *own;
	struct str in = fuzz_input(bytes, n, &own), text;

	if (outgoing_parse(in, &from)) {
		text = outgoing_text(&from, arena);
		fuzz_check_text(text);
		check(outgoing_parse(text, &again));
		check(from.has_v4 == again.has_v4);
		check(from.has_v6 == again.has_v6);
		check(inet_same_ip(&from.v4, &again.v4));
		check(inet_same_ip(&from.v6, &again.v6));
	}
	free(own);
	arena_close(arena);
	return 0;
}
