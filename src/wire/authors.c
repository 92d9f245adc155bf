/*
 * The address list of a header field.
 *
 *	address-list = [ address *( "," address ) ]	empty ones are allowed
 *	address      = mailbox / phrase ":" [ address-list ] ";"
 *	mailbox      = [ phrase ] "<" [ route ":" ] addr-spec ">" / addr-spec
 *
 * Groups do not lie in each other, so ':' and ';' only part what they stand
 * between.
 */
#include "wire/authors.h"

#include "base/buf.h"
#include "base/limits.h"

struct reading {
	struct str rest;
	struct arena *arena;
	struct buf words;   /* before '<': comments left out */
	struct buf address; /* between '<' and '>' */
	bool has_angle, in_angle;
	struct str *list;
	size_t n;
};

static char take(struct reading *r)
{
	char c = r->rest.p[0];

	r->rest = str_from(r->rest, 1);
	return c;
}

/* Behind its "(". */
static bool skip_comment(struct reading *r)
{
	int depth = 1;

	while (r->rest.n && depth > 0) {
		char c = take(r);

		if (c == '\\' && r->rest.n)
			take(r);
		depth += (c == '(') - (c == ')');
	}
	return depth == 0 || fail("a comment has no end");
}

/* Its quotes go with it; behind the first one. */
static bool take_quoted(struct reading *r, struct buf *to)
{
	buf_add_char(to, '"');
	while (r->rest.n) {
		char c = take(r);

		buf_add_char(to, c);
		if (c == '"')
			return true;
		if (c == '\\' && r->rest.n)
			buf_add_char(to, take(r));
	}
	return fail("a quoted text has no end");
}

/* "[192.0.2.1]" */
static bool take_literal(struct reading *r, struct buf *to)
{
	buf_add_char(to, '[');
	while (r->rest.n) {
		char c = take(r);

		buf_add_char(to, c);
		if (c == ']')
			return true;
	}
	return fail("an address literal has no end");
}

static bool name(struct reading *r, struct str address)
{
	if (r->n == LIMIT_AUTHORS)
		return fail("it names more than %d addresses", LIMIT_AUTHORS);
	r->list[r->n++] = arena_str(r->arena, address);
	return true;
}

/* Words with an '@' that are not quoted. */
static bool name_words(struct reading *r)
{
	struct str text = buf_str(&r->words);
	size_t from = 0;
	bool quoted = false, at = false;

	for (size_t i = 0; i <= text.n; i++) {
		char c = i < text.n ? text.p[i] : ' ';

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		if (quoted || c != ' ') {
			at |= c == '@' && !quoted;
			continue;
		}
		if (at && !name(r, str_part(text, from, i)))
			return false;
		at = false;
		from = i + 1;
	}
	return true;
}

/* White space stands between atoms, dots and the '@' of an old addr-spec. */
static struct str without_spaces(struct str s, struct arena *arena)
{
	char *to = arena_alloc(arena, s.n + 1);
	bool quoted = false;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			to[n++] = s.p[i++];
		else if (s.p[i] == '"')
			quoted = !quoted;
		if (quoted || s.p[i] != ' ')
			to[n++] = s.p[i];
	}
	return (struct str){ to, n };
}

/* "@a,@b:c@d": the route is nobody's address. */
static struct str without_route(struct str s)
{
	ptrdiff_t colon = str_starts(s, S("@")) ? str_find(s, ':') : -1;

	return colon < 0 ? s : str_from(s, (size_t)colon + 1);
}

/* One address of the list is read. */
static bool end_one(struct reading *r)
{
	struct str address = without_spaces(buf_str(&r->address), r->arena);
	struct str words = without_spaces(buf_str(&r->words), r->arena);
	bool good = true;

	if (r->in_angle)
		return fail("\"<\" without \">\"");
	if (r->has_angle)
		good = name(r, without_route(address)) && name_words(r);
	else if (words.n)
		good = name(r, words);
	buf_clear(&r->words);
	buf_clear(&r->address);
	r->has_angle = false;
	return good;
}

static bool open_angle(struct reading *r)
{
	if (r->has_angle)
		return fail("\"<\" twice in one address");
	r->has_angle = r->in_angle = true;
	return true;
}

static bool close_angle(struct reading *r)
{
	if (!r->in_angle)
		return fail("\">\" without \"<\"");
	r->in_angle = false;
	return true;
}

/* The words before it are the group's name. */
static bool begin_group(struct reading *r)
{
	bool good = !r->has_angle || fail("\":\" behind an address");

	good = good && name_words(r);
	buf_clear(&r->words);
	return good;
}

static bool read_one(struct reading *r)
{
	struct buf *to = r->in_angle ? &r->address : &r->words;
	char c = take(r);

	switch (c) {
	case '(':
		buf_add_char(to, ' ');
		return skip_comment(r);
	case '"':
		return take_quoted(r, to);
	case '[':
		return take_literal(r, to);
	case '<':
		return open_angle(r);
	case '>':
		return close_angle(r);
	case ',':
	case ';':
		/* a route's comma */
		if (r->in_angle && c == ',') {
			buf_add_char(to, c);
			return true;
		}
		return end_one(r);
	case ':':
		if (!r->in_angle)
			return begin_group(r);
		break;
	case '\t':
	case '\r':
	case '\n':
		c = ' ';
		break;
	default:
		break;
	}
	buf_add_char(to, c);
	return true;
}

bool authors_parse(struct str value, struct arena *arena,
		   const struct str **out, size_t *n)
{
	struct reading r = { .rest = value, .arena = arena };
	bool good = true;

	r.list = arena_array(arena, struct str, LIMIT_AUTHORS);
	while (good && r.rest.n)
		good = read_one(&r);
	good = good && end_one(&r);
	buf_free(&r.words);
	buf_free(&r.address);
	*out = r.list;
	*n = good ? r.n : 0;
	return good;
}
