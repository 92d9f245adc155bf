/*
 * The payload of an Authentication-Results field (RFC 8601 2.2).
 *
 *	payload    = [CFWS] authserv-id [CFWS 1*DIGIT] ( none / 1*resinfo ) [CFWS]
 *	none       = [CFWS] ";" [CFWS] "none"
 *	resinfo    = [CFWS] ";" method "=" result [ "reason" "=" value ] *propspec
 *	method     = keyword [ "/" 1*DIGIT ]
 *	propspec   = ptype "." property "=" pvalue
 *	pvalue     = value / [ [ local-part ] "@" ] domain
 *	value      = token / quoted-string (RFC 2045)
 *
 * with CFWS between any two of these.  A pvalue is read up to white space, a
 * ';' or a comment, quoted parts whole.  A ';' that nothing follows is forgiven.
 */
#include "wire/auth_results.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/limits.h"

struct reading {
	struct str rest;
	struct arena *arena;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_at(const struct reading *r, char c)
{
	return r->rest.n && r->rest.p[0] == c;
}

static char take(struct reading *r)
{
	char c = r->rest.p[0];

	r->rest = str_from(r->rest, 1);
	return c;
}

static bool took(struct reading *r, char c)
{
	bool is = is_at(r, c);

	if (is)
		take(r);
	return is;
}

/* ---- what stands between words ---- */

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

static bool skip_between(struct reading *r)
{
	while (r->rest.n && (is_space(r->rest.p[0]) || is_at(r, '(')))
		if (take(r) == '(' && !skip_comment(r))
			return false;
	return true;
}

/* ---- words ---- */

static bool is_token(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f &&
	       !strchr("()<>@,;:\\\"/[]?=", c);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Perhaps empty; on loan. */
static struct str run(struct reading *r, bool (*is_in)(char c))
{
	size_t n = 0;
	struct str word;

	while (n < r->rest.n && is_in(r->rest.p[n]))
		n++;
	word = str_part(r->rest, 0, n);
	r->rest = str_from(r->rest, n);
	return word;
}

/* Behind its first quote; unquoted into TO. */
static bool take_quoted(struct reading *r, struct buf *to)
{
	while (r->rest.n) {
		char c = take(r);

		if (c == '"')
			return true;
		if (c == '\\' && r->rest.n)
			c = take(r);
		buf_add_char(to, c);
	}
	return fail("a quoted text has no end");
}

static bool take_value(struct reading *r, struct str *out)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	if (!took(r, '"')) {
		*out = run(r, is_token);
		return out->n > 0 || fail("a value is missing");
	}
	if (!take_quoted(r, &b))
		return false;
	*out = arena_str(r->arena, buf_str(&b));
	return true;
}

/* A keyword and what stands behind it. */
static bool take_word(struct reading *r, struct str *out)
{
	struct str word = run(r, is_word);
	char *to = arena_alloc(r->arena, word.n + 1);

	for (size_t i = 0; i < word.n; i++)
		to[i] = (char)tolower((unsigned char)word.p[i]);
	*out = (struct str){ to, word.n };
	if (word.n == 0)
		return fail("a word is missing");
	return skip_between(r);
}

/* Between two words, with CFWS around it. */
static bool take_sign(struct reading *r, char c)
{
	return took(r, c) ? skip_between(r) : fail("there is no '%c'", c);
}

/* ---- who ---- */

/* With what stands around it. */
static bool take_id(struct reading *r, struct str *out)
{
	return skip_between(r) && take_value(r, out) && skip_between(r);
}

bool auth_results_claims(struct str value, struct str host)
{
	struct arena *own scoped(arena) = arena_open();
	struct reading r = { value, own };
	struct str id;

	if (!skip_between(&r) || !take_value(&r, &id))
		return false;
	id = str_trim(id);
	if (str_ends(id, S(".")))
		id.n--;
	return str_same_nocase(id, host);
}

/* ---- what ---- */

static struct str domain_in(struct str pvalue)
{
	return str_from(pvalue, (size_t)(str_find_last(pvalue, '@') + 1));
}

static bool take_pvalue(struct reading *r, struct str *out)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	while (r->rest.n && !is_space(r->rest.p[0]) && !is_at(r, ';') &&
	       !is_at(r, '(')) {
		char c = take(r);

		if (c != '"')
			buf_add_char(&b, c);
		else if (!take_quoted(r, &b))
			return false;
	}
	*out = arena_str(r->arena, buf_str(&b));
	return skip_between(r);
}

