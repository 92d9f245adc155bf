/*
 * sort_key() for SQLite (sort_key.h).
 *
 *	key    = *( number / other ) %x01 login		of the local part
 *	number = 2DIGIT *DIGIT		how many digits, then they, without
 *					zeros in front
 */
#include "directory/sort_key.h"

#include "base/buf.h"

enum { DIGITS_MOST = 99 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes the number TEXT begins with. */
static void add_number(struct buf *b, struct str *text)
{
	size_t zeros = 0, end = 0, n;

	while (end < text->n && is_digit(text->p[end]))
		end++;
	while (zeros < end && text->p[zeros] == '0')
		zeros++;
	n = end - zeros;
	buf_printf(b, "%02d%.*s", (int)(n < DIGITS_MOST ? n : DIGITS_MOST),
		   (int)n, text->p + zeros);
	*text = str_from(*text, end);
}

static void add_key(struct buf *b, struct str login)
{
	ptrdiff_t at = str_find_last(login, '@');
	struct str left = str_part(login, 0, at < 0 ? login.n : (size_t)at);

	while (!str_empty(left)) {
		if (is_digit(*left.p)) {
			add_number(b, &left);
			continue;
		}
		buf_add_char(b, *left.p);
		left = str_from(left, 1);
	}
	buf_add_char(b, '\1');
	buf_add(b, login);
}

void sort_key_call(struct sql_call *c)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	if (call_is_null(c))
		return; /* NULL has none */
	add_key(&b, call_text(c));
	call_answer(c, buf_str(&b));
}
