/*
 * fold() for SQLite (fold.h).
 *
 * Case folding (Unicode 3.13) and canonical decomposition are libunistring's;
 * then the marks that stand apart from their letters are left out.
 */
#include "directory/fold.h"

#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/str.h"
#include "rt/mutex.h"

/* Above, below and around letters; not what makes another letter in scripts
 * of Asia (nukta, virama, voicing). */
static bool is_accent(ucs4_t c)
{
	return uc_combining_class(c) >= UC_CCC_ATBL;
}

/* In place; the length that is left.  TEXT is UTF-8. */
static size_t drop_accents(uint8_t *text, size_t n)
{
	size_t left = 0;

	for (size_t at = 0; at < n;) {
		ucs4_t c;
		size_t bytes = (size_t)u8_mbtouc(&c, text + at, n - at);

		if (!is_accent(c)) {
			memmove(text + left, text + at, bytes);
			left += bytes;
		}
		at += bytes;
	}
	return left;
}

/* By malloc(); NULL: it is no UTF-8. */
static uint8_t *fold(const uint8_t *text, size_t n, size_t *left)
{
	uint8_t *folded = u8_casefold(text, n, NULL, UNINORM_NFD, NULL, left);

	if (folded)
		*left = drop_accents(folded, *left);
	return folded;
}

/*
 * Latin, Greek and Cyrillic letters one by one, as fold() has them: names of
 * 100,000 people are searched while somebody waits, and fold() would take ten
 * times as long.
 */
enum { FIRST_LETTER = 0x80, LETTERS_END = 0x530, LETTER_BYTES = 7 };
static struct {
	uint8_t n, text[LETTER_BYTES];
} letters[LETTERS_END];

static void fold_letters(void)
{
	for (ucs4_t c = FIRST_LETTER; c < LETTERS_END; c++) {
		uint8_t one[6];
		size_t n = (size_t)u8_uctomb(one, c, sizeof(one)), left;
		uint8_t *folded = fold(one, n, &left);

		check(folded && left <= LETTER_BYTES);
		memcpy(letters[c].text, folded, left);
		letters[c].n = (uint8_t)left;
		free(folded);
	}
}

/* The same as fold(), or NULL: TEXT has other letters, too. */
static uint8_t *fold_by_letter(const uint8_t *text, size_t n, size_t *left)
{
	uint8_t *to = must_alloc(n * LETTER_BYTES);
	size_t used = 0;

	for (size_t at = 0; at < n;) {
		ucs4_t c;
		int bytes = u8_mbtoucr(&c, text + at, n - at);

		if (bytes < 0 || c >= LETTERS_END) {
			free(to);
			return NULL;
		}
		if (c < FIRST_LETTER)
			to[used++] =
				(uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		else
			for (size_t i = 0; i < letters[c].n; i++)
				to[used++] = letters[c].text[i];
		at += (size_t)bytes;
	}
	*left = used;
	return to;
}

static uint8_t *fold_text(struct str text, size_t *left)
{
	static struct once once = ONCE;
	const uint8_t *bytes = (const uint8_t *)text.p;
	uint8_t *folded;

	once_do(&once, fold_letters);
	folded = fold_by_letter(bytes, text.n, left);
	return folded ? folded : fold(bytes, text.n, left);
}

/* ASCII stays as it is: LIKE takes no notice of its case, and nearly
 * everything is ASCII.  So does what is no UTF-8. */
void fold_call(struct sql_call *c)
{
	struct str text = call_text(c);
	uint8_t *folded = NULL;
	size_t n;

	if (!str_is_ascii(text))
		folded = fold_text(text, &n);
	if (folded)
		call_answer_taken(c, (char *)folded, n);
	else
		call_answer_same(c);
}
