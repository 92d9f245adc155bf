/*
 * fold() for SQLite (fold.h).
 *
 * Case folding (Unicode 3.13) and canonical decomposition are libunistring's;
 * then the marks that stand apart from their letters are left out.
 */
#include "directory/fold.h"

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

/* ASCII stays as it is: LIKE takes no notice of its case, and nearly
 * everything is ASCII.  So does what is no UTF-8. */
static void on_fold(sqlite3_context *out, int count, sqlite3_value **values)
{
	const char *p = (const char *)sqlite3_value_text(values[0]);
	struct str text = { p, (size_t)sqlite3_value_bytes(values[0]) };
	uint8_t *folded = NULL;
	size_t n;

	if (p && !str_is_ascii(text))
		folded = u8_casefold((const uint8_t *)p, text.n, NULL,
				     UNINORM_NFD, NULL, &n);
	if (folded)
		sqlite3_result_text64(out, (char *)folded,
				      drop_accents(folded, n), free,
				      SQLITE_UTF8);
	else
		sqlite3_result_value(out, values[0]);
}

bool fold_register(struct sqlite3 *db)
{
	if (sqlite3_create_function_v2(
		    db, "fold", 1,
		    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
		    on_fold, NULL, NULL, NULL) != SQLITE_OK)
		return fail("directory.db: %s", sqlite3_errmsg(db));
	return true;
}
