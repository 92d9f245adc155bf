/* The scan stays within its input and its limits, and stands for the whole
 * message as it does for the header alone. */
#include "wire/header.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

static void check_fields(struct str in, const struct header_summary *h,
			 struct arena *arena)
{
	unsigned received = 0;
	size_t at = 0, before = 0;
	struct str value;

	while (header_next(in, S("Received"), &at, arena, &value)) {
		check(at > before && at <= in.n);
		check(str_find(value, '\n') < 0);
		before = at;
		received++;
	}
	if (h->whole && !h->too_large)
		check(received == h->received);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own);
	struct header_summary h = header_scan(in), again;

	check(h.bytes <= in.n && h.bytes <= LIMIT_HEADER_BYTES);
	check(h.too_large || h.fields <= LIMIT_HEADER_FIELDS);
	check(h.received + h.from <= h.fields);
	fuzz_check_text(h.message_id);
	check_fields(in, &h, arena);
	again = header_scan(str_part(in, 0, h.bytes));
	check(again.bytes == h.bytes);
	if (!h.too_large)
		check(again.fields == h.fields &&
		      again.received == h.received &&
		      again.is_utf8 == h.is_utf8);
	free(own);
	arena_close(arena);
	return 0;
}
