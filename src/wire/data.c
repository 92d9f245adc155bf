/*
 * The body on the wire, one state over any pieces it comes in.
 *
 *	state		what was read last
 *	LINE_START	nothing yet, or CRLF
 *	IN_LINE		anything else
 *	CR_SEEN		a CR inside a line, already passed on
 *	DOT		CRLF "."	the dot is withheld for good: it is
 *either DOT_CR		CRLF "." CR	stuffed or the end
 *
 * A piece is scanned by memchr() for LF, once per line; each LF must follow a
 * CR, and then a bare CR shows as a CR too many in the whole piece.  Malformed
 * text goes on to its true end in the same states, as written: only CRLF makes
 * a line start.
 */
#include "wire/data.h"

enum { LINE_START, IN_LINE, CR_SEEN, DOT, DOT_CR };

static void malformed(struct data_reader *r, const char *why)
{
	if (!r->malformed)
		r->why = why;
	r->malformed = true;
}

typedef unsigned char lane __attribute__((vector_size(16)));

/* How often WANTED is in the first ROWS * 16 bytes at P; ROWS below 256, since
 * each lane counts in one byte. */
static size_t count_rows(const char *p, size_t rows, char wanted)
{
	lane sum = { 0 }, row;
	size_t n = 0;

	for (size_t i = 0; i < rows; i++) {
		memcpy(&row, p + i * sizeof(row), sizeof(row));
		sum -= (lane)(row == (unsigned char)wanted);
	}
	for (size_t i = 0; i < sizeof(sum); i++)
		n += sum[i];
	return n;
}

static size_t count(struct str s, char wanted)
{
	size_t n = 0;

	while (s.n >= sizeof(lane)) {
		size_t rows = s.n / sizeof(lane);

		rows = rows > 255 ? 255 : rows;
		n += count_rows(s.p, rows, wanted);
		s = str_from(s, rows * sizeof(lane));
	}
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == wanted;
	return n;
}

/* NUL anywhere; any CR that was not the CR of an end of line. */
static void check_text(struct data_reader *r, struct str text, size_t line_crs)
{
	if (count(text, '\r') != line_crs)
		malformed(r, "bare CR");
	if (str_find(text, '\0') >= 0)
		malformed(r, "NUL");
}

/*
 * Walks the lines of TEXT; returns how much of it was taken: all, or with DOTS
 * up to a dot at the start of a line.
 */
static size_t scan_lines(struct data_reader *r, struct str text, bool dots)
{
	size_t i = 0, line_crs = 0;

	if (r->state == CR_SEEN && text.n && text.p[0] != '\n')
		malformed(r, "bare CR");
	while (i < text.n) {
		ptrdiff_t lf;
		size_t end;
		bool after_cr;

		if (dots && r->state == LINE_START && text.p[i] == '.')
			break;
		lf = str_find(str_from(text, i), '\n');
		end = lf < 0 ? text.n : i + (size_t)lf;
		after_cr =
		        end > i ? text.p[end - 1] == '\r' : r->state == CR_SEEN;
		line_crs += after_cr && end > i;
		i = lf < 0 ? end : end + 1;
		if (lf < 0) {
			r->state = after_cr ? CR_SEEN : IN_LINE;
			continue;
		}
		r->state = after_cr ? LINE_START : IN_LINE;
		if (!after_cr)
			malformed(r, "bare LF");
	}
	check_text(r, str_part(text, 0, i), line_crs);
	return i;
}

/* Behind a dot at the start of a line.  Returns how much of IN (not empty)
 * was taken without being text. */
static size_t after_dot(struct data_reader *r, struct str in, bool *end)
{
	size_t i = 0;

	if (r->state == DOT) {
		r->state = in.p[0] == '\r' ? DOT_CR : IN_LINE;
		i = r->state == DOT_CR;
	}
	if (r->state != DOT_CR || i == in.n)
		return i;
	*end = in.p[i] == '\n';
	if (*end)
		return i + 1;
	malformed(r, "bare CR");
	r->state = IN_LINE;
	return i;
}

struct data_piece data_read(struct data_reader *r, struct str in)
{
	struct data_piece p = { 0, STR_NONE, false };
	size_t n;

	if (str_empty(in))
		return p;
	if (r->state == LINE_START && in.p[0] == '.') {
		r->state = DOT;
		p.used = 1;
	}
	if (r->state >= DOT && p.used < in.n)
		p.used += after_dot(r, str_from(in, p.used), &p.end);
	if (p.end || r->state >= DOT)
		return p;
	n = scan_lines(r, str_from(in, p.used), true);
	p.text = str_part(in, p.used, p.used + n);
	p.used += n;
	if (p.used < in.n) { /* it stopped at a dot */
		r->state = DOT;
		p.used++;
	}
	return p;
}

void data_check(struct data_reader *r, struct str chunk, bool last)
{
	scan_lines(r, chunk, false);
	if (!last)
		return;
	if (r->state == CR_SEEN)
		malformed(r, "bare CR");
	if (r->state != LINE_START)
		malformed(r, "no CRLF at the end");
}

/* After a bare LF too: a next hop that takes it for a line end must not see a
 * lonely dot there. */
void data_stuff(struct buf *to, struct str piece, bool *at_line_start)
{
	struct str rest = piece;

	buf_reserve(to, piece.n + 1);
	while (rest.n) {
		ptrdiff_t lf = str_find(rest, '\n');
		size_t n = lf < 0 ? rest.n : (size_t)lf + 1;

		if (*at_line_start && rest.p[0] == '.')
			buf_add_char(to, '.');
		buf_add(to, str_part(rest, 0, n));
		*at_line_start = lf >= 0;
		rest = str_from(rest, n);
	}
}
