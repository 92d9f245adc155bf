/*
 * The body on the wire, one state over any pieces it comes in.
 *
 *	state		what was read last
 *	LINE_START	nothing yet, or CRLF
 *	IN_LINE		anything else
 *	CR_SEEN		a CR inside a line, already passed on
 *	DOT		CRLF "."	the dot is withheld for good: it is either
 *	DOT_CR		CRLF "." CR	stuffed or the end
 *
 * A block of 64 bytes becomes four words, a bit for each byte: where the LFs,
 * CRs, NULs and dots are.  Ends of lines, dots at their start and what is
 * malformed are then a few operations on words, so that a block costs the same
 * whatever is in it; only a dot that may be the end is looked at by itself.
 * Malformed text goes on to its true end in the same states, as written: only
 * CRLF makes a line start.
 */
#include "wire/data.h"

enum { LINE_START, IN_LINE, CR_SEEN, DOT, DOT_CR };

static const char bare_cr[] =
	"has a bare CR; lines end with CR LF (RFC 5321 2.3.8)";
static const char bare_lf[] =
	"has a bare LF; lines end with CR LF (RFC 5321 2.3.8)";
static const char nul[] = "has a NUL, which no text has (RFC 2045 2.7)";
static const char no_end[] = "has no CR LF at its end (RFC 5321 2.3.8)";

static void malformed(struct data_reader *r, const char *why, uint64_t line)
{
	if (r->malformed)
		return;
	r->malformed = true;
	r->why = why;
	r->line = line;
}

/* ---- blocks ---- */

enum { BLOCK_BYTES = 64 };

struct block {
	size_t n;
	uint64_t lf, cr, nul, dot; /* bit I: byte I is one */
};

typedef char row __attribute__((vector_size(16)));

/* A bit for each byte of ROW that is all ones. */
static inline uint64_t row_bits(row r)
{
#ifdef __SSE2__
	return (uint64_t)__builtin_ia32_pmovmskb128(r);
#else
	uint64_t bits = 0;

	for (size_t i = 0; i < sizeof(r); i++)
		bits |= (uint64_t)(r[i] & 1) << i;
	return bits;
#endif
}

static inline uint64_t where(const row rows[4], char wanted)
{
	return row_bits(rows[0] == wanted) | row_bits(rows[1] == wanted) << 16 |
	       row_bits(rows[2] == wanted) << 32 |
	       row_bits(rows[3] == wanted) << 48;
}

static inline bool any(const row rows[4], char wanted)
{
	return row_bits((rows[0] == wanted) | (rows[1] == wanted) |
			(rows[2] == wanted) | (rows[3] == wanted));
}

