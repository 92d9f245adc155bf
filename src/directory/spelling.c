/*
 * domain_spellings() and local_spellings() for SQLite (spelling.h).
 *
 * Letters change one by one (Unicode's simple case mappings), so that no two
 * names share a spelling: a sharp s stays what it is.
 */
#include "directory/spelling.h"

#include <jansson.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "wire/address.h"
#include "wire/json.h"

enum letters { SMALL, CAPITALS, BEGINNINGS };

struct spellings {
	struct arena *arena;
	struct str canonical;
	json_t *list;
};

static bool begins_word(ucs4_t before)
{
	return before == 0 || before == '.' || before == '-' || before == '_';
}

static ucs4_t letter(ucs4_t c, ucs4_t before, enum letters how)
{
	if (c < 0x80 || how == SMALL ||
	    (how == BEGINNINGS && !begins_word(before)))
		return c;
	return uc_toupper(c);
}

/* TEXT is UTF-8. */
static struct str with_letters(struct str text, enum letters how,
			       struct arena *arena)
{
	uint8_t *to = arena_alloc(arena, 2 * text.n + 6);
	const uint8_t *from = (const uint8_t *)text.p;
	ucs4_t c, before = 0;
	size_t n = 0;

	for (size_t at = 0; at < text.n; before = c) {
		at += (size_t)u8_mbtouc(&c, from + at, text.n - at);
		n += (size_t)u8_uctomb(to + n, letter(c, before, how), 6);
	}
	return (struct str){ (char *)to, n };
}

static bool has(json_t *list, struct str s)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i,
			   one) if (str_same(str_of(json_string_value(one)),
					     s)) return true;
	return false;
}

static void add_composed(struct spellings *w, struct str s, uninorm_t form)
{
	size_t n = 0;
	uint8_t *p = u8_normalize(form, (const uint8_t *)s.p, s.n, NULL, &n);
	struct str text = { (char *)p, n };

	if (p && !str_is_ascii(text) && !str_same(text, w->canonical) &&
	    !has(w->list, text))
		json_array_append_new(w->list, json_text(text));
	free(p);
}

static void add_all(struct spellings *w, struct str s)
{
	for (enum letters how = SMALL; how <= BEGINNINGS; how++) {
		struct str text = with_letters(s, how, w->arena);

		add_composed(w, text, UNINORM_NFC);
		add_composed(w, text, UNINORM_NFD);
	}
}

static void answer(struct sql_call *c, struct spellings *w, struct str s)
{
	char *text;

	w->list = json_array();
	if (!str_is_ascii(s))
		add_all(w, s);
	text = json_dumps(w->list, JSON_COMPACT);
	check(text);
	json_decref(w->list);
	call_answer_taken(c, text, strlen(text));
}

void domain_spellings_call(struct sql_call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct spellings w = { .arena = arena, .canonical = call_text(c) };

	answer(c, &w, domain_shown(w.canonical, arena));
}

void local_spellings_call(struct sql_call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct spellings w = { .arena = arena, .canonical = call_text(c) };

	answer(c, &w, w.canonical);
}
