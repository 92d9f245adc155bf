/*
 * SMTP replies, read from a next hop and written to a client.
 *
 *	Reply-line = *( code "-" [ text ] CRLF ) code [ SP [ text ] ] CRLF
 *	text       = [ status SP ] words
 *	status     = ( "2" / "4" / "5" ) "." 1*3DIGIT "." 1*3DIGIT
 *
 * A line may end with LF alone and have a TAB for the space: what is said after
 * the final dot is not to be taken for nothing, or the mail would go out again
 * and again.
 *
 * All lines carry one code.  The status of the first line is the reply's; it is
 * taken off the other lines where it is repeated.  Text that is UTF-8 is kept
 * for logs; what reply_write() sends is ASCII, since few clients may be told
 * more (RFC 6531 3.7.4.2).
 */
#include "wire/reply.h"

#include <stdio.h>
#include <unistr.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/limits.h"
#include "wire/quote.h"

enum { LINE_BYTES = 512 }; /* with CRLF, RFC 5321 4.5.3.1.5 */

/* ---- reading ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 200 to 599 at the start of S, or 0. */
static int reply_code(struct str s)
{
	if (s.n < 3 || s.p[0] < '2' || s.p[0] > '5' || !is_digit(s.p[1]) ||
	    !is_digit(s.p[2]))
		return 0;
	return (s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + s.p[2] - '0';
}

/* "." and one to three digits at *AT. */
static bool skip_number(struct str s, size_t *at)
{
	size_t digits = 0;

	if (*at >= s.n || s.p[*at] != '.')
		return false;
	while (*at + 1 + digits < s.n && is_digit(s.p[*at + 1 + digits]))
		digits++;
	*at += 1 + digits;
	return digits >= 1 && digits <= 3;
}

/* The status TEXT begins with, if it is of the code's class; its length. */
static size_t status_length(struct str text, int code)
{
	size_t at = 1;

	if (code / 100 == 3 || text.n < 5 || text.p[0] - '0' != code / 100)
		return 0;
	if (!skip_number(text, &at) || !skip_number(text, &at))
		return 0;
	return at == text.n || text.p[at] == ' ' ? at : 0;
}

/* TEXT without the status STATUS, when it begins with it. */
static struct str without_status(struct str text, int code, const char *status)
{
	size_t n = status_length(text, code);

	if (n == 0 || !str_same(str_part(text, 0, n), str_of(status)))
		return text;
	return str_from(text, n + 1);
}

/* Controls become '?', the end of a line a space. */
static void add_clean(struct buf *to, struct str s)
{
	bool utf8 = s.n && u8_check((const uint8_t *)s.p, s.n) == NULL;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool c1 = c == 0xc2 && i + 1 < s.n &&
			  (unsigned char)s.p[i + 1] < 0xa0;

		if (c == '\n')
			buf_add_char(to, ' ');
		else if (c < ' ' || c == 0x7f || (c >= 0x80 && (!utf8 || c1)))
			buf_add_char(to, '?');
		else
			buf_add_char(to, s.p[i]);
		i += c1 && utf8; /* C1 controls are two bytes */
	}
}

/* One line of a reply without CRLF; false: it breaks the grammar. */
static bool read_line(struct str line, struct reply *r, bool *last)
{
	int code = reply_code(line);

	if (!code)
		return fail("bad reply line \"%s\"", quote(line).c);
	if (r->code && code != r->code)
		return fail("reply code changes from %d to %d", r->code, code);
	if (line.n > 3 && !memchr("- \t", line.p[3], 3))
		return fail("bad reply line \"%s\"", quote(line).c);
	*last = line.n == 3 || line.p[3] != '-';
	r->code = code;
	return true;
}

static void keep_status(struct reply *r, struct str text)
{
	size_t n = status_length(text, r->code);

	if (n < sizeof(r->status))
		snprintf(r->status, sizeof(r->status), "%.*s", (int)n, text.p);
}

/* The line that begins at *AT, without CRLF; false: not there yet, or *BAD. */
static bool next_line(struct str in, size_t *at, struct str *line, bool *bad)
{
	struct str rest = str_from(in, *at);
	ptrdiff_t lf = str_find(rest, '\n');

	*bad = false;
	if (lf < 0) {
		*bad = in.n >= LIMIT_STREAM_BUFFER;
		if (*bad)
			fail("reply of more than %zu octets", in.n);
		return false;
	}
	*line = str_part(rest, 0, (size_t)lf);
	*at += (size_t)lf + 1;
	if (str_ends(*line, S("\r")))
		line->n--;
	return true;
}

static void keep_text(struct buf *text, struct reply *r, struct str line,
		      bool first)
{
	struct str words = str_from(line, 4);

	if (first)
		keep_status(r, words);
	else if (text->n < LIMIT_REPLY_BYTES)
		buf_add_char(text, '\n');
	words = str_cut(without_status(words, r->code, r->status),
			LIMIT_REPLY_LINE_BYTES);
	add_clean(text, str_cut(words, LIMIT_REPLY_BYTES - text->n));
}