static uint64_t low_bits(size_t n)
{
	return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

static bool has_bit(uint64_t bits, size_t i)
{
	return bits >> i & 1;
}

/* The first N bytes only. */
static void block_cut(struct block *b, size_t n)
{
	uint64_t mask = low_bits(n);

	b->n = n;
	b->lf &= mask;
	b->cr &= mask;
	b->nul &= mask;
	b->dot &= mask;
}

static inline struct block block_of(const char *p)
{
	struct block b = { .n = BLOCK_BYTES };
	row rows[4];

	memcpy(rows, p, sizeof(rows));
	b.lf = where(rows, '\n');
	b.cr = where(rows, '\r');
	b.nul = any(rows, '\0') ? where(rows, '\0') : 0;
	b.dot = where(rows, '.');
	return b;
}

/* The start of TEXT, which is not empty. */
static struct block block_read(struct str text)
{
	char copy[BLOCK_BYTES] = { 0 };
	struct block b;

	if (text.n >= BLOCK_BYTES)
		return block_of(text.p);
	memcpy(copy, text.p, text.n);
	b = block_of(copy);
	block_cut(&b, text.n);
	return b;
}

/* LFs behind a CR; CR_BEFORE: the byte before the block is one. */
static uint64_t line_ends(const struct block *b, bool cr_before)
{
	return b->lf & (b->cr << 1 | cr_before);
}

/* Bytes that begin a line. */
static uint64_t line_starts(const struct data_reader *r, const struct block *b)
{
	return line_ends(b, r->state == CR_SEEN) << 1 |
	       (r->state == LINE_START);
}

/* The first thing in B that no mail has.  Whether a CR that ends it is bare
 * shows in the next block. */
static void check_block(struct data_reader *r, const struct block *b)
{
	bool cr_before = r->state == CR_SEEN;
	uint64_t lf = b->lf & ~line_ends(b, cr_before);
	uint64_t cr = b->cr & ~(b->lf >> 1) & low_bits(b->n - 1);
	uint64_t bad = lf | cr | b->nul;
	size_t first;

	if (cr_before && !has_bit(b->lf, 0))
		malformed(r, bare_cr, r->lines + 1);
	if (!bad)
		return;
	first = (size_t)__builtin_ctzll(bad);
	malformed(r,
		  has_bit(lf, first)   ? bare_lf
		  : has_bit(cr, first) ? bare_cr
				       : nul,
		  r->lines + 1 +
			  (uint64_t)__builtin_popcountll(b->lf &
							 low_bits(first)));
}

/* B, not empty, was passed on. */
static void pass(struct data_reader *r, const struct block *b)
{
	uint64_t ends = line_ends(b, r->state == CR_SEEN);

	check_block(r, b);
	for (uint64_t lf = b->lf; lf; lf &= lf - 1)
		r->lines++;
	r->state = has_bit(ends, b->n - 1)    ? LINE_START
		   : has_bit(b->cr, b->n - 1) ? CR_SEEN
					      : IN_LINE;
}

/* ---- DATA ---- */

/*
 * What was read: a slice of the input as long as nothing in it was dropped, and
 * from then on in ROOM.
 */
struct text {
	struct str in;
	size_t from, end; /* the slice */
	struct buf *room;
	bool is_copied;
};

static void copy_from_here(struct text *t)
{
	t->is_copied = true;
	buf_clear(t->room);
	buf_reserve(t->room, t->in.n);
	buf_add(t->room, str_part(t->in, t->from, t->end));
}

/* N bytes from AT go on, but those in DROPS; there is room. */
static void keep(struct text *t, size_t at, size_t n, uint64_t drops)
{
	const char *from = t->in.p + at;
	char *to;

	if (t->from == t->end)
		t->from = t->end = at;
	if (!t->is_copied && (drops || t->end != at))
		copy_from_here(t);
	if (!t->is_copied) {
		t->end = at + n;
		return;
	}
	if (!drops) {
		buf_add(t->room, (struct str){ from, n });
		return;
	}
	to = t->room->p + t->room->n;
	for (size_t i = 0; i < n; i++, drops >>= 1) {
		*to = from[i];
		to += ~drops & 1;
	}
	t->room->n = (size_t)(to - t->room->p);
}

static struct str text_read(const struct text *t)
{
	if (t->is_copied)
		return buf_str(t->room);
	return str_part(t->in, t->from, t->end);
}

/* Behind a dot at the start of a line.  Returns how much of IN was taken
 * without being text. */
static size_t after_dot(struct data_reader *r, struct str in, bool *end)
{
	size_t i = 0;

	if (in.n && r->state == DOT) {
		r->state = in.p[0] == '\r' ? DOT_CR : IN_LINE;
		i = r->state == DOT_CR;
	}
	if (r->state != DOT_CR || i == in.n)
		return i;
	*end = in.p[i] == '\n';
	if (*end)
		return i + 1;
	malformed(r, bare_cr, r->lines + 1);
	r->state = IN_LINE;
	return i;
}

/* Of DOTS, which begin lines, the first that is the end, or may be: B ends too
 * early to tell; B->n: none. */
static size_t find_end(const struct block *b, uint64_t dots)
{
	uint64_t sure = b->n > 2 ? low_bits(b->n - 2) : 0;
	uint64_t ends = dots & (~sure | (b->cr >> 1 & b->lf >> 2));

	return ends ? (size_t)__builtin_ctzll(ends) : b->n;
}

/* The next block, up to a dot that may be the end.  Returns how much was
 * taken. */
static size_t read_block(struct data_reader *r, struct text *t, size_t at)
{
	struct block b = block_read(str_from(t->in, at));
	uint64_t dots = b.dot & line_starts(r, &b);
	size_t n = dots ? find_end(&b, dots) : b.n;
	bool is_dot = n < b.n;

	if (is_dot)
		block_cut(&b, n);
	if (n > 0) {
		keep(t, at, n, dots & low_bits(n));
		pass(r, &b);
	}
	if (is_dot)
		r->state = DOT;
	return n + is_dot;
}

struct data_piece data_read(struct data_reader *r, struct str in,
			    struct buf *room)
{
	struct data_piece p = { 0, STR_NONE, false };
	struct text t = { .in = in, .room = room };

	while (p.used < in.n && !p.end)
		if (r->state >= DOT)
			p.used += after_dot(r, str_from(in, p.used), &p.end);
		else
			p.used += read_block(r, &t, p.used);
	p.text = text_read(&t);
	return p;
}

/* ---- BDAT ---- */

void data_check(struct data_reader *r, struct str chunk, bool last)
{
	while (chunk.n > 0) {
		struct block b = block_read(chunk);

		pass(r, &b);
		chunk = str_from(chunk, b.n);
	}
	if (!last)
		return;
	if (r->state == CR_SEEN)
		malformed(r, bare_cr, r->lines + 1);
	if (r->state != LINE_START)
		malformed(r, no_end, r->lines + 1);
}

/* ---- sending ---- */

/* N bytes at FROM, with a dot in front of those in DOTS; there is room. */
static void add_with_dots(struct buf *to, const char *from, size_t n,
			  uint64_t dots)
{
	char *p = to->p + to->n;

	for (size_t i = 0; i < n; i++, dots >>= 1) {
		*p = '.';
		p += dots & 1;
		*p++ = from[i];
	}
	to->n = (size_t)(p - to->p);
}

/* After a bare LF too: a next hop that takes it for a line end must not see a
 * lonely dot there. */
void data_stuff(struct buf *to, struct str piece, bool *at_line_start)
{
	struct str rest = piece;

	while (rest.n > 0) {
		struct block b = block_read(rest);
		uint64_t starts = b.lf << 1 | *at_line_start;

		buf_reserve(to, rest.n + BLOCK_BYTES);
		if (b.dot & starts)
			add_with_dots(to, rest.p, b.n, b.dot & starts);
		else
			buf_add(to, str_part(rest, 0, b.n));
		*at_line_start = has_bit(b.lf, b.n - 1);
		rest = str_from(rest, b.n);
	}
}
