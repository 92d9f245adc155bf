/* A trail may be anything: what is passed on is entries and commas, within
 * its limit, and our own new entry is always found in it. */
#include "route/guard.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/limits.h"
#include "directory/directory.h"
#include "wire/fuzz.h"

static void check_entries(struct str trail)
{
	check(trail.n % 34 == 33 || trail.n == 0);
	for (size_t i = 0; i < trail.n; i++)
		switch (i % 34) {
		case 16:
			check(trail.p[i] == ':');
			break;
		case 33:
			check(trail.p[i] == ',');
			break;
		default:
			check(isalnum((unsigned char)trail.p[i]) ||
			      trail.p[i] == '-' || trail.p[i] == '_');
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct node node = { .id = "0123456789abcdef" };
	struct guard *g = guard_open(&node);
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), key = S("bob@own.test");
	struct str entry = guard_entry(g, key, arena), joined, added;

	joined = trail_join(in, in, arena);
	check_entries(joined);
	check(joined.n <= LIMIT_TRAIL_JOINED * 34);
	check(str_same(trail_join(joined, in, arena), joined) ||
	      joined.n == LIMIT_TRAIL_JOINED * 34 - 1);
	added = trail_add(in, entry, arena);
	check_entries(added);
	check(added.n <= LIMIT_TRAIL_BYTES);
	check(guard_was_here(g, added, key));
	guard_was_here(g, in, key);
	free(own);
	arena_close(arena);
	guard_close(g);
	return 0;
}
