/*
 * Strings as slices: a pointer and a length, nothing owned, no NUL needed.
 *
 *	struct str line = S("RCPT TO:<a@b.test>"), verb;
 *	str_split(&line, ' ', &verb);		verb = RCPT, line = TO:<...>
 *	if (str_same_nocase(verb, S("rcpt")))
 *		printf("%.*s\n", STR(line));
 *
 * A slice is valid as long as the memory it looks into: an arena, a buffer, or
 * a peer's bytes, which are on loan until the next read.  "nocase" is ASCII:
 * that is what RFC 5321 means by case.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <string.h>

#include "base/check.h"

struct str {
	const char *p;
	size_t n;
};

#define S(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR(s) (int)(s).n, (s).p /* for "%.*s" */
#define STR_NONE ((struct str){ NULL, 0 })

static inline struct str str_of(const char *c)
{
	return (struct str){ c, c ? strlen(c) : 0 };
}

static inline bool str_empty(struct str s)
{
	return s.n == 0;
}

bool str_same(struct str a, struct str b);
bool str_same_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str with);
bool str_starts_nocase(struct str s, struct str with);
bool str_ends(struct str s, struct str with);
/* <0, 0, >0 like memcmp, the shorter first when one is the other's start. */
int str_compare(struct str a, struct str b);
bool str_is_ascii(struct str s);

/* Index of the first (last) C in S, or -1. */
ptrdiff_t str_find(struct str s, char c);
ptrdiff_t str_find_last(struct str s, char c);
/* Index of the first occurrence of WHAT, or -1. */
ptrdiff_t str_search(struct str s, struct str what);

/* The part from..end; both are clamped to the string. */
struct str str_part(struct str s, size_t from, size_t end);
struct str str_from(struct str s, size_t from);
/* The first bytes, at most MAX, without half a character of UTF-8 at the end. */
struct str str_cut(struct str s, size_t max);
/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/*
 * Cut REST at the first SEPARATOR: HEAD gets what stood before it, REST keeps
 * what stands behind.  Without a separator HEAD gets all and REST is empty.
 * False when REST was empty already, so that a while loop walks all parts.
 */
bool str_split(struct str *rest, char separator, struct str *head);

/* Decimal digits only, nothing around them, at most MAX. */
bool str_number(struct str s, uint64_t max, uint64_t *out) must_check;

#endif
