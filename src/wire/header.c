/*
 * A message's header, line by line.
 *
 *	header = *field CRLF
 *	field  = name *WSP ":" text CRLF *( WSP text CRLF )
 *	name   = 1*( %d33-57 / %d59-126 )
 */
#include "wire/header.h"

#include "base/limits.h"

enum {
	MESSAGE_ID_BYTES = 250, /* of one that is kept for logs */
	MBOX_LINE_BYTES = 900,  /* with a name before it still a line */
};

/* The line at AT without its line end; its length with it, 0: no whole line. */
static size_t line_at(struct str text, size_t at, struct str *line)
{
	struct str rest = str_from(text, at);
	ptrdiff_t lf = str_find(rest, '\n');

	if (lf < 0)
		return 0;
	*line = str_part(rest, 0, (size_t)lf);
	if (str_ends(*line, S("\r")))
		line->n--;
	return (size_t)lf + 1;
}

static bool is_continuation(struct str line)
{
	return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* False: LINE does not begin a field. */
static bool split_field(struct str line, struct str *name, struct str *value)
{
	size_t n = 0;

	while (n < line.n && line.p[n] > ' ' && line.p[n] <= '~' &&
	       line.p[n] != ':')
		n++;
	*name = str_part(line, 0, n);
	while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
		n++;
	if (str_empty(*name) || n == line.n || line.p[n] != ':')
		return false;
	*value = str_trim(str_from(line, n + 1));
	return true;
}

/* "From bob@b.example Mon Nov 23 01:34:02 2026", or quoted, with a field
 * behind it: who saves mail in files may send it so (RFC 4155).  Its length; 0:
 * TEXT does not begin with one. */
static size_t mbox_line(struct str text)
{
	struct str line, next, name, value;
	size_t n = line_at(text, 0, &line);

	if (!n || n > MBOX_LINE_BYTES ||
	    !(str_starts(line, S("From ")) || str_starts(line, S(">From "))) ||
	    split_field(line, &name, &value))
		return 0;
	return line_at(text, n, &next) && split_field(next, &name, &value) ? n
									   : 0;
}

/* Up to the first byte that is no part of a message-id. */
static struct str message_id(struct str value)
{
	size_t n = 0;

	while (n < value.n && n < MESSAGE_ID_BYTES && value.p[n] > ' ' &&
	       value.p[n] <= '~')
		n++;
	return str_part(value, 0, n);
}

static void begin_field(struct header_summary *h, struct str name,
			bool *id_pending)
{
	h->fields++;
	h->received += str_same_nocase(name, S("Received"));
	h->from += str_same_nocase(name, S("From"));
	h->results += str_same_nocase(name, S(AUTH_RESULTS_FIELD));
	*id_pending = str_empty(h->message_id) &&
		      str_same_nocase(name, S("Message-ID"));
}

/* What one line adds; false: the header ended before it.  There may be
 * thousands of lines that only continue one. */
static bool read_line(struct header_summary *h, struct str line,
		      bool *id_pending)
{
	struct str name, value = STR_NONE;

	if (!is_continuation(line) || !h->fields) {
		if (!split_field(line, &name, &value))
			return false;
		begin_field(h, name, id_pending);
	} else if (*id_pending) {
		value = str_trim(line);
	}
	if (*id_pending && value.n) {
		h->message_id = message_id(value);
		*id_pending = false;
	}
	h->is_utf8 = h->is_utf8 || !str_is_ascii(line);
	return true;
}

struct header_summary header_scan(struct str text)
{
	struct header_summary h = { .bytes = mbox_line(text) };
	bool id_pending = false;
	struct str line;
	size_t n;

	h.has_mbox_line = h.bytes > 0;
	h.lines = h.fields = h.has_mbox_line;
	while ((n = line_at(text, h.bytes, &line)) > 0) {
		h.whole = str_empty(line);
		if (!h.whole && !read_line(&h, line, &id_pending)) {
			h.whole = h.is_broken = true;
			return h;
		}
		h.too_large = h.bytes + n > LIMIT_HEADER_BYTES ||
			      h.lines >= LIMIT_HEADER_LINES ||
			      h.fields > LIMIT_HEADER_FIELDS;
		h.whole &= !h.too_large;
		if (h.too_large)
			return h;
		h.bytes += n;
		if (h.whole)
			return h;
		h.lines++;
	}
	h.too_large = text.n > LIMIT_HEADER_BYTES;
	return h;
}

/* The lines at *AT that continue a field, put behind VALUE. */
static struct str unfold(struct str header, size_t *at, struct str value,
			 struct arena *arena)
{
	struct str line;
	size_t n, end = *at, length = value.n;
	char *p;

	while ((n = line_at(header, end, &line)) > 0 && is_continuation(line)) {
		length += line.n;
		end += n;
	}
	p = arena_alloc(arena, length + 1);
	if (value.n)
		memcpy(p, value.p, value.n);
	for (length = value.n; *at < end; *at += n) {
		n = line_at(header, *at, &line);
		memcpy(p + length, line.p, line.n);
		length += line.n;
	}
	return str_trim((struct str){ p, length });
}

/* A field's name and the first line of its text; *AT goes behind that line. */
static bool next_field(struct str header, size_t *at, struct str *name,
		       struct str *text)
{
	struct str line;
	size_t n;

	if (*at == 0)
		*at = mbox_line(header);
	while ((n = line_at(header, *at, &line)) > 0 && line.n) {
		bool skipped = is_continuation(line) && *at > 0;

		if (!skipped && !split_field(line, name, text))
			return false;
		*at += n;
		if (!skipped)
			return true;
	}
	return false;
}

bool header_field(struct str header, size_t *at, struct arena *arena,
		  struct str *name, struct str *value)
{
	struct str text;

	if (!next_field(header, at, name, &text))
		return false;
	*value = unfold(header, at, text, arena);
	return true;
}

bool header_raw(struct str header, size_t *at, struct header_raw *out)
{
	size_t n, begin;
	struct str line, text;

	if (!next_field(header, at, &out->name, &text))
		return false;
	while ((n = line_at(header, *at, &line)) > 0 && is_continuation(line))
		*at += n;
	begin = (size_t)(out->name.p - header.p);
	out->whole = str_part(header, begin, *at);
	out->value =
		str_from(out->whole, (size_t)str_find(out->whole, ':') + 1);
	out->value.n -= str_ends(out->value, S("\r\n")) ? 2 : 1;
	return true;
}

bool header_next(struct str header, struct str name, size_t *at,
		 struct arena *arena, struct str *value)
{
	struct str found, text;

	while (next_field(header, at, &found, &text)) {
		if (!str_same_nocase(found, name))
			continue;
		*value = unfold(header, at, text, arena);
		return true;
	}
	return false;
}
