/* A reply is the same however it arrives, its text is clean and bounded, and
 * what reply_write() makes of it is read back. */
#include "wire/reply.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "wire/fuzz.h"

static bool is_short_ascii(struct str text)
{
	struct str rest = text, line;

	while (str_split(&rest, '\n', &line))
		if (line.n > 490)
			return false;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	return text.n < LIMIT_REPLY_BYTES;
}

static void check_round_trip(const struct reply *r, struct arena *arena)
{
	struct buf wire scoped(buf) = BUF_EMPTY;
	struct reply again;
	size_t used;

	reply_write(&wire, r);
	check(reply_parse(buf_str(&wire), arena, &again, &used) == REPLY_WHOLE);
	check(used == wire.n);
	check(again.code == r->code);
	if (!is_short_ascii(r->text))
		return;
	check(strcmp(again.status, r->status) == 0);
	check(str_same(again.text, r->text));
}

static void check_text(const struct reply *r, struct arena *arena)
{
	struct str rest = r->text, line;

	check(r->code >= 200 && r->code <= 599);
	check(r->text.n <= LIMIT_REPLY_BYTES);
	while (str_split(&rest, '\n', &line)) {
		fuzz_check_text(line);
		check(line.n <= LIMIT_REPLY_LINE_BYTES);
	}
	line = reply_line(r, arena);
	fuzz_check_text(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	struct capabilities capabilities;
	struct reply r, early;
	size_t used, sooner;
	char *own;
	struct str in = fuzz_input(bytes, n, &own);

	if (reply_parse(in, arena, &r, &used) == REPLY_WHOLE) {
		check(used <= in.n);
		check_text(&r, arena);
		check_round_trip(&r, arena);
		capabilities_parse(&r, &capabilities);
		check(reply_parse(str_part(in, 0, used - 1), arena, &early,
				  &sooner) == REPLY_PART);
		check(reply_parse(str_part(in, 0, used), arena, &early,
				  &sooner) == REPLY_WHOLE);
		check(str_same(early.text, r.text));
	}
	free(own);
	arena_close(arena);
	return 0;
}
