/* The body is the same in any segmentation and agrees with a reader written
 * byte by byte; stuffing what was read gives what was sent. */
#include "wire/data.h"

#include <stdlib.h>

#include "wire/fuzz.h"

struct result {
	struct buf text;
	size_t used;
	bool end, malformed;
	const char *why;
	uint64_t line;
};

/* Pieces of 1 + SEED-dependent bytes; SEED 0: all at once. */
static struct result read_cut(struct str in, unsigned seed)
{
	struct result r = { .text = BUF_EMPTY };
	struct data_reader reader = DATA_READER;
	struct buf room scoped(buf) = BUF_EMPTY;
	size_t arrived = 0;

	while (!r.end && r.used < in.n) {
		struct data_piece p;

		if (arrived == r.used) {
			seed = seed * 1103515245u + 12345u;
			arrived += 1 + (seed >> 16) % 7;
		}
		if (arrived > in.n || seed == 12345u)
			arrived = in.n;
		p = data_read(&reader, str_part(in, r.used, arrived), &room);
		check(p.end ? p.used <= arrived - r.used
			    : p.used == arrived - r.used);
		buf_add(&r.text, p.text);
		r.used += p.used;
		r.end = p.end;
	}
	r.malformed = reader.malformed;
	r.why = reader.why;
	r.line = reader.line;
	check(reader.malformed == (reader.why != NULL));
	return r;
}

/* RFC 5321 to the letter: the end is the first CRLF.CRLF, or .CRLF at the
 * start. */
static size_t end_of_data(struct str in)
{
	ptrdiff_t at = str_search(in, S("\r\n.\r\n"));

	if (str_starts(in, S(".\r\n")))
		return 3;
	return at < 0 ? in.n : (size_t)at + 5;
}

/* CRs and LFs that are no pair, NULs; a CR that ends IN says nothing yet. */
static bool is_malformed(struct str in)
{
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\0')
			return true;
		if (in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r'))
			return true;
		if (in.p[i] == '\r' && i + 1 < in.n && in.p[i + 1] != '\n')
			return true;
	}
	return false;
}

static void check_same(const struct result *a, const struct result *b)
{
	check(a->end == b->end && a->malformed == b->malformed);
	check(a->used == b->used);
	check(a->why == b->why && a->line == b->line);
	/* of a malformed one it is looked at by nobody */
	check(a->malformed || str_same(buf_str(&a->text), buf_str(&b->text)));
}

static void check_stuffing(const struct result *r, struct str in)
{
	struct buf wire scoped(buf) = BUF_EMPTY;
	bool at_line_start = true;
	struct result again;

	data_stuff(&wire, buf_str(&r->text), &at_line_start);
	check(at_line_start);
	buf_add(&wire, S(".\r\n"));
	again = read_cut(buf_str(&wire), 7);
	check(again.end && !again.malformed && again.used == wire.n);
	check(str_same(buf_str(&again.text), buf_str(&r->text)));
	buf_free(&again.text);
}

/* Any text at all: stuffed, it ends where it ends and nowhere before. */
static void check_any_text(struct str in)
{
	struct buf wire scoped(buf) = BUF_EMPTY;
	bool at_line_start = true;
	struct result r;

	data_stuff(&wire, str_part(in, 0, in.n / 2), &at_line_start);
	data_stuff(&wire, str_from(in, in.n / 2), &at_line_start);
	buf_add(&wire, S("\r\n.\r\n"));
	r = read_cut(buf_str(&wire), 1);
	check(r.end && r.used == wire.n);
	buf_free(&r.text);
}

static void check_chunks(struct str in)
{
	struct data_reader whole = DATA_READER, cut = DATA_READER;

	data_check(&whole, in, true);
	data_check(&cut, str_part(in, 0, in.n / 3), false);
	data_check(&cut, str_from(in, in.n / 3), true);
	check(whole.malformed == cut.malformed);
	check(whole.why == cut.why && whole.line == cut.line);
	check(whole.malformed ==
	      (is_malformed(in) || (in.n && !str_ends(in, S("\r\n")))));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char *own;
	struct str in = fuzz_input(bytes, n, &own);
	struct result whole = read_cut(in, 0), cut;

	check(whole.used == end_of_data(in));
	check(whole.malformed == is_malformed(str_part(in, 0, whole.used)));
	for (unsigned seed = 1; seed < 4; seed++) {
		cut = read_cut(in, seed);
		check_same(&whole, &cut);
		buf_free(&cut.text);
	}
	if (whole.end && !whole.malformed)
		check_stuffing(&whole, in);
	check_any_text(in);
	check_chunks(in);
	buf_free(&whole.text);
	free(own);
	return 0;
}
