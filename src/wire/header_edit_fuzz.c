/* Any changes of any header: what comes out is fields, and as many as there were
 * and were added. */
#include "wire/header_edit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "wire/fuzz.h"
#include "wire/header.h"

enum { EDITS = 8 };

static unsigned fields_of(struct str header)
{
	struct header_raw raw;
	unsigned n = 0;
	size_t at = 0;

	while (header_raw(header, &at, &raw)) {
		check(str_ends(raw.whole, S("\n")));
		check(raw.value.p + raw.value.n < raw.whole.p + raw.whole.n);
		n++;
	}
	return n;
}

/* One byte for kind and index, then the value up to the next NUL. */
static size_t take_edits(struct str *in, struct header_edit edits[EDITS])
{
	size_t n = 0;
	struct str one;

	while (n < EDITS && in->n > 1 && str_split(in, '\0', &one)) {
		if (str_empty(one))
			break;
		edits[n++] = (struct header_edit){
			.kind = (enum header_edit_kind)(
				(unsigned char)one.p[0] % 3),
			.index = (unsigned char)one.p[0] / 3,
			.name = n % 2 ? S("A") : S("X-Spam"),
			.value = str_from(one, 1),
			.needs_blank = n % 2,
		};
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct header_edit edits[EDITS];
	struct buf b scoped(buf) = BUF_EMPTY;
	char *own;
	struct str in = fuzz_input(bytes, n, &own), out;
	size_t n_edits = take_edits(&in, edits);
	struct header_summary before = header_scan(in), after;

	in = str_part(in, 0, before.bytes);
	if (!before.has_mbox_line && !before.too_large) {
		struct header_edited e = header_edit(S("Received: us\r\n"), in,
						     edits, n_edits, arena);

		buf_add(&b, e.before);
		buf_add(&b, e.behind);
		out = buf_str(&b);
		after = header_scan(out);
		check(after.too_large ||
		      (after.bytes == out.n && !after.is_broken));
		check(fields_of(out) <= fields_of(in) + n_edits);
		check(fields_of(out) + n_edits >= fields_of(in));
		check(after.too_large || after.fields == fields_of(out));
	}
	free(own);
	arena_close(arena);
	return 0;
}
