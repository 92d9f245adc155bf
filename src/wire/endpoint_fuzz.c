/* The canonical text of an endpoint is read as the same endpoint. */
#include "wire/endpoint.h"

#include <stdlib.h>

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct endpoint e, again;
	char *own;
	struct str in = fuzz_input(bytes, n, &own), text;

	if (endpoint_parse(in, arena, &e)) {
		text = endpoint_text(&e, arena);
		fuzz_check_text(text);
		check(endpoint_parse(text, arena, &again));
		check(e.is_unix == again.is_unix);
		check(str_same(e.path, again.path));
		check(str_same(e.host.name, again.host.name));
		check(e.host.port == again.host.port);
		check(str_same(endpoint_text(&again, arena), text));
	}
	free(own);
	arena_close(arena);
	return 0;
}
