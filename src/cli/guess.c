/*
 * Guesses (guess.h).
 */
#include "cli/guess.h"

#include <string.h>

enum { LONGEST = 32 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* A and B alike, "-" and "_", great and small. */
static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	return c == '_' ? '-' : c;
}

/* Letters to insert, leave out, replace or swap with the next one (optimal
 * string alignment). */
static unsigned distance(struct str a, struct str b)
{
	unsigned rows[3][LONGEST + 1], *before = rows[0], *last = rows[1],
				       *now = rows[2];

	for (unsigned k = 0; k <= b.n; k++)
		last[k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *free_row = before;

		now[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			char x = folded(a.p[i - 1]), y = folded(b.p[k - 1]);

			now[k] = least(last[k - 1] + (x != y),
				       1 + least(last[k], now[k - 1]));
			if (i > 1 && k > 1 && x == folded(b.p[k - 2]) &&
			    folded(a.p[i - 2]) == y)
				now[k] = least(now[k], before[k - 2] + 1);
		}
		before = last;
		last = now;
		now = free_row;
	}
	return last[b.n];
}

struct guesses guesses_begin(struct str word)
{
	return (struct guesses){ .word = word, .distance = LONGEST };
}

void guesses_try(struct guesses *g, const char *candidate)
{
	struct str c = str_of(candidate);
	unsigned far, most = g->word.n < 5 ? 1 : g->word.n < 8 ? 2 : 3;

	if (g->word.n < 2 || g->word.n > LONGEST || c.n > LONGEST || !c.n)
		return;
	/* the beginning of a word says more than its length */
	far = g->word.n >= 3 && str_starts(c, g->word) ? 1
						       : distance(g->word, c);
	if (far > most || far >= c.n || far >= g->distance)
		return;
	g->best = candidate;
	g->distance = far;
}

const char *guesses_end(const struct guesses *g)
{
	return g->best;
}

/* ---- what the field calls it ---- */

static const struct {
	const char *words;
	struct meant meant;
} known[] = {
#define GUESS(words, command) { words, { command, NULL } },
#define HINT(words, sentence) { words, { NULL, sentence } },
#define VERB(other, ours)
#include "cli/guesses.def"
#undef GUESS
#undef HINT
#undef VERB
};

/* Is FIRST, or FIRST and SECOND, one of the words "users|list users"? */
static bool is_one_of(const char *words, struct str first, const char *second)
{
	struct str rest = str_of(words), one, head;

	while (str_split(&rest, '|', &one)) {
		bool has_two = str_find(one, ' ') >= 0;

		str_split(&one, ' ', &head);
		if (str_same_nocase(head, first) &&
		    (has_two ? second && str_same_nocase(one, str_of(second))
			     : !second))
			return true;
	}
	return false;
}

struct meant guess_command(const char *first, const char *second)
{
	for (size_t i = 0; i < array_size(known); i++)
		if (is_one_of(known[i].words, str_of(first), second))
			return known[i].meant;
	return second ? guess_command(first, NULL) : (struct meant){ 0 };
}

static const struct {
	const char *other, *ours;
} verbs[] = {
#define GUESS(words, command)
#define HINT(words, sentence)
#define VERB(other, ours) { other, ours },
#include "cli/guesses.def"
#undef GUESS
#undef HINT
#undef VERB
};

const char *guess_verb(const char *verb, size_t i)
{
	for (size_t k = 0; k < array_size(verbs); k++)
		if (is_one_of(verbs[k].other, str_of(verb), NULL) && i-- == 0)
			return verbs[k].ours;
	return NULL;
}
