/*
 * SMTP command lines.
 *
 *	command     = verb [ SP arguments ] CRLF
 *	MAIL        = "FROM:" *SP Reverse-path *( SP esmtp-param )
 *	RCPT        = "TO:" *SP Forward-path *( SP esmtp-param )
 *	esmtp-param = keyword [ "=" value ]
 *
 * Spaces behind the colon are no part of the grammar, but old clients send
 * them and nothing else can be meant, nor where a path has no <>.
 */
#include "wire/command.h"

#include <sodium.h>

#include "base/limits.h"
#include "wire/quote.h"

/* ---- lines ---- */

enum line_state command_line(struct str in, size_t max, struct str *line,
			     size_t *used)
{
	struct str window = str_part(in, 0, max + 2);
	ptrdiff_t lf = str_find(window, '\n');
	bool whole;

	*line = STR_NONE;
	*used = 0;
	if (lf < 0 && window.n < max + 2)
		return LINE_PART;
	*used = lf < 0 ? window.n : (size_t)lf + 1;
	if (lf < 0)
		return LINE_TOO_LONG;
	whole = lf > 0 && in.p[lf - 1] == '\r';
	*line = str_part(in, 0, (size_t)lf - whole);
	if (!whole || str_find(*line, '\r') >= 0 || str_find(*line, '\0') >= 0)
		return LINE_MALFORMED;
	return LINE_WHOLE;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool command_split(struct str line, struct str *verb, struct str *arguments)
{
	size_t n = 0;

	while (n < line.n && is_letter(line.p[n]))
		n++;
	if (n == 0 || n > 10)
		return false;
	if (n < line.n && line.p[n] != ' ')
		return false;
	*verb = str_part(line, 0, n);
	*arguments = str_trim(str_from(line, n));
	return true;
}

/* ---- xtext and base64 ---- */

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* xchar, RFC 3461 4 */
static bool is_xchar(char c)
{
	return c > ' ' && c <= '~' && c != '+' && c != '=';
}

bool xtext_decode(struct str x, struct arena *arena, struct str *out)
{
	char *p = arena_alloc(arena, x.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < x.n; i++) {
		int high, low;

		if (is_xchar(x.p[i])) {
			p[n++] = x.p[i];
			continue;
		}
		if (x.p[i] != '+' || x.n - i < 3)
			return false;
		high = hex_digit(x.p[i + 1]);
		low = hex_digit(x.p[i + 2]);
		if (high < 0 || low < 0 || high < 2 || (high == 7 && low == 15))
			return false; /* no controls, however written */
		p[n++] = (char)(high << 4 | low);
		i += 2;
	}
	*out = (struct str){ p, n };
	return true;
}

struct str xtext_encode(struct str s, struct arena *arena)
{
	static const char hex[] = "0123456789ABCDEF";
	char *p = arena_alloc(arena, 3 * s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_xchar(s.p[i])) {
			p[n++] = s.p[i];
			continue;
		}
		p[n++] = '+';
		p[n++] = hex[c >> 4];
		p[n++] = hex[c & 15];
	}
	return (struct str){ p, n };
}

/* RFC 4648 4: whole quanta, bits that carry nothing are zero.  libsodium takes
 * some bytes beyond ASCII for letters. */
bool base64_decode(struct str s, struct arena *arena, struct str *out)
{
	size_t room = s.n / 4 * 3 + 1, n = 0;
	char *p = arena_alloc(arena, room);

	if (!str_is_ascii(s) ||
	    sodium_base642bin((uint8_t *)p, room, s.p, s.n, NULL, &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL))
		return false;
	*out = (struct str){ p, n };
	return true;
}

struct str base64_encode(struct str s, struct arena *arena)
{
	size_t room =
		sodium_base64_ENCODED_LEN(s.n, sodium_base64_VARIANT_ORIGINAL);
	char *p = arena_alloc(arena, room);

	sodium_bin2base64(p, room, (const uint8_t *)s.p, s.n,
			  sodium_base64_VARIANT_ORIGINAL);
	return (struct str){ p, room - 1 };
}

/* ---- parameters ---- */

struct parameter {
	struct str keyword, value;
	bool has_value;
};

static bool is_keyword(struct str s)
{
	if (s.n == 0 || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* esmtp-value: RFC 5321 4.1.2, RFC 6531 3.3 */
static bool is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '=' || s.p[i] == 0x7f ||
		    (unsigned char)s.p[i] <= ' ')
			return false;
	return s.n > 0;
}

