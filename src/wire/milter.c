/*
 * Packets of the milter protocol.
 *
 *	answer    = length kind data
 *	field     = text text			; name, value
 *	h         = field
 *	i, m      = 4OCTET field		; index
 *	+, -, q   = text
 *	e, 2      = text [ text ]		; address, ESMTP parameters
 *	y         = text			; "550-5.7.1 no\r\n550 5.7.1 never"
 *	b         = *OCTET
 *	O         = 3( 4OCTET ) *( 4OCTET text )	; version, actions, steps;
 *						; macros wanted at a step
 *	l         = 4OCTET text
 *	others    =				; nothing
 */
#include "wire/milter.h"

#include "base/limits.h"
#include "wire/quote.h"

/* ---- what is agreed on ---- */

enum {
	STEP_KEEPS_BLANKS = 0x100000,
	STEP_REJECTED_RCPT = 0x800, /* recipients we refused: not told */
	STEPS = 0x1fffff & ~STEP_REJECTED_RCPT,
	VERSION_WITH_DATA = 4,
};

/* What a filter leaves out, and what it does not answer. */
static const struct step {
	enum milter_command command;
	uint32_t unwanted, unanswered;
} steps[] = {
	{ MILTER_CONNECT, 0x1, 0x1000 },      { MILTER_HELO, 0x2, 0x2000 },
	{ MILTER_MAIL, 0x4, 0x4000 },         { MILTER_RCPT, 0x8, 0x8000 },
	{ MILTER_DATA, 0x200, 0x10000 },      { MILTER_HEADER, 0x20, 0x80 },
	{ MILTER_HEADER_END, 0x40, 0x40000 }, { MILTER_BODY, 0x10, 0x80000 },
};

static const struct step *step_of(enum milter_command c)
{
	for (size_t i = 0; i < array_size(steps); i++)
		if (steps[i].command == c)
			return &steps[i];
	return NULL;
}

bool milter_wants(const struct milter_options *o, enum milter_command c)
{
	const struct step *s = step_of(c);

	if (c == MILTER_DATA && o->version < VERSION_WITH_DATA)
		return false;
	return !s || !(o->steps & s->unwanted);
}

bool milter_answers(const struct milter_options *o, enum milter_command c)
{
	const struct step *s = step_of(c);

	return s ? !(o->steps & s->unanswered)
		 : c == MILTER_END || c == MILTER_NEGOTIATE;
}

bool milter_keeps_blanks(const struct milter_options *o)
{
	return o->steps & STEP_KEEPS_BLANKS;
}

bool milter_is_reusable(const struct milter_options *o)
{
	static const enum milter_command before_the_end[] = {
		MILTER_CONNECT, MILTER_HELO,   MILTER_MAIL,       MILTER_RCPT,
		MILTER_DATA,    MILTER_HEADER, MILTER_HEADER_END, MILTER_BODY,
	};

	for (size_t i = 0; i < array_size(before_the_end); i++)
		if (milter_answers(o, before_the_end[i]))
			return false;
	return o->version == MILTER_VERSION;
}

/* ---- what we say ---- */

static void add_number(struct buf *to, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(to, (char)(n >> shift));
}

static void add_text(struct buf *to, struct str s)
{
	ptrdiff_t nul = str_find(s, '\0');

	buf_add(to, nul < 0 ? s : str_part(s, 0, (size_t)nul));
	buf_add_char(to, '\0');
}

void milter_say(struct buf *to, enum milter_command c, struct str data)
{
	add_number(to, (uint32_t)data.n + 1);
	buf_add_char(to, (char)c);
	buf_add(to, data);
}

void milter_say_options(struct buf *to)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	add_number(&b, MILTER_VERSION);
	add_number(&b, MILTER_ACTIONS);
	add_number(&b, STEPS);
	milter_say(to, MILTER_NEGOTIATE, buf_str(&b));
}

void milter_say_texts(struct buf *to, enum milter_command c,
		      const struct str *texts, size_t n)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < n; i++)
		add_text(&b, texts[i]);
	milter_say(to, c, buf_str(&b));
}

void milter_say_connect(struct buf *to, struct str host,
			const struct inet *peer)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	add_text(&b, host);
	if (!peer) {
		buf_add_char(&b, 'U');
	} else {
		buf_add_char(&b, inet_is_v4(peer) ? '4' : '6');
		buf_add_char(&b, (char)(peer->port >> 8));
		buf_add_char(&b, (char)peer->port);
		add_text(&b, str_of(inet_ip_text(peer).c));
	}
	milter_say(to, MILTER_CONNECT, buf_str(&b));
}

void milter_say_macros(struct buf *to, enum milter_command c,
		       const struct milter_macro *macros, size_t n)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_add_char(&b, (char)c);
	for (size_t i = 0; i < n; i++) {
		if (str_empty(macros[i].value))
			continue;
		add_text(&b, macros[i].name);
		add_text(&b, macros[i].value);
	}
	milter_say(to, MILTER_MACROS, buf_str(&b));
}