enum reply_state reply_parse(struct str in, struct arena *arena,
			     struct reply *out, size_t *used)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	struct str line;
	size_t at = 0;
	bool last = false, bad;

	*out = (struct reply){ .code = 0 };
	*used = 0;
	for (unsigned lines = 0; !last; lines++) {
		if (lines == LIMIT_REPLY_LINES) {
			fail("reply of more than %u lines", lines);
			return REPLY_BAD;
		}
		if (!next_line(in, &at, &line, &bad))
			return bad ? REPLY_BAD : REPLY_PART;
		if (!read_line(line, out, &last))
			return REPLY_BAD;
		keep_text(&text, out, line, lines == 0);
	}
	out->text = arena_str(arena, buf_str(&text));
	*used = at;
	return REPLY_WHOLE;
}

/* ---- writing ---- */

static void add_ascii(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(to, s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?');
}

void reply_write(struct buf *to, const struct reply *r)
{
	struct str rest = r->text;
	bool more;

	do {
		struct str words;
		size_t start = to->n;

		more = str_find(rest, '\n') >= 0;
		str_split(&rest, '\n', &words);
		buf_printf(to, "%03d%c%s", r->code, more ? '-' : ' ',
			   r->status);
		if (r->status[0] && words.n)
			buf_add_char(to, ' ');
		add_ascii(to,
			  str_part(words, 0, LINE_BYTES - 2 - (to->n - start)));
		buf_add(to, S("\r\n"));
	} while (more);
}

struct str reply_line(const struct reply *r, struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_printf(&b, "%03d", r->code);
	if (r->status[0])
		buf_printf(&b, " %s", r->status);
	if (r->text.n)
		buf_add_char(&b, ' ');
	add_clean(&b, r->text);
	return arena_str(arena, buf_str(&b));
}

/* ---- EHLO ---- */

static void read_auth(struct str words, struct capabilities *out)
{
	struct str word;

	while (str_split(&words, ' ', &word)) {
		out->auth_plain |= str_same_nocase(word, S("PLAIN"));
		out->auth_login |= str_same_nocase(word, S("LOGIN"));
	}
}

static void read_size(struct str words, struct capabilities *out)
{
	out->size_said = true;
	if (!str_number(str_trim(words), UINT64_MAX, &out->size))
		out->size = 0;
}

/*
 * RFC 9422 3:
 *	limits-params = *( limit-name "=" value SP ), values of 1 to 999999
 * What is not known or not right says nothing.
 */
static void read_limits(struct str words, struct capabilities *out)
{
	const struct {
		const char *name;
		unsigned *to;
	} limits[] = {
		{ "MAILMAX", &out->most_mails },
		{ "RCPTMAX", &out->most_recipients },
		{ "RCPTDOMAINMAX", &out->most_domains },
	};
	struct str word, name;
	uint64_t value;

	while (str_split(&words, ' ', &word)) {
		str_split(&word, '=', &name);
		if (!str_number(word, 999999, &value) || !value)
			continue;
		for (size_t i = 0; i < array_size(limits); i++)
			if (str_same_nocase(name, str_of(limits[i].name)))
				*limits[i].to = (unsigned)value;
	}
}

static void read_xclient(struct str line, struct capabilities *out)
{
	static const char *const words[] = { "NAME", "ADDR", "PORT", "PROTO",
					     "HELO" };
	struct str word;

	while (str_split(&line, ' ', &word))
		for (size_t i = 0; i < array_size(words); i++)
			if (str_same_nocase(word, str_of(words[i])))
				out->xclient |= 1u << i;
}

static void read_capability(struct str line, struct capabilities *out)
{
	static const struct {
		const char *keyword;
		size_t flag;
	} flags[] = {
		{ "PIPELINING", offsetof(struct capabilities, pipelining) },
		{ "CHUNKING", offsetof(struct capabilities, chunking) },
		{ "STARTTLS", offsetof(struct capabilities, starttls) },
		{ "SMTPUTF8", offsetof(struct capabilities, utf8) },
		{ "8BITMIME", offsetof(struct capabilities, eightbit) },
		{ "DSN", offsetof(struct capabilities, dsn) },
		{ "ENHANCEDSTATUSCODES",
		  offsetof(struct capabilities, enhanced) },
		{ "XTRAIL", offsetof(struct capabilities, xtrail) },
	};
	struct str keyword;

	str_split(&line, ' ', &keyword);
	if (str_same_nocase(keyword, S("AUTH")))
		read_auth(line, out);
	if (str_same_nocase(keyword, S("SIZE")))
		read_size(line, out);
	if (str_same_nocase(keyword, S("LIMITS")))
		read_limits(line, out);
	if (str_same_nocase(keyword, S("XCLIENT")))
		read_xclient(line, out);
	for (size_t i = 0; i < array_size(flags); i++)
		if (str_same_nocase(keyword, str_of(flags[i].keyword)))
			*(bool *)((char *)out + flags[i].flag) = true;
}

void capabilities_parse(const struct reply *ehlo, struct capabilities *out)
{
	struct str rest = ehlo->text, line;

	*out = (struct capabilities){ .size = 0 };
	str_split(&rest, '\n', &line); /* the peer's name */
	while (str_split(&rest, '\n', &line))
		read_capability(line, out);
}
