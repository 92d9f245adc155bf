/*
 * fold() for SQLite (fold.h).
 *
 * Case folding (Unicode 3.13) and canonical decomposition are libunistring's;
 * then the marks that stand apart from their letters are left out.
 */
#include "directory/fold.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/str.h"

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
			to[used++] = (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32
								     : c);
		else
			for (size_t i = 0; i < letters[c].n; i++)
				to[used++] = letters[c].text[i];
		at += (size_t)bytes;
	}
	*left = used;
	return to;
}

/* ASCII stays as it is: LIKE takes no notice of its case, and nearly
 * everything is ASCII.  So does what is no UTF-8. */
static void on_fold(sqlite3_context *out, int count, sqlite3_value **values)
{
	const char *p = (const char *)sqlite3_value_text(values[0]);
	struct str text = { p, (size_t)sqlite3_value_bytes(values[0]) };
	uint8_t *folded = NULL;
	size_t n;

	if (p && !str_is_ascii(text)) {
		const uint8_t *bytes = (const uint8_t *)p;

		folded = fold_by_letter(bytes, text.n, &n);
		if (!folded)
			folded = fold(bytes, text.n, &n);
	}
	if (folded)
		sqlite3_result_text64(out, (char *)folded, n, free,
				      SQLITE_UTF8);
	else
		sqlite3_result_value(out, values[0]);
}

bool fold_register(struct sqlite3 *db)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fold_letters);
	if (sqlite3_create_function_v2(
		    db, "fold", 1,
		    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
		    on_fold, NULL, NULL, NULL) != SQLITE_OK)
		return fail("directory.db: %s", sqlite3_errmsg(db));
	return true;
}
