/*
 * What goes into the digest (fingerprint.h):
 *
 *	*( name ":" value LF )	lower case; white space is one space
 *	LF			no name is empty, so no body looks like a field
 *	body			without CRLFs at its end
 */
#include "wire/fingerprint.h"

#include "wire/header.h"

/* Fields of the way, not of the message. */
static const char *const trace[] = {
	"Received",        "Return-Path",   "Delivered-To",
	"Envelope-To",     "Delivery-Date", "Authentication-Results",
	"Splitmail-Trail", "Received-SPF",  "DKIM-Signature",
	"Precedence",      "Errors-To",     "DomainKey-Signature",
};
static const char *const trace_starts[] = { "X-", "ARC-", "List-" };

static bool is_trace(struct str name)
{
	for (size_t i = 0; i < array_size(trace); i++)
		if (str_same_nocase(name, str_of(trace[i])))
			return true;
	for (size_t i = 0; i < array_size(trace_starts); i++)
		if (str_starts_nocase(name, str_of(trace_starts[i])))
			return true;
	return false;
}

static void add(struct fingerprint *f, struct str s)
{
	if (s.n)
		crypto_generichash_update(&f->hash, (const uint8_t *)s.p, s.n);
}

void fingerprint_begin(struct fingerprint *f)
{
	check(sodium_init() >= 0);
	f->line_ends = 0;
	f->in_body = false;
	check(crypto_generichash_init(&f->hash, NULL, 0, FINGERPRINT_BYTES) ==
	      0);
}

static struct str lower(struct str name, struct arena *arena)
{
	char *p = arena_cstr(arena, name);

	for (size_t i = 0; i < name.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return (struct str){ p, name.n };
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Each run of white space as one space; VALUE has none at its ends. */
static struct str squeeze(struct str value, struct arena *arena)
{
	char *p = arena_alloc(arena, value.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++)
		if (!is_space(value.p[i]))
			p[n++] = value.p[i];
		else if (!is_space(value.p[i - 1]))
			p[n++] = ' ';
	return (struct str){ p, n };
}

void fingerprint_header(struct fingerprint *f, struct str header,
			struct arena *arena)
{
	struct str name, value;
	size_t at = 0;

	while (header_field(header, &at, arena, &name, &value)) {
		if (is_trace(name))
			continue;
		add(f, lower(name, arena));
		add(f, S(":"));
		add(f, squeeze(value, arena));
		add(f, S("\n"));
	}
}

/* The first octets of the body come behind an LF, the others behind the line
 * ends that were held back. */
static void add_line_ends(struct fingerprint *f)
{
	if (!f->in_body)
		add(f, S("\n"));
	f->in_body = true;
	for (; f->line_ends > 1; f->line_ends -= 2)
		add(f, S("\r\n"));
	if (f->line_ends)
		add(f, S("\r"));
	f->line_ends = 0;
}

void fingerprint_body(struct fingerprint *f, struct str piece)
{
	size_t n = piece.n;

	while (n > 0 && (piece.p[n - 1] == '\r' || piece.p[n - 1] == '\n'))
		n--;
	if (n > 0) {
		add_line_ends(f);
		add(f, str_part(piece, 0, n));
	}
	f->line_ends += piece.n - n;
}

void fingerprint_end(struct fingerprint *f, uint8_t print[FINGERPRINT_BYTES])
{
	crypto_generichash_final(&f->hash, print, FINGERPRINT_BYTES);
}
