/* Whatever a filter says: names that are names, addresses that are addresses,
 * refusals that are refusals; and what we say is whole packets. */
#include "wire/milter.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

static void check_answer(const struct milter_answer *a)
{
	for (size_t i = 0; i < a->name.n; i++)
		check(a->name.p[i] > ' ' && a->name.p[i] <= '~' &&
		      a->name.p[i] != ':');
	fuzz_check_text(a->recipient.recipient.spelling);
	fuzz_check_text(a->sender.sender.spelling);
	if (a->kind == MILTER_REPLY)
		check(a->reply.code >= 400 && a->reply.code < 600);
	if (a->kind == MILTER_NEGOTIATED)
		check(a->options.version >= MILTER_VERSION_MIN &&
		      a->options.version <= MILTER_VERSION);
	check(str_empty(a->recipient.trail));
}

/* A packet of ours says how long it is. */
static void check_packet(const struct buf *b)
{
	size_t n = 0;

	check(b->n >= 5);
	for (int i = 0; i < 4; i++)
		n = n << 8 | (unsigned char)b->p[i];
	check(n == b->n - 4);
}

static void check_said(struct str in)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct milter_macro macro = { in, in };
	struct str texts[] = { in, S("x"), in };

	milter_say_texts(&b, MILTER_HEADER, texts, 3);
	check_packet(&b);
	check(b.p[b.n - 1] == '\0');
	buf_clear(&b);
	milter_say_connect(&b, in, NULL);
	check_packet(&b);
	buf_clear(&b);
	milter_say_macros(&b, MILTER_MAIL, &macro, 1);
	check_packet(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), rest = in;
	struct milter_answer a;
	size_t used;

	while (milter_parse(rest, arena, &a, &used) == MILTER_WHOLE) {
		check(used >= 5 && used <= rest.n);
		check_answer(&a);
		rest = str_from(rest, used);
	}
	check_said(in);
	free(own);
	arena_close(arena);
	return 0;
}
