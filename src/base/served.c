/* Which certificate is for a name (served.h). */
#include "base/served.h"

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Labels of what labels have, with one dot between. */
static bool is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool is_dot = s.p[i] == '.';

		if (!is_dot && !is_label_char(s.p[i]))
			return false;
		if (is_dot && (i == 0 || i + 1 == s.n || s.p[i - 1] == '.'))
			return false;
	}
	return s.n > 0;
}

bool served_name(struct str given, char to[SERVED_NAME_BYTES])
{
	struct str made;

	if (str_ends(given, S(".")))
		given.n--;
	if (given.n >= SERVED_NAME_BYTES)
		return false;
	for (size_t i = 0; i < given.n; i++)
		to[i] = small(given.p[i]);
	to[given.n] = '\0';
	made = (struct str){ to, given.n };
	return is_host(str_starts(made, S("*.")) ? str_from(made, 2) : made);
}

/* ---- choosing ---- */

enum { OF_NONE, OF_WILDCARD, OF_ITSELF };

static int match(const struct served *one, struct str asked)
{
	ptrdiff_t dot = str_find(asked, '.');
	int found = OF_NONE;

	for (size_t i = 0; i < one->n_names; i++) {
		struct str name = one->names[i];

		if (str_same(name, asked))
			return OF_ITSELF;
		if (dot > 0 && str_starts(name, S("*.")) &&
		    str_same(str_from(name, 1), str_from(asked, (size_t)dot)))
			found = OF_WILDCARD;
	}
	return found;
}

/* How well it fits, whatever its key; 0: not at all. */
static int rank(const struct served *one, struct str asked, int64_t now_ms)
{
	int how = match(one, asked);

	if (how == OF_NONE)
		return 0;
	return one->ends_ms > now_ms ? how + OF_ITSELF : how;
}

bool served_choose(const struct served *all, size_t n, struct str asked,
		   int64_t now_ms, int found[KEY_KINDS])
{
	char text[SERVED_NAME_BYTES];
	int best = 0;

	for (int k = 0; k < KEY_KINDS; k++)
		found[k] = -1;
	if (!served_name(asked, text))
		return false;
	for (size_t i = 0; i < n; i++) {
		int how = rank(&all[i], str_of(text), now_ms);
		int *place = &found[all[i].key];

		if (how == 0 || how < best)
			continue;
		for (int k = 0; how > best && k < KEY_KINDS; k++)
			found[k] = -1;
		best = how;
		if (*place < 0 || all[*place].ends_ms < all[i].ends_ms)
			*place = (int)i;
	}
	return best > 0;
}

const char *key_kind_name(enum key_kind kind)
{
	switch (kind) {
	case KEY_ECDSA:
		return "ECDSA";
	case KEY_RSA:
		return "RSA";
	case KEY_OTHER:
	case KEY_KINDS:
		break;
	}
	return "other";
}
