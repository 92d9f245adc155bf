/*
 * Mail addresses: what is written, and what is compared.
 *
 *	Mailbox       = Local-part "@" ( Domain / address-literal )
 *	Local-part    = Dot-string / Quoted-string
 *	Dot-string    = Atom *( "." Atom )		strict: what is created
 *		      / 1*( Atom / "." )		what others have
 *	Quoted-string = DQUOTE *( qtextSMTP / quoted-pair ) DQUOTE
 *	Domain        = label *( "." label ) [ "." ]
 *	Path          = "<" [ At-domain *( "," At-domain ) ":" ] Mailbox ">"
 *		      / Mailbox
 *
 * The quoted form is another spelling of the same mailbox.  What stands in
 * quotes is never looked into again: the local part of "a@b"@c.test is a@b.
 *
 * Non-ASCII local parts are lower-cased and composed (NFC); a spelling whose
 * normal form is not stable is refused, so that the canonical form of a
 * canonical form is itself.  Domains go through libidn2 only when they are
 * not ASCII, and its result is checked as if a peer had sent it: an ASCII name
 * needs letters, digits, hyphens only (names with made-up A-labels exist in
 * the DNS and do get mail).
 */
#include "wire/address.h"

#include <idn2.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/inet.h"
#include "base/limits.h"
#include "wire/quote.h"

enum { DNS_NAME_BYTES = 253 }; /* without the root's dot, RFC 1035 3.1 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* RFC 5322 3.2.3, and RFC 6531 3.3 for what is not ASCII. */
static bool is_atext(char c)
{
	return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80 ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Controls, line and paragraph separators, spaces other than SP, and what
 * turns the direction of writing: nothing a terminal or a file of lines could
 * take for more than text. */
static bool is_printable(ucs4_t c)
{
	if (c == ' ')
		return true;
	return c > ' ' && !(c >= 0x7f && c < 0xa0) &&
	       !uc_is_property_white_space(c) &&
	       !uc_is_property_bidi_control(c);
}

static bool is_clean_utf8(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
	ucs4_t c;

	if (u8_check(p, s.n))
		return fail("\"%s\" is not UTF-8", quote(s).c);
	while (p < end) {
		p += u8_mbtouc(&c, p, (size_t)(end - p));
		if (!is_printable(c))
			return fail("\"%s\" has a control character",
				    quote(s).c);
	}
	return true;
}

/* ---- local parts ---- */

/* Atoms and dots at the start of S, in any order; their length, 0 when there
 * is no atom. */
static size_t atoms(struct str s)
{
	size_t n = 0;
	bool any = false;

	for (; n < s.n && (s.p[n] == '.' || is_atext(s.p[n])); n++)
		any |= s.p[n] != '.';
	return any ? n : 0;
}

/* Is each dot of S between two atoms? */
static bool is_dot_string(struct str s)
{
	bool in_atom = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' ? !in_atom : !is_atext(s.p[i]))
			return false;
		in_atom = s.p[i] != '.';
	}
	return in_atom;
}

/* Quoted-string at the start of S; its length with both quotes, 0 if none. */
static size_t quoted_string(struct str s)
{
	if (s.n < 2 || s.p[0] != '"')
		return 0;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\') {
			i++;
			if (i >= s.n || (unsigned char)s.p[i] >= 0x80)
				return 0;
		}
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return 0;
	}
	return 0;
}

static struct str unquote(struct str s, struct arena *arena)
{
	char *p = arena_alloc(arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		p[n++] = s.p[i];
	}
	return (struct str){ p, n };
}

struct str local_written(struct str local, struct arena *arena)
{
	char *p;
	size_t n = 0;

	if (str_empty(local) || is_dot_string(local))
		return local;
	p = arena_alloc(arena, 2 * local.n + 3);
	p[n++] = '"';
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			p[n++] = '\\';
		p[n++] = local.p[i];
	}
	p[n++] = '"';
	return (struct str){ p, n };
}

static bool lower_utf8(struct str s, struct arena *arena, struct str *out)
{
	size_t n = 0;
	uint8_t *p = u8_tolower((const uint8_t *)s.p, s.n, NULL, UNINORM_NFC,
				NULL, &n);

	if (!p)
		return fail("cannot normalise \"%s\": %m", quote(s).c);
	*out = arena_str(arena, (struct str){ (char *)p, n });
	free(p);
	return true;
}

/* Unquoted S, lower case; composed when it is not ASCII. */
static bool canonical_local(struct str s, struct arena *arena, struct str *out)
{
	struct str once, twice;

	if (str_is_ascii(s)) {
		char *p = arena_cstr(arena, s);

		for (size_t i = 0; i < s.n; i++)
			p[i] = lower(p[i]);
		*out = (struct str){ p, s.n };
		return true;
	}
	if (!is_clean_utf8(s) || !lower_utf8(s, arena, &once) ||
	    !lower_utf8(once, arena, &twice))
		return false;
	if (!str_same(once, twice) ||
	    local_written(once, arena).n > LIMIT_LOCAL_BYTES)
		return fail("local part \"%s\" has no stable normal form",
			    quote(s).c);
	*out = once;
	return is_clean_utf8(once);
}