static bool read_parameter(struct str text, struct parameter *p)
{
	ptrdiff_t equals = str_find(text, '=');

	p->has_value = equals >= 0;
	p->keyword = p->has_value ? str_part(text, 0, (size_t)equals) : text;
	p->value = p->has_value ? str_from(text, (size_t)equals + 1) : STR_NONE;
	if (is_keyword(p->keyword) && (!p->has_value || is_value(p->value)))
		return true;
	return fail("bad parameter \"%s\"", quote(text).c);
}

static enum parse bad(const struct parameter *p)
{
	fail("bad value in \"%s%s%s\"", quote(p->keyword).c,
	     p->has_value ? "=" : "", quote(p->value).c);
	return PARSE_BAD_SYNTAX;
}

static bool is_xtext(struct str s, struct arena *arena)
{
	struct str unused;

	return xtext_decode(s, arena, &unused);
}

/*
 * One row per parameter a command knows.  read() gets the command it fills.
 * A row's place in the table is its bit among those that were seen.
 */
struct known {
	const char *keyword;
	enum parse (*read)(const struct parameter *p, struct arena *arena,
			   void *command);
};

static enum parse read_known(const struct known *table, size_t rows,
			     unsigned *seen, const struct parameter *p,
			     struct arena *arena, void *command)
{
	for (size_t i = 0; i < rows; i++) {
		if (!str_same_nocase(p->keyword, str_of(table[i].keyword)))
			continue;
		if (*seen & 1U << i) {
			fail("%s is given twice", table[i].keyword);
			return PARSE_BAD_SYNTAX;
		}
		*seen |= 1U << i;
		return table[i].read(p, arena, command);
	}
	fail("parameter \"%s\" is not known", quote(p->keyword).c);
	return PARSE_UNKNOWN_PARAMETER;
}

static enum parse read_parameters(struct str text, const struct known *table,
				  size_t rows, struct arena *arena,
				  void *command)
{
	struct str word;
	unsigned seen = 0;

	if (!str_empty(text) && !str_starts(text, S(" "))) {
		fail("\"%s\" behind the address", quote(text).c);
		return PARSE_BAD_SYNTAX;
	}
	while (str_split(&text, ' ', &word)) {
		struct parameter p;
		enum parse result;

		if (str_empty(word))
			continue;
		if (!read_parameter(word, &p))
			return PARSE_BAD_SYNTAX;
		result = read_known(table, rows, &seen, &p, arena, command);
		if (result != PARSE_OK)
			return result;
	}
	return PARSE_OK;
}

/* ---- MAIL ---- */

/* RFC 1870 3: up to 20 digits; what does not fit is as large as can be. */
static enum parse read_size(const struct parameter *p, struct arena *arena,
			    void *command)
{
	struct mail_command *mail = command;

	if (p->value.n == 0 || p->value.n > 20)
		return bad(p);
	for (size_t i = 0; i < p->value.n; i++)
		if (!is_digit(p->value.p[i]))
			return bad(p);
	if (!str_number(p->value, UINT64_MAX, &mail->size))
		mail->size = UINT64_MAX;
	return PARSE_OK;
}

static enum parse read_body(const struct parameter *p, struct arena *arena,
			    void *command)
{
	struct mail_command *mail = command;

	mail->body_said = true;
	mail->body_8bit = str_same_nocase(p->value, S("8BITMIME"));
	if (mail->body_8bit || str_same_nocase(p->value, S("7BIT")))
		return PARSE_OK;
	if (!str_same_nocase(p->value, S("BINARYMIME")))
		return bad(p);
	fail("BODY=BINARYMIME is not offered");
	return PARSE_UNKNOWN_PARAMETER;
}

static enum parse read_utf8(const struct parameter *p, struct arena *arena,
			    void *command)
{
	struct mail_command *mail = command;

	mail->utf8 = true;
	return p->has_value ? bad(p) : PARSE_OK;
}

static enum parse read_ret(const struct parameter *p, struct arena *arena,
			   void *command)
{
	struct mail_command *mail = command;

	if (str_same_nocase(p->value, S("FULL")))
		mail->ret = RET_FULL;
	else if (str_same_nocase(p->value, S("HDRS")))
		mail->ret = RET_HDRS;
	return mail->ret == RET_UNSAID ? bad(p) : PARSE_OK;
}

static enum parse read_envid(const struct parameter *p, struct arena *arena,
			     void *command)
{
	struct mail_command *mail = command;

	if (p->value.n == 0 || p->value.n > LIMIT_ENVID_BYTES ||
	    !is_xtext(p->value, arena))
		return bad(p);
	mail->envid = arena_str(arena, p->value);
	return PARSE_OK;
}

