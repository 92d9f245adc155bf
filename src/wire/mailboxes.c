/*
 * Addresses in a header field (mailboxes.h).
 */
#include "wire/mailboxes.h"

#include "base/buf.h"

/* Where one mailbox is being read. */
struct reader {
	struct str text;
	size_t at;
	struct buf spec, angle; /* what stands outside and inside of <> */
	bool has_angle, in_angle;
};

/* Past a quoted string, or as far as it goes; ADD: it is kept. */
static void take_quoted(struct reader *r, struct buf *to)
{
	size_t from = r->at++;

	while (r->at < r->text.n && r->text.p[r->at] != '"')
		r->at += r->text.p[r->at] == '\\' ? 2 : 1;
	if (r->at < r->text.n)
		r->at++;
	else
		r->at = r->text.n;
	buf_add(to, str_part(r->text, from, r->at));
}

static void skip_comment(struct reader *r)
{
	unsigned depth = 0;

	do {
		char ch = r->text.p[r->at];

		depth += ch == '(';
		depth -= ch == ')';
		r->at += ch == '\\' ? 2 : 1;
	} while (depth > 0 && r->at < r->text.n);
	if (r->at > r->text.n)
		r->at = r->text.n;
}

/* "[IPv6:2001:db8::1]": its colons end nothing. */
static void take_literal(struct reader *r, struct buf *to)
{
	size_t from = r->at;

	while (r->at < r->text.n && r->text.p[r->at] != ']')
		r->at++;
	if (r->at < r->text.n)
		r->at++;
	buf_add(to, str_part(r->text, from, r->at));
}

/* A character that stands for itself, or opens or closes something.  False: it
 * ends the mailbox. */
static bool take_character(struct reader *r, char ch)
{
	r->at++;
	if (!r->in_angle && (ch == ',' || ch == ';'))
		return false;
	if (!r->in_angle && ch == ':') {
		buf_clear(&r->spec); /* the name of a group */
		return true;
	}
	if (!r->in_angle && ch == '<') {
		buf_clear(&r->angle);
		r->has_angle = r->in_angle = true;
	} else if (r->in_angle && ch == '>') {
		r->in_angle = false;
	} else {
		/* a folded line is one line */
		buf_add_char(r->in_angle ? &r->angle : &r->spec,
			     ch == '\r' || ch == '\n' ? ' ' : ch);
	}
	return true;
}

static void read_one(struct reader *r)
{
	while (r->at < r->text.n) {
		struct buf *to = r->in_angle ? &r->angle : &r->spec;
		char ch = r->text.p[r->at];

		if (ch == '"')
			take_quoted(r, to);
		else if (ch == '(')
			skip_comment(r);
		else if (ch == '[')
			take_literal(r, to);
		else if (!take_character(r, ch))
			return;
	}
}

/* "@a.example,@b.example:bob@c.example" -> "bob@c.example" */
static struct str without_route(struct str s)
{
	ptrdiff_t colon = str_starts(s, S("@")) ? str_find(s, ':') : -1;

	return colon < 0 ? s : str_from(s, (size_t)colon + 1);
}

bool mailbox_next(struct str *rest, struct arena *arena, struct str *out)
{
	struct buf spec scoped(buf) = BUF_EMPTY, angle scoped(buf) = BUF_EMPTY;
	struct reader r = { .text = *rest, .spec = spec, .angle = angle };
	struct str found = S("");

	while (str_empty(found) && r.at < r.text.n) {
		buf_clear(&r.spec);
		r.has_angle = r.in_angle = false;
		read_one(&r);
		found = str_trim(
			r.has_angle ? without_route(str_trim(buf_str(&r.angle)))
				    : buf_str(&r.spec));
	}
	*rest = str_from(*rest, r.at);
	*out = arena_str(arena, found);
	spec = r.spec;
	angle = r.angle;
	return !str_empty(found);
}
