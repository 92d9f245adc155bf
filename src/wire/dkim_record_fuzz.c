/* Whatever DNS says of a key: only the key itself is taken for it. */
#include "wire/dkim_record.h"

#include <stdlib.h>

#include "wire/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct str key = S("MCowBQYDK2VwAyEA"), text[2], ours;
	char *own;

	text[0] = text[1] = fuzz_input(bytes, n, &own);
	if (dkim_record_compare(text, 1, S("ed25519"), key) ==
	    DKIM_FOUND_EQUAL) {
		check(str_find(text[0], '=') >= 0);
		check(dkim_record_compare(text, 1, S("rsa"), key) !=
		      DKIM_FOUND_EQUAL);
	}
	check(dkim_record_compare(text, 2, S("rsa"), key) ==
	      DKIM_FOUND_SEVERAL);
	ours = dkim_record_write(S("rsa"), key, arena);
	check(dkim_record_compare(&ours, 1, S("rsa"), key) == DKIM_FOUND_EQUAL);
	ours = dkim_record_zone(S("s._domainkey.a.test"), text[0], arena);
	check(str_starts(ours, S("s._domainkey.a.test. IN TXT ")));
	arena_close(arena);
	free(own);
	return 0;
}
