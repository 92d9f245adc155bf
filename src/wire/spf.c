/*
 * SPF records (spf.h), RFC 7208 12.
 *
 *	record    = "v=spf1" *( 1*SP ( directive / modifier ) ) *SP
 *	directive = [ "+" / "-" / "?" / "~" ] mechanism
 *	mechanism = "all" / "include:" name / ( "a" / "mx" ) [ ":" name ] [ cidr ]
 *		  / "ptr" [ ":" name ] / "ip4:" block / "ip6:" block
 *		  / "exists:" name
 *	cidr      = [ "/" 1*2DIGIT ] [ "//" 1*3DIGIT ]
 *	modifier  = "redirect=" name / "exp=" name / ALPHA *any "=" text
 */
#include "wire/spf.h"

#include "base/limits.h"

bool spf_is_record(struct str text)
{
	return str_starts_nocase(text, S("v=spf1")) &&
	       (text.n == 6 || text.p[6] == ' ');
}

bool spf_asks(const struct spf_term *t)
{
	return t->kind == SPF_INCLUDE || t->kind == SPF_A ||
	       t->kind == SPF_MX || t->kind == SPF_PTR || t->kind == SPF_EXISTS;
}

const struct spf_term *spf_all(const struct spf_record *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->terms[i].kind == SPF_ALL)
			return &r->terms[i];
	return NULL;
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool is_macro(struct str name)
{
	return str_find(name, '%') >= 0;
}

/* Printable, and no blank: the macros in it are not looked into. */
static bool is_name(struct str name)
{
	if (str_empty(name) || name.n > LIMIT_SPF_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return false;
	return true;
}

/* ---- mechanisms ---- */

/* VALUE loses its "/24//64". */
static bool take_bits(struct str *value, struct spf_term *t)
{
	ptrdiff_t six = str_search(*value, S("//")), four;
	uint64_t bits;

	t->bits4 = 32;
	t->bits6 = 128;
	if (six >= 0) {
		if (!str_number(str_from(*value, (size_t)six + 2), 128, &bits))
			return false;
		t->bits6 = (uint8_t)bits;
		*value = str_part(*value, 0, (size_t)six);
	}
	four = str_find_last(*value, '/');
	/* A slash may stand inside a macro's braces. */
	if (four < 0 || str_find(str_from(*value, (size_t)four), '}') >= 0)
		return true;
	if (!str_number(str_from(*value, (size_t)four + 1), 32, &bits))
		return false;
	t->bits4 = (uint8_t)bits;
	*value = str_part(*value, 0, (size_t)four);
	return true;
}

static bool take_hosts(struct str value, bool has_value, struct spf_term *t)
{
	if (!take_bits(&value, t))
		return false;
	if (str_empty(value))
		return !has_value;
	if (value.p[0] == ':')
		value = str_from(value, 1);
	else if (!has_value)
		return false;
	t->name = value;
	t->has_macro = is_macro(value);
	return is_name(value);
}

static bool take_block(struct str value, struct spf_term *t)
{
	struct str address = value, rest = value;
	struct inet ip;

	str_split(&rest, '/', &address);
	return inet_parse_ip(address, 0, &ip) &&
	       inet_is_v4(&ip) == (t->kind == SPF_IP4) &&
	       inet_block_parse(value, &t->block);
}

static bool take_name(struct str value, struct spf_term *t)
{
	t->name = value;
	t->has_macro = is_macro(value);
	return is_name(value);
}

static const struct {
	const char *word;
	enum spf_kind kind;
} mechanisms[] = {
	{ "all", SPF_ALL }, { "include", SPF_INCLUDE }, { "a", SPF_A },
	{ "mx", SPF_MX },   { "ptr", SPF_PTR },         { "ip4", SPF_IP4 },
	{ "ip6", SPF_IP6 }, { "exists", SPF_EXISTS },
};

static bool find_kind(struct str word, enum spf_kind *out)
{
	for (size_t i = 0; i < array_size(mechanisms); i++)
		if (str_same_nocase(word, str_of(mechanisms[i].word))) {
			*out = mechanisms[i].kind;
			return true;
		}
	return false;
}

/* VALUE is what stands behind the colon; REST what stands behind the word. */
static bool take_value(struct str rest, struct spf_term *t)
{
	bool has_value = !str_empty(rest) && rest.p[0] == ':';
	struct str value = has_value ? str_from(rest, 1) : rest;

	switch (t->kind) {
	case SPF_ALL:
		return str_empty(rest);
	case SPF_A:
	case SPF_MX:
		return take_hosts(value, has_value, t);
	case SPF_PTR:
		return str_empty(rest) || (has_value && take_name(value, t));
	case SPF_IP4:
	case SPF_IP6:
		return has_value && take_block(value, t);
	case SPF_INCLUDE:
	case SPF_EXISTS:
		return has_value && take_name(value, t);
	}
	return false;
}

static bool take_mechanism(struct str text, struct spf_term *t)
{
	struct str word = text;
	size_t n = 0;

	*t = (struct spf_term){ .qualifier = '+', .text = text };
	if (text.n > 0 && is_one_of(text.p[0], "+-?~")) {
		t->qualifier = text.p[0];
		word = str_from(text, 1);
	}
	while (n < word.n && word.p[n] != ':' && word.p[n] != '/')
		n++;
	if (!find_kind(str_part(word, 0, n), &t->kind))
		return fail("\"%.*s\" is no mechanism of SPF", STR(text));
	return take_value(str_from(word, n), t) ||
	       fail("\"%.*s\" is malformed", STR(text));
}

/* ---- modifiers ---- */

/* "name=": a letter first, then letters, digits, "-_.". */
static bool is_modifier(struct str text)
{
	ptrdiff_t n = str_find(text, '=');

	if (n <= 0)
		return false;
	for (ptrdiff_t i = 0; i < n; i++) {
		char c = text.p[i] | 0x20;
		bool is_letter = c >= 'a' && c <= 'z';

		if (!is_letter &&
		    (i == 0 || !is_one_of(text.p[i], "0123456789-_.")))
			return false;
	}
	return true;
}

static bool take_modifier(struct str text, struct spf_record *out)
{
	struct str name, value = text;

	str_split(&value, '=', &name);
	if (!str_same_nocase(name, S("redirect")))
		return !str_same_nocase(name, S("exp")) || is_name(value) ||
		       fail("\"%.*s\" is malformed", STR(text));
	if (!str_empty(out->redirect))
		return fail("it has two redirect=");
	out->redirect = value;
	out->redirect_has_macro = is_macro(value);
	return is_name(value) || fail("\"%.*s\" is malformed", STR(text));
}

bool spf_parse(struct str text, struct arena *arena, struct spf_record *out)
{
	struct str term;

	*out = (struct spf_record){
		.terms = arena_array(arena, struct spf_term, LIMIT_SPF_TERMS),
	};
	if (!spf_is_record(text))
		return fail("it does not begin with v=spf1");
	text = str_from(text, 6);
	while (str_split(&text, ' ', &term)) {
		if (str_empty(term))
			continue;
		if (is_modifier(term)) {
			if (!take_modifier(term, out))
				return false;
			continue;
		}
		if (out->n == LIMIT_SPF_TERMS)
			return fail("it has more than %d terms",
				    LIMIT_SPF_TERMS);
		if (!take_mechanism(term, &out->terms[out->n]))
			return false;
		out->n++;
	}
	return true;
}
