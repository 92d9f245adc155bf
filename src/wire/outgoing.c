/* Addresses of this machine that mail leaves from (outgoing.h). */
#include "wire/outgoing.h"

#include "base/fail.h"

/* 224.0.0.0/4, 255.255.255.255 and ff00::/8 are nobody's own. */
static bool is_for_many(const struct inet *a)
{
	return inet_is_v4(a) ? a->ip[12] >= 224 : a->ip[0] == 0xff;
}

static bool take_one(struct str word, struct outgoing *out)
{
	struct inet at;
	bool *has;

	if (!inet_parse_ip(word, 0, &at))
		return fail("\"%.*s\" is no IP address", STR(word));
	if (inet_is_unspecified(&at) || is_for_many(&at))
		return fail("%.*s is no machine's own address", STR(word));
	has = inet_is_v4(&at) ? &out->has_v4 : &out->has_v6;
	if (*has)
		return fail("one address of each family is enough, and %.*s is "
			    "another",
			    STR(word));
	*has = true;
	*(inet_is_v4(&at) ? &out->v4 : &out->v6) = at;
	return true;
}

static bool is_between(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

bool outgoing_parse(struct str text, struct outgoing *out)
{
	*out = (struct outgoing){ 0 };
	for (size_t i = 0; i < text.n;) {
		size_t begin = i;

		while (i < text.n && !is_between(text.p[i]))
			i++;
		if (i > begin && !take_one(str_part(text, begin, i), out))
			return false;
		i++;
	}
	return true;
}

struct str outgoing_text(const struct outgoing *from, struct arena *arena)
{
	return arena_strf(arena, "%s%s%s",
			  from->has_v4 ? inet_ip_text(&from->v4).c : "",
			  from->has_v4 && from->has_v6 ? ", " : "",
			  from->has_v6 ? inet_ip_text(&from->v6).c : "");
}

bool outgoing_is_set(const struct outgoing *from)
{
	return from->has_v4 || from->has_v6;
}

const struct inet *outgoing_for(const struct outgoing *from,
				const struct inet *peer)
{
	if (inet_is_v4(peer))
		return from->has_v4 ? &from->v4 : NULL;
	return from->has_v6 ? &from->v6 : NULL;
}

bool outgoing_reaches(const struct outgoing *from, const struct inet *peer)
{
	return !outgoing_is_set(from) || outgoing_for(from, peer);
}