/* The local part at the start of *REST, which then begins with '@'. */
static bool parse_local(struct str *rest, struct arena *arena,
			struct address *out)
{
	bool quoted = rest->n && rest->p[0] == '"';
	size_t n = quoted ? quoted_string(*rest) : atoms(*rest);
	struct str s = str_part(*rest, 0, n);

	if (n == 0)
		return fail("bad local part in \"%s\"", quote(*rest).c);
	if (n > LIMIT_LOCAL_BYTES)
		return fail("local part longer than %d octets",
			    LIMIT_LOCAL_BYTES);
	if (quoted)
		s = unquote(str_part(s, 1, n - 1), arena);
	if (str_empty(s))
		return fail("empty local part");
	*rest = str_from(*rest, n);
	out->is_utf8 = !str_is_ascii(s);
	return canonical_local(s, arena, &out->local);
}

static void find_detail(struct address *a)
{
	ptrdiff_t plus = str_find(a->local, '+');

	a->base = a->local;
	a->has_detail = plus > 0;
	if (!a->has_detail)
		return;
	a->base = str_part(a->local, 0, (size_t)plus);
	a->detail = str_from(a->local, (size_t)plus + 1);
}

/* ---- domains ---- */

static bool is_label(struct str s)
{
	if (s.n == 0 || s.n > LIMIT_LABEL_BYTES || s.p[0] == '-' ||
	    s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-' &&
		    s.p[i] != '_')
			return false;
	return true;
}

/* Labels and lengths; the underscore is no letter of host names, but names
 * that have one do send mail. */
