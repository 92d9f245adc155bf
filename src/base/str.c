/*
 * Slices: comparing, finding, cutting.  Nothing here owns or copies.
 */
#include "base/str.h"

static unsigned char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20)
				    : (unsigned char)c;
}

bool str_same(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_same_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool str_starts(struct str s, struct str with)
{
	return str_same(str_part(s, 0, with.n), with);
}

bool str_starts_nocase(struct str s, struct str with)
{
	return str_same_nocase(str_part(s, 0, with.n), with);
}

bool str_ends(struct str s, struct str with)
{
	return s.n >= with.n && str_same(str_from(s, s.n - with.n), with);
}

int str_compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

ptrdiff_t str_find(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

ptrdiff_t str_find_last(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

ptrdiff_t str_search(struct str s, struct str what)
{
	const char *at;

	if (what.n == 0)
		return 0;
	at = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
	return at ? at - s.p : -1;
}

struct str str_part(struct str s, size_t from, size_t end)
{
	if (end > s.n)
		end = s.n;
	if (from > end)
		from = end;
	return (struct str){ s.p ? s.p + from : NULL, end - from };
}

struct str str_from(struct str s, size_t from)
{
	return str_part(s, from, s.n);
}

/* "10xxxxxx" goes on with a character, and none has more than three of them:
 * else it is no UTF-8. */
struct str str_cut(struct str s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s;
	while (n > 0 && max - n <= 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_part(s, 0, max - n <= 3 ? n : max);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_from(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_split(struct str *rest, char separator, struct str *head)
{
	ptrdiff_t at = str_find(*rest, separator);
	size_t cut = at < 0 ? rest->n : (size_t)at;
	bool any = rest->n > 0;

	*head = str_part(*rest, 0, cut);
	*rest = str_from(*rest, cut + 1);
	return any;
}

bool str_is_ascii(struct str s)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; s.n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		all |= word;
	}
	for (; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return !(all & UINT64_C(0x8080808080808080));
}

bool str_number(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - '0';

		if (digit > 9 || digit > max || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}