static bool names(const struct auth_found *f, struct str type,
		  struct str property)
{
	bool in_header = str_same(type, S("header"));

	switch (f->method) {
	case AUTH_SPF:
		return str_same(type, S("smtp")) &&
		       str_same(property, S("mailfrom"));
	case AUTH_DKIM:
		return in_header &&
		       (str_same(property, S("d")) ||
			(str_same(property, S("i")) && str_empty(f->domain)));
	case AUTH_DMARC:
		return in_header && str_same(property, S("from"));
	case AUTH_ELSE:
		break;
	}
	return false;
}

/* "reason=" or "ptype.property=". */
static bool take_more(struct reading *r, struct auth_found *f)
{
	struct str type, property = S(""), value;

	if (!take_word(r, &type))
		return false;
	if (took(r, '.') && (!skip_between(r) || !take_word(r, &property)))
		return false;
	if (!take_sign(r, '=') || !take_pvalue(r, &value))
		return false;
	if (str_empty(property) && !str_same(type, S("reason")))
		return fail("\"%.*s\" says nothing", STR(str_cut(type, 60)));
	if (names(f, type, property))
		f->domain = domain_in(value);
	return true;
}

static enum auth_method method_of(struct str word)
{
	return str_same(word, S("spf"))     ? AUTH_SPF
	       : str_same(word, S("dkim"))  ? AUTH_DKIM
	       : str_same(word, S("dmarc")) ? AUTH_DMARC
					    : AUTH_ELSE;
}

static enum auth_result result_of(struct str word)
{
	return str_same(word, S("pass"))        ? AUTH_PASS
	       : str_same(word, S("temperror")) ? AUTH_TEMPERROR
						: AUTH_OTHER;
}

/* Behind the '/'. */
static bool skip_method_version(struct reading *r)
{
	return skip_between(r) &&
	       (run(r, is_word).n > 0 || fail("a method has no version")) &&
	       skip_between(r);
}

static bool take_result(struct reading *r, struct auth_found *f)
{
	*f = (struct auth_found){ .domain = S("") };
	if (!take_word(r, &f->method_word))
		return false;
	if (took(r, '/') && !skip_method_version(r))
		return false;
	if (!take_sign(r, '=') || !take_word(r, &f->result_word))
		return false;
	f->method = method_of(f->method_word);
	f->result = result_of(f->result_word);
	while (r->rest.n && !is_at(r, ';'))
		if (!take_more(r, f))
			return false;
	return true;
}

/* What was checked, behind a ';': nothing ("none", or the end). */
static bool is_none(const struct reading *r)
{
	return str_empty(str_trim(r->rest)) ||
	       str_same_nocase(str_trim(r->rest), S("none"));
}

static bool skip_version(struct reading *r)
{
	return is_at(r, ';') || str_empty(r->rest) ||
	       (run(r, is_word).n > 0 && skip_between(r));
}

bool auth_results_parse(struct str value, struct arena *arena,
			const struct auth_found **out, size_t *n)
{
	struct reading r = { value, arena };
	struct auth_found *list;
	struct str id;

	*n = 0;
	if (!take_id(&r, &id) || !skip_version(&r))
		return false;
	list = arena_array(arena, struct auth_found, LIMIT_AUTH_RESULTS);
	*out = list;
	while (r.rest.n) {
		if (!take_sign(&r, ';'))
			return false;
		if (is_none(&r))
			return true;
		if (*n == LIMIT_AUTH_RESULTS)
			return fail("there are more than %d results",
				    LIMIT_AUTH_RESULTS);
		if (!take_result(&r, &list[*n]))
			return false;
		++*n;
	}
	return true;
}