/* ---- what it answers ---- */

static uint32_t number_at(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static bool take_number(struct str *data, uint32_t *n)
{
	if (data->n < 4)
		return fail("a number is missing");
	*n = number_at(data->p);
	*data = str_from(*data, 4);
	return true;
}

static bool take_text(struct str *data, struct str *text)
{
	ptrdiff_t nul = str_find(*data, '\0');

	if (nul < 0)
		return fail("a text has no end");
	*text = str_part(*data, 0, (size_t)nul);
	*data = str_from(*data, (size_t)nul + 1);
	return true;
}

static bool take_field(struct str *data, struct milter_answer *out)
{
	if (!take_text(data, &out->name) || !take_text(data, &out->text))
		return false;
	for (size_t i = 0; i < out->name.n; i++)
		if (out->name.p[i] <= ' ' || out->name.p[i] > '~' ||
		    out->name.p[i] == ':')
			return fail("\"%s\" is no name of a header field",
				    quote(out->name).c);
	if (str_empty(out->name) || out->name.n > LIMIT_FIELD_NAME_BYTES)
		return fail("the name of a header field has %zu bytes",
			    out->name.n);
	return true;
}

/* An address, and its parameters where there are any, as a line of SMTP;
 * STR_NONE: cause(). */
static struct str take_path(struct str *data, const char *keyword,
			    struct arena *arena)
{
	struct str path, parameters = S("");

	if (!take_text(data, &path) ||
	    (data->n > 0 && !take_text(data, &parameters)))
		return STR_NONE;
	if (path.n + parameters.n > LIMIT_COMMAND_BYTES) {
		fail("an address with %zu bytes", path.n + parameters.n);
		return STR_NONE;
	}
	return arena_strf(arena, "%s:%.*s%s%.*s", keyword, STR(path),
			  parameters.n ? " " : "", STR(parameters));
}

static bool is_one_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return fail("control character in \"%s\"", quote(s).c);
	return true;
}

static bool read_nothing(struct str *data, struct arena *arena,
			 struct milter_answer *out)
{
	return true;
}

static bool read_field(struct str *data, struct arena *arena,
		       struct milter_answer *out)
{
	return take_field(data, out);
}

static bool read_field_at(struct str *data, struct arena *arena,
			  struct milter_answer *out)
{
	return take_number(data, &out->index) && take_field(data, out);
}

static bool read_sender(struct str *data, struct arena *arena,
			struct milter_answer *out)
{
	struct str line = take_path(data, "FROM", arena);

	return line.p && is_one_line(line) &&
	       mail_parse(line, arena, &out->sender) == PARSE_OK;
}

static bool read_recipient(struct str *data, struct arena *arena,
			   struct milter_answer *out)
{
	struct str line = take_path(data, "TO", arena);

	if (!line.p || !is_one_line(line) ||
	    rcpt_parse(line, arena, &out->recipient) != PARSE_OK)
		return false;
	/* what stops loops is not for a filter to say */
	out->recipient.trail = STR_NONE;
	return true;
}

static bool read_body(struct str *data, struct arena *arena,
		      struct milter_answer *out)
{
	out->text = *data;
	*data = STR_NONE;
	return true;
}

static bool read_reason(struct str *data, struct arena *arena,
			struct milter_answer *out)
{
	if (!take_text(data, &out->text))
		return false;
	out->text = str_cut(out->text, LIMIT_REPLY_BYTES);
	return true;
}

/* "%" is doubled in it: sendmail takes it for a format.  One that is not is
 * left out, as Postfix does. */
static void add_unescaped(struct buf *to, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		i += text.p[i] == '%';
		if (i < text.n)
			buf_add_char(to, text.p[i]);
	}
}

static bool read_reply(struct str *data, struct arena *arena,
		       struct milter_answer *out)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str text;
	size_t used;

	if (!take_text(data, &text))
		return false;
	add_unescaped(&b, text);
	if (!str_ends(buf_str(&b), S("\n")))
		buf_add(&b, S("\r\n"));
	switch (reply_parse(buf_str(&b), arena, &out->reply, &used)) {
	case REPLY_WHOLE:
		break;
	case REPLY_PART:
		return fail("the last line of a reply is missing");
	case REPLY_BAD:
		return false;
	}
	if (used != b.n || out->reply.code < 400)
		return fail("\"%s\" is no refusal", quote(text).c);
	return true;
}

/* Which macros it wants at which step: it gets all of them. */
static bool read_macros(struct str *data, struct arena *arena,
			struct milter_answer *out)
{
	struct str names;
	uint32_t step;

	return take_number(data, &step) && take_text(data, &names);
}

static bool read_options(struct str *data, struct arena *arena,
			 struct milter_answer *out)
{
	struct milter_options *o = &out->options;

