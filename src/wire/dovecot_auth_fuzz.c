/* A server's line gives clean names; a client's bytes stay in one field of one
 * line. */
#include "wire/dovecot_auth.h"

#include <stdlib.h>

#include "wire/fuzz.h"

static size_t count(struct str s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct buf b scoped(buf) = BUF_EMPTY;
	struct auth_line line;
	char *own;
	struct str in = fuzz_input(bytes, n, &own);

	if (auth_line_parse(in, arena, &line))
		fuzz_check_text(line.user);
	auth_write_request(&b, 1, in, true, S("::1"), S("::1"), in);
	check(count(buf_str(&b), '\n') == 1 && count(buf_str(&b), '\t') == 7);
	buf_clear(&b);
	auth_write_continue(&b, 1, in);
	check(count(buf_str(&b), '\n') == 1 && count(buf_str(&b), '\t') == 2);
	free(own);
	arena_close(arena);
	return 0;
}
