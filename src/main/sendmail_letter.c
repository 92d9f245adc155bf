/*
 * The message that a local program hands to sendmail (sendmail.h).
 *
 * A lone CR becomes a line end, too, since local programs are not attackers but
 * are often careless; a NUL is left out.
 */
#include <sodium.h>
#include <stdio.h>

#include "base/limits.h"
#include "main/sendmail.h"
#include "wire/header.h"
#include "wire/mailboxes.h"

/* ---- reading ---- */

static bool ends_with_a_dot(const struct buf *b)
{
	struct str s = buf_str(b);

	return str_same(s, S(".\r\n")) || str_ends(s, S("\r\n.\r\n"));
}

bool letter_read(struct buf *to, FILE *from, bool dot_ends)
{
	int ch, last = 0;

	while ((ch = getc(from)) != EOF) {
		if (to->n > LIMIT_MESSAGE_BYTES)
			return fail("the message is larger than %d bytes",
				    LIMIT_MESSAGE_BYTES);
		if (ch == '\n' && last == '\r') {
			last = ch;
			continue;
		}
		last = ch;
		if (ch != '\n' && ch != '\r') {
			if (ch != 0)
				buf_add_char(to, (char)ch);
			continue;
		}
		buf_add(to, S("\r\n"));
		if (dot_ends && ends_with_a_dot(to)) {
			to->n -= 3;
			return true;
		}
	}
	if (to->n > 0 && !str_ends(buf_str(to), S("\r\n")))
		buf_add(to, S("\r\n"));
	if (ferror(from))
		return fail("standard input cannot be read: %m");
	return !header_scan(buf_str(to)).too_large ||
	       fail("the header has more than %d bytes, %d lines or %d fields",
		    LIMIT_HEADER_BYTES, LIMIT_HEADER_LINES,
		    LIMIT_HEADER_FIELDS);
}

/* ---- header and body ---- */

/* "From bob Mon Nov 30 ...": the first line of a message in an mbox file. */
static struct str without_mbox_line(struct str text)
{
	ptrdiff_t end = str_find(text, '\n');

	if (end < 0 ||
	    (!str_starts(text, S("From ")) && !str_starts(text, S(">From "))))
		return text;
	return str_from(text, (size_t)end + 1);
}

/* The fields without the empty line; BODY is what stands behind it. */
static struct str header_of(struct str text, struct str *body)
{
	struct header_summary h = header_scan(text);
	struct str header = str_part(text, 0, h.bytes);

	*body = str_from(text, h.bytes);
	if (str_same(header, S("\r\n")))
		header.n = 0;
	if (str_ends(header, S("\r\n\r\n")))
		header.n -= 2;
	return header;
}

static bool is_one_of(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_same_nocase(name, str_of(*names)))
			return true;
	return false;
}

static const char *const to_fields[] = { "To", "Cc", "Bcc", NULL };
static const char *const resent_fields[] = { "Resent-To", "Resent-Cc",
					     "Resent-Bcc", NULL };
static const char *const blind_fields[] = { "Bcc", "Resent-Bcc", NULL };
static const char *const bare_fields[] = { "From", "To", "Sender", "Reply-To",
					   NULL };

static bool has_field(struct str header, const char *const *names,
		      struct arena *arena)
{
	struct str name, value;
	size_t at = 0;

	while (header_field(header, &at, arena, &name, &value))
		if (is_one_of(name, names))
			return true;
	return false;
}

void letter_recipients(struct str text, struct arena *arena,
		       void (*each)(void *arg, struct str address), void *arg)
{
	struct str body, name, value, one;
	struct str header = header_of(without_mbox_line(text), &body);
	bool resent = has_field(header, resent_fields, arena);
	size_t at = 0;

	while (header_field(header, &at, arena, &name, &value))
		if (is_one_of(name, resent ? resent_fields : to_fields))
			while (mailbox_next(&value, arena, &one))
				each(arg, one);
}

/* ---- addresses without a domain ---- */

struct str qualified(struct str name, struct str host, struct arena *arena)
{
	return str_find(name, '@') >= 0
		       ? name
		       : arena_strf(arena, "%.*s@%.*s", STR(name), STR(host));
}

/* The only address of FIELD, when it is a bare name: where it stands. */
static bool bare_name(struct str field, struct arena *arena, size_t *at,
		      size_t *n)
{
	struct str rest = str_from(field, (size_t)str_find(field, ':') + 1);
	struct str value = rest, one, more;
	ptrdiff_t found, angle = str_find_last(value, '<');

	if (!mailbox_next(&rest, arena, &one) ||
	    mailbox_next(&rest, arena, &more) || str_find(one, '@') >= 0 ||
	    str_find(one, ' ') >= 0)
		return false;
	/* "root" <root> has it twice */
	if (angle >= 0)
		value = str_from(value, (size_t)angle);
	found = str_search(value, one);
	if (found < 0)
		return false;
	*at = (size_t)(value.p - field.p) + (size_t)found;
	*n = one.n;
	return true;
}

static void add_field(struct buf *to, struct str field, struct str name,
		      const struct writer *w, struct arena *arena)
{
	size_t at, n;

	if (!is_one_of(name, bare_fields) ||
	    !bare_name(field, arena, &at, &n)) {
		buf_add(to, field);
		return;
	}
	buf_printf(to, "%.*s@%.*s%.*s", STR(str_part(field, 0, at + n)),
		   STR(w->host), STR(str_from(field, at + n)));
}

/* ---- From ---- */

/* RFC 2047 2: one encoded word has 75 characters at most; a longer name, or
 * one that is no text, is left out. */
static bool add_encoded(struct buf *to, struct str name)
{
	enum { MOST = 45 }; /* bytes: 60 letters of base64 */
	char word[sodium_base64_ENCODED_LEN(MOST,
					    sodium_base64_VARIANT_ORIGINAL)];

	if (name.n > MOST)
		return false;
	sodium_bin2base64(word, sizeof(word), (const uint8_t *)name.p, name.n,
			  sodium_base64_VARIANT_ORIGINAL);
	buf_printf(to, "=?utf-8?B?%s?= ", word);
	return true;
}

static void add_name(struct buf *to, struct str name)
{
	if (str_empty(name))
		return;
	if (!str_is_ascii(name)) {
		add_encoded(to, name);
		return;
	}
	buf_add_char(to, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_add_char(to, '\\');
		if (name.p[i] >= ' ' && name.p[i] != 0x7f)
			buf_add_char(to, name.p[i]);
	}
	buf_add(to, S("\" "));
}

static void add_from(struct buf *to, struct str header, const struct writer *w,
		     struct arena *arena)
{
	static const char *const from[] = { "From", NULL };
	static const char *const resent[] = { "Resent-From", NULL };
	bool is_resent = has_field(header, resent_fields, arena);

	if (has_field(header, is_resent ? resent : from, arena))
		return;
	buf_add(to, is_resent ? S("Resent-From: ") : S("From: "));
	add_name(to, w->full_name);
	buf_printf(to, "<%.*s>\r\n", STR(w->address));
}

void letter_finish(struct buf *to, struct str text, const struct writer *w,
		   bool without_bcc)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str body, name, value;
	struct str header = header_of(without_mbox_line(text), &body);
	size_t at = 0, from = 0;

	add_from(to, header, w, arena);
	while (header_field(header, &at, arena, &name, &value)) {
		if (!without_bcc || !is_one_of(name, blind_fields))
			add_field(to, str_part(header, from, at), name, w,
				  arena);
		from = at;
	}
	buf_add(to, S("\r\n"));
	buf_add(to, body);
}