	if (!take_number(data, &o->version) ||
	    !take_number(data, &o->actions) || !take_number(data, &o->steps))
		return false;
	if (o->version < MILTER_VERSION_MIN || o->version > MILTER_VERSION)
		return fail("it speaks version %u of the protocol", o->version);
	if (o->actions & ~(uint32_t)MILTER_ACTIONS)
		return fail("it asks for actions 0x%x", o->actions);
	if (o->steps & ~(uint32_t)STEPS)
		return fail("it asks for steps 0x%x", o->steps);
	while (data->n > 0)
		if (!read_macros(data, arena, out))
			return false;
	return true;
}

static const struct kind {
	enum milter_answer_kind kind;
	bool (*read)(struct str *data, struct arena *arena,
		     struct milter_answer *out);
} kinds[] = {
	{ MILTER_CONTINUE, read_nothing },
	{ MILTER_ACCEPT, read_nothing },
	{ MILTER_DISCARD, read_nothing },
	{ MILTER_REJECT, read_nothing },
	{ MILTER_TEMPFAIL, read_nothing },
	{ MILTER_REPLY, read_reply },
	{ MILTER_SHUTDOWN, read_nothing },
	{ MILTER_CONNECTION_FAILED, read_nothing },
	{ MILTER_SKIP, read_nothing },
	{ MILTER_PROGRESS, read_nothing },
	{ MILTER_NEGOTIATED, read_options },
	{ MILTER_ADD_HEADER, read_field },
	{ MILTER_INSERT_HEADER, read_field_at },
	{ MILTER_CHANGE_HEADER, read_field_at },
	{ MILTER_REPLACE_BODY, read_body },
	{ MILTER_CHANGE_SENDER, read_sender },
	{ MILTER_ADD_RECIPIENT, read_recipient },
	{ MILTER_ADD_RECIPIENT_WITH, read_recipient },
	{ MILTER_DELETE_RECIPIENT, read_recipient },
	{ MILTER_QUARANTINE, read_reason },
	{ MILTER_SET_MACROS, read_macros },
};

static const struct kind *kind_of(char c)
{
	for (size_t i = 0; i < array_size(kinds); i++)
		if ((char)kinds[i].kind == c)
			return &kinds[i];
	return NULL;
}

static bool read_answer(const struct kind *k, struct str data,
			struct arena *arena, struct milter_answer *out)
{
	*out = (struct milter_answer){
		.kind = k->kind,
		.recipient.notify = NOTIFY_UNSAID,
	};
	if (!k->read(&data, arena, out))
		return add_cause("answer '%c'", (char)k->kind);
	if (data.n > 0)
		return fail("answer '%c': %zu bytes too many", (char)k->kind,
			    data.n);
	return true;
}

bool milter_is_change(enum milter_answer_kind kind)
{
	switch (kind) {
	case MILTER_ADD_HEADER:
	case MILTER_INSERT_HEADER:
	case MILTER_CHANGE_HEADER:
	case MILTER_REPLACE_BODY:
	case MILTER_CHANGE_SENDER:
	case MILTER_ADD_RECIPIENT:
	case MILTER_ADD_RECIPIENT_WITH:
	case MILTER_DELETE_RECIPIENT:
	case MILTER_QUARANTINE:
		return true;
	case MILTER_CONTINUE:
	case MILTER_ACCEPT:
	case MILTER_DISCARD:
	case MILTER_REJECT:
	case MILTER_TEMPFAIL:
	case MILTER_REPLY:
	case MILTER_SHUTDOWN:
	case MILTER_CONNECTION_FAILED:
	case MILTER_SKIP:
	case MILTER_PROGRESS:
	case MILTER_NEGOTIATED:
	case MILTER_SET_MACROS:
		break;
	}
	return false;
}

/* A new body may come in one piece. */
static size_t most_of(const struct kind *k)
{
	return k->kind == MILTER_REPLACE_BODY ? LIMIT_MESSAGE_BYTES
					      : LIMIT_MILTER_PACKET_BYTES;
}

enum milter_state milter_parse(struct str in, struct arena *arena,
			       struct milter_answer *out, size_t *used)
{
	const struct kind *k;
	size_t n;

	if (in.n < 4)
		return MILTER_PART;
	n = number_at(in.p);
	if (n > 0 && in.n == 4)
		return MILTER_PART;
	k = n > 0 ? kind_of(in.p[4]) : NULL;
	if (!k) {
		fail("\"%s\" is no answer of a filter",
		     quote(str_part(in, 0, 5)).c);
		return MILTER_BAD;
	}
	if (n - 1 > most_of(k)) {
		fail("answer '%c' has %zu bytes", in.p[4], n);
		return MILTER_BAD;
	}
	if (in.n < 4 + n)
		return MILTER_PART;
	*used = 4 + n;
	return read_answer(k, str_part(in, 5, 4 + n), arena, out) ? MILTER_WHOLE
								  : MILTER_BAD;
}
