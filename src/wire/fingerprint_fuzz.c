/* The print of a message, with line ends as they have to be, does not depend on
 * how it is cut, nor on trace fields in front; more text is another print. */
#include "wire/fingerprint.h"

#include <stdlib.h>

#include "base/buf.h"
#include "wire/data.h"
#include "wire/fuzz.h"
#include "wire/header.h"

static void print(struct str text, size_t step, uint8_t *to)
{
	struct arena *arena scoped(arena) = arena_open();
	size_t header = header_scan(text).bytes;
	struct fingerprint f;

	fingerprint_begin(&f);
	fingerprint_header(&f, str_part(text, 0, header), arena);
	for (size_t i = header; i < text.n; i += step)
		fingerprint_body(&f, str_part(text, i, i + step));
	fingerprint_end(&f, to);
}

static void check_message(struct str in)
{
	uint8_t whole[FINGERPRINT_BYTES], cut[FINGERPRINT_BYTES];
	struct buf more scoped(buf) = BUF_EMPTY;

	print(in, in.n + 1, whole);
	print(in, 1, cut);
	check(memcmp(whole, cut, sizeof whole) == 0);
	print(in, 3, cut);
	check(memcmp(whole, cut, sizeof whole) == 0);
	buf_add(&more, S("Received: x\r\n y\r\n"));
	if (header_scan(in).bytes == 0)
		buf_add(&more, S("\r\n"));
	else if (header_scan(in).has_mbox_line)
		buf_add(&more, S(MBOX_FIELD ": "));
	buf_add(&more, in);
	if (!header_scan(buf_str(&more)).too_large) {
		print(buf_str(&more), 5, cut);
		check(memcmp(whole, cut, sizeof whole) == 0);
	}
	buf_add(&more, S("another"));
	print(buf_str(&more), 5, cut);
	check(memcmp(whole, cut, sizeof whole) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct data_reader r = DATA_READER;
	char *own;
	struct str in = fuzz_input(bytes, n, &own);

	data_check(&r, in, false);
	if (!r.malformed && !str_ends(in, S("\r")))
		check_message(in);
	free(own);
	return 0;
}