static enum parse read_auth(const struct parameter *p, struct arena *arena,
			    void *command)
{
	struct mail_command *mail = command;

	if (p->value.n == 0 || !is_xtext(p->value, arena))
		return bad(p);
	mail->auth = arena_str(arena, p->value);
	return PARSE_OK;
}

static const struct known mail_parameters[] = {
	{ "SIZE", read_size },     { "BODY", read_body },
	{ "SMTPUTF8", read_utf8 }, { "RET", read_ret },
	{ "ENVID", read_envid },   { "AUTH", read_auth },
};

/* "FROM:" and what may stand behind it; *REST begins at the path. */
static bool take_word(struct str *rest, struct str word)
{
	if (!str_starts_nocase(*rest, word))
		return fail("%.*s<address> is missing", STR(word));
	*rest = str_trim(str_from(*rest, word.n));
	return true;
}

enum parse mail_parse(struct str arguments, struct arena *arena,
		      struct mail_command *out)
{
	struct str rest = arguments;

	*out = (struct mail_command){ .size = 0 };
	if (!take_word(&rest, S("FROM:")))
		return PARSE_BAD_SYNTAX;
	if (!path_parse(&rest, PATH_REVERSE, arena, &out->sender))
		return PARSE_BAD_ADDRESS;
	return read_parameters(rest, mail_parameters,
			       array_size(mail_parameters), arena, out);
}

/* ---- RCPT ---- */

static unsigned notify_word(struct str s)
{
	if (str_same_nocase(s, S("NEVER")))
		return NOTIFY_NEVER;
	if (str_same_nocase(s, S("SUCCESS")))
		return NOTIFY_SUCCESS;
	if (str_same_nocase(s, S("FAILURE")))
		return NOTIFY_FAILURE;
	if (str_same_nocase(s, S("DELAY")))
		return NOTIFY_DELAY;
	return NOTIFY_UNSAID;
}

/* RFC 3461 4.1: NEVER stands alone. */
static enum parse read_notify(const struct parameter *p, struct arena *arena,
			      void *command)
{
	struct rcpt_command *rcpt = command;
	struct str rest = p->value, word;

	while (str_split(&rest, ',', &word)) {
		unsigned said = notify_word(word);

		if (!said || rcpt->notify & (said | NOTIFY_NEVER))
			return bad(p);
		if (rcpt->notify && said == NOTIFY_NEVER)
			return bad(p);
		rcpt->notify |= said;
	}
	return rcpt->notify && !str_ends(p->value, S(",")) ? PARSE_OK : bad(p);
}

/* addr-type ";" xtext, RFC 3461 4.2; utf-8 has an encoding of its own, with
 * backslashes or bare, RFC 6533 3. */
static enum parse read_orcpt(const struct parameter *p, struct arena *arena,
			     void *command)
{
	struct rcpt_command *rcpt = command;
	struct str rest = p->value, type;

	if (p->value.n > LIMIT_ORCPT_BYTES || str_find(p->value, ';') < 0)
		return bad(p);
	str_split(&rest, ';', &type);
	if (!is_keyword(type) || str_empty(rest))
		return bad(p);
	if (!str_same_nocase(type, S("utf-8")) && !is_xtext(rest, arena))
		return bad(p);
	rcpt->orcpt = arena_str(arena, p->value);
	return PARSE_OK;
}

static enum parse read_trail(const struct parameter *p, struct arena *arena,
			     void *command)
{
	struct rcpt_command *rcpt = command;

	if (p->value.n == 0 || p->value.n > LIMIT_TRAIL_BYTES ||
	    !is_xtext(p->value, arena))
		return bad(p);
	rcpt->trail = arena_str(arena, p->value);
	return PARSE_OK;
}

static const struct known rcpt_parameters[] = {
	{ "NOTIFY", read_notify },
	{ "ORCPT", read_orcpt },
	{ "XTRAIL", read_trail },
};

enum parse rcpt_parse(struct str arguments, struct arena *arena,
		      struct rcpt_command *out)
{
	struct str rest = arguments;

	*out = (struct rcpt_command){ .notify = NOTIFY_UNSAID };
	if (!take_word(&rest, S("TO:")))
		return PARSE_BAD_SYNTAX;
	if (!path_parse(&rest, PATH_FORWARD, arena, &out->recipient))
		return PARSE_BAD_ADDRESS;
	return read_parameters(rest, rcpt_parameters,
			       array_size(rcpt_parameters), arena, out);
}

bool bdat_parse(struct str arguments, uint64_t *bytes, bool *last)
{
	struct str size, word = arguments;

	str_split(&word, ' ', &size);
	word = str_trim(word);
	*last = str_same_nocase(word, S("LAST"));
	return (*last || str_empty(word)) &&
	       str_number(size, UINT64_MAX, bytes);
}
