/* The words of next hops. */
#include "base/next_hop.h"

static const char *const words[] = {
	[NEXT_HOP_UNDECIDED] = "undecided", [NEXT_HOP_MAILBOXES] = "mailboxes",
	[NEXT_HOP_SYSTEM] = "system",       [NEXT_HOP_RELAY] = "relay",
	[NEXT_HOP_INTERNET] = "internet",
};

const char *next_hop_word(enum next_hop_kind kind)
{
	return (size_t)kind < array_size(words) ? words[kind] : words[0];
}

bool next_hop_kind_of(struct str word, enum next_hop_kind *out)
{
	for (size_t i = 0; i < array_size(words); i++)
		if (str_same(word, str_of(words[i]))) {
			*out = (enum next_hop_kind)i;
			return true;
		}
	return false;
}

struct str next_hop_text(const struct next_hop *h, struct arena *arena)
{
	if (str_empty(h->name))
		return str_of(next_hop_word(h->kind));
	return arena_strf(arena, "%s %.*s", next_hop_word(h->kind),
			  STR(h->name));
}

bool next_hop_parse(struct str text, struct next_hop *out)
{
	struct str word;

	*out = (struct next_hop){ .kind = NEXT_HOP_UNDECIDED };
	if (!str_split(&text, ' ', &word) ||
	    !next_hop_kind_of(word, &out->kind))
		return false;
	out->name = text;
	return true;
}
