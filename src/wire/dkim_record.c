/*
 * Records of DKIM keys (dkim_record.h): lists of tags (tags.h).
 *
 * Names are what they are, letter by letter; v=, where it stands, comes first
 * and is "DKIM1"; k= is "rsa" unless it is said; in p= white space says nothing.
 */
#include "wire/dkim_record.h"

#include "base/buf.h"
#include "wire/tags.h"

struct str dkim_record_write(struct str algorithm, struct str public,
			     struct arena *arena)
{
	return arena_strf(arena, "v=DKIM1; k=%.*s; p=%.*s", STR(algorithm),
			  STR(public));
}

struct str dkim_record_zone(struct str name, struct str text,
			    struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	bool is_long = text.n > DKIM_STRING_BYTES;

	buf_printf(&b, "%.*s. IN TXT %s", STR(name), is_long ? "( " : "");
	do {
		struct str part = str_cut(text, DKIM_STRING_BYTES);

		text = str_from(text, part.n);
		buf_printf(&b, "\"%.*s\"%s", STR(part),
			   !is_long ? "" : (text.n ? " " : " )"));
	} while (text.n);
	return arena_str(arena, buf_str(&b));
}

/* ---- what is there ---- */

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space apart. */
static bool is_same_key(struct str a, struct str b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a.n && is_white(a.p[i]))
			i++;
		while (k < b.n && is_white(b.p[k]))
			k++;
		if (i == a.n || k == b.n)
			return i == a.n && k == b.n;
		if (a.p[i++] != b.p[k++])
			return false;
	}
}

struct record {
	struct str algorithm, public;
	bool is_one, has_public;
};

static struct record read_record(struct str text)
{
	struct record r = { .algorithm = S("rsa"), .is_one = true };
	bool is_first = true;
	struct tag tag;

	while (tags_next(&text, &tag)) {
		if (str_same(tag.name, S("v")))
			r.is_one &= is_first && str_same(tag.value, S("DKIM1"));
		else if (str_same(tag.name, S("k")))
			r.algorithm = tag.value;
		else if (str_same(tag.name, S("p")) && !tag.is_malformed) {
			r.public = tag.value;
			r.has_public = true;
		}
		is_first = false;
	}
	r.is_one &= r.has_public;
	return r;
}

enum dkim_found dkim_record_compare(const struct str *texts, size_t n,
				    struct str algorithm, struct str public)
{
	struct record r;

	if (n > 1)
		return DKIM_FOUND_SEVERAL;
	r = read_record(texts[0]);
	if (!r.is_one)
		return DKIM_FOUND_OTHER;
	if (str_empty(r.public))
		return DKIM_FOUND_REVOKED;
	return str_same(r.algorithm, algorithm) && is_same_key(r.public, public)
		       ? DKIM_FOUND_EQUAL
		       : DKIM_FOUND_OTHER;
}
