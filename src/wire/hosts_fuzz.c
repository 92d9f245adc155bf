/* The canonical text of a list of hosts is read as the same list. */
#include "wire/hosts.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct host *h, *again;
	size_t hosts, same;
	char *own;
	struct str in = fuzz_input(bytes, n, &own), text;

	if (hosts_parse(in, arena, &h, &hosts)) {
		check(hosts > 0 && hosts <= LIMIT_HOSTS);
		text = hosts_text(h, hosts, arena);
		fuzz_check_text(text);
		check(hosts_parse(text, arena, &again, &same));
		check(same == hosts);
		for (size_t i = 0; i < hosts; i++) {
			check(h[i].port > 0 && h[i].port == again[i].port);
			check(h[i].is_ip == again[i].is_ip);
			check(str_same(h[i].name, again[i].name));
		}
		check(str_same(hosts_text(again, same, arena), text));
	}
	free(own);
	arena_close(arena);
	return 0;
}