static bool is_ascii_name(struct str s)
{
	struct str rest = s, label;

	if (str_empty(s) || s.n > DNS_NAME_BYTES || str_ends(s, S(".")))
		return false;
	while (str_split(&rest, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

/* "1.2.3.4" and "a.256" are no names: RFC 3696 2. */
static bool last_label_is_number(struct str s)
{
	struct str last = str_from(s, (size_t)(str_find_last(s, '.') + 1));

	for (size_t i = 0; i < last.n; i++)
		if (!is_digit(last.p[i]))
			return false;
	return true;
}

static bool name_to_ascii(struct str s, struct arena *arena, struct str *out)
{
	const char *name = arena_cstr(arena, s);
	uint8_t *ascii = NULL;
	int error;

	if (!is_clean_utf8(s))
		return false;
	error = idn2_lookup_u8((const uint8_t *)name, &ascii,
			       IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (error != IDN2_OK)
		return fail("bad domain \"%s\": %s", quote(s).c,
			    idn2_strerror(error));
	*out = arena_str(arena, str_of((char *)ascii));
	idn2_free(ascii);
	return true;
}

bool domain_parse(struct str name, struct arena *arena, struct str *out)
{
	struct str s = name;
	char *p;

	if (s.n > LIMIT_DOMAIN_BYTES)
		return fail("domain longer than %d octets", LIMIT_DOMAIN_BYTES);
	if (str_find(s, '\0') >= 0)
		return fail("bad domain \"%s\"", quote(name).c);
	if (!str_is_ascii(s) && !name_to_ascii(s, arena, &s))
		return false;
	if (str_ends(s, S(".")))
		s.n--;
	if (!is_ascii_name(s) || last_label_is_number(s))
		return fail("bad domain \"%s\"", quote(name).c);
	p = arena_cstr(arena, s);
	for (size_t i = 0; i < s.n; i++)
		p[i] = lower(p[i]);
	*out = (struct str){ p, s.n };
	return true;
}

struct str domain_shown(struct str name, struct arena *arena)
{
	struct str shown, again;
	char *text = NULL;

	if (str_search(name, S("xn--")) < 0 ||
	    idn2_to_unicode_8z8z(arena_cstr(arena, name), &text, 0) != IDN2_OK)
		return name;
	shown = arena_str(arena, str_of(text));
	idn2_free(text);
	return domain_parse(shown, arena, &again) && str_same(again, name)
		       ? shown
		       : name;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": RFC 5321 4.1.3. */
static bool parse_literal(struct str s, struct inet *out)
{
	struct str ip = str_part(s, 1, s.n ? s.n - 1 : 0);
	bool tagged = str_starts_nocase(ip, S("IPv6:"));

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	if (tagged)
		ip = str_from(ip, 5);
	return (str_find(ip, ':') >= 0) == tagged && inet_parse_ip(ip, 0, out);
}

static bool parse_domain(struct str s, struct arena *arena, struct str *out)
{
	struct inet ip;

	if (!str_starts(s, S("[")))
		return domain_parse(s, arena, out);
	if (!parse_literal(s, &ip))
		return fail("bad address literal \"%s\"", quote(s).c);
	*out = arena_str(arena, str_of(inet_literal(&ip).c));
	return true;
}

bool helo_parse(struct str s, struct str *out)
{
	struct inet ip;

	s = str_trim(s);
	*out = s;
	if (str_starts(s, S("["))
		    ? parse_literal(s, &ip)
		    : is_ascii_name(str_part(s, 0, s.n - str_ends(s, S(".")))))
		return true;
	return fail("bad host name \"%s\"", quote(s).c);
}

/* ---- mailboxes and paths ---- */

bool address_parse(struct str mailbox, struct arena *arena, struct address *out)
{
	struct str rest = mailbox;

	*out = (struct address){ .spelling = STR_NONE };
	if (mailbox.n > LIMIT_PATH_BYTES)
		return fail("address longer than %d octets", LIMIT_PATH_BYTES);
	if (!parse_local(&rest, arena, out))
		return false;
	if (!str_starts(rest, S("@")))
		return fail("no domain after the local part in \"%s\"",
			    quote(mailbox).c);
	rest = str_from(rest, 1);
	out->is_utf8 |= !str_is_ascii(rest);
	if (!parse_domain(rest, arena, &out->domain))
		return false;
	out->spelling = arena_str(arena, mailbox);
	find_detail(out);
	return true;
}

/* Soft hyphen, zero width, variation selectors, fillers: with them two
 * addresses look the same. */
static bool is_all_seen(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
	ucs4_t c;

	while (p < end) {
		p += u8_mbtouc(&c, p, (size_t)(end - p));
		if (uc_is_property_default_ignorable_code_point(c))
			return fail("the local part has a character that is "
				    "not seen, U+%04X",
				    (unsigned)c);
	}
	return true;
}

/* What is created here keeps to the letter of RFC 5321 4.1.2 and 4.5.3.1.1, so
 * that all the world can write to it. */
static bool is_strict(const struct address *a, struct arena *arena)
{
	bool quoted = str_starts(a->spelling, S("\""));
	struct str local = a->spelling;

	local.n = quoted ? quoted_string(local) : atoms(local);
	if (!quoted && !is_dot_string(local))
		return fail("bad dots in the local part \"%s\"",
			    quote(local).c);
	if (local.n > LIMIT_STRICT_LOCAL_BYTES ||
	    local_written(a->local, arena).n > LIMIT_STRICT_LOCAL_BYTES)
		return fail("local part longer than %d octets",
			    LIMIT_STRICT_LOCAL_BYTES);
	return true;
}

bool address_parse_strict(struct str mailbox, struct arena *arena,
			  struct address *out)
{
	return address_parse(mailbox, arena, out) && is_all_seen(out->local) &&
	       is_strict(out, arena);
}

struct str address_local(const struct address *a, struct arena *arena)
{
	struct str s = a->spelling;
	size_t n = quoted_string(s);

	if (n > 0)
		return unquote(str_part(s, 1, n - 1), arena);
	return str_part(s, 0, atoms(s));
}

/* Index of the first END, quotes respected; S.n if none. */
static size_t path_end(struct str s, char end)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == end && !quoted)
			return i;
	}
	return s.n;
}

/* Drops "@a,@b:"; the names are checked and forgotten (RFC 5321 F.2). */
static bool drop_source_route(struct str *path, struct arena *arena)
{
	struct str route, hop, name;

	if (!str_starts(*path, S("@")))
		return true;
	if (str_find(*path, ':') < 0)
		return fail("bad source route in \"%s\"", quote(*path).c);
	str_split(path, ':', &route);
	if (str_ends(route, S(",")))
		return fail("bad source route in \"%s\"", quote(route).c);
	while (str_split(&route, ',', &hop))
		if (!str_starts(hop, S("@")) ||
		    !domain_parse(str_from(hop, 1), arena, &name))
			return fail("bad source route at \"%s\"", quote(hop).c);
	return true;
}

static bool parse_inside(struct str path, enum path_kind kind,
			 struct arena *arena, struct address *out)
{
	if (str_empty(path)) {
		*out = (struct address){ .spelling = STR_NONE };
		return kind == PATH_REVERSE || fail("no recipient in <>");
	}
	if (kind == PATH_FORWARD && str_same_nocase(path, S("postmaster"))) {
		*out = (struct address){
			.spelling = arena_str(arena, path),
			.local = S("postmaster"),
			.base = S("postmaster"),
		};
		return true;
	}
	return drop_source_route(&path, arena) &&
	       address_parse(path, arena, out);
}

bool path_parse(struct str *rest, enum path_kind kind, struct arena *arena,
		struct address *out)
{
	bool in_brackets = str_starts(*rest, S("<"));
	struct str path = str_from(*rest, in_brackets);
	size_t end = path_end(path, in_brackets ? '>' : ' ');

	if (in_brackets && end == path.n)
		return fail("no \">\" behind the address");
	if (!in_brackets && end == 0)
		return fail("the address is missing");
	*rest = str_from(path, end + in_brackets);
	return parse_inside(str_part(path, 0, end), kind, arena, out);
}

bool address_same(const struct address *a, const struct address *b)
{
	return str_same(a->local, b->local) && str_same(a->domain, b->domain);
}

struct str address_key(const struct address *a, struct arena *arena)
{
	struct str local = local_written(a->local, arena);

	if (str_empty(a->domain))
		return arena_str(arena, local);
	return arena_strf(arena, "%.*s@%.*s", STR(local), STR(a->domain));
}
