/*
 * Dovecot's authentication protocol: lines of fields between tabs.
 *
 *	line  = command *( TAB field ) LF
 *	field = *( byte / %x01 ( "0" / "1" / "t" / "r" / "n" ) )
 *
 * In a field NUL, %x01, TAB, CR and LF are written with %x01 in front.  All
 * that comes from a client goes out escaped, so that it stays one field.
 */
#include "wire/dovecot_auth.h"

#include "base/fail.h"
#include "wire/quote.h"

static const char raw[] = { '\0', '\001', '\t', '\r', '\n' };
static const char escaped[] = { '0', '1', 't', 'r', 'n' };

static void add_escaped(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char *at = memchr(raw, s.p[i], sizeof(raw));

		if (at)
			buf_add_char(to, '\001');
		buf_add_char(to, at ? escaped[at - raw] : s.p[i]);
	}
}

/* A user name or the like; what could not be written on one line is none. */
static bool read_text(struct str s, struct arena *arena, struct str *out)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return fail("control character in \"%s\"", quote(s).c);
	*out = arena_str(arena, s);
	return true;
}

static bool read_id(struct str *rest, struct auth_line *out)
{
	struct str id;
	uint64_t n;

	str_split(rest, '\t', &id);
	if (!str_number(id, UINT32_MAX, &n))
		return fail("bad request id \"%s\"", quote(id).c);
	out->id = (uint32_t)n;
	return true;
}

static bool read_version(struct str rest, struct arena *arena,
			 struct auth_line *out)
{
	struct str major;
	uint64_t n;

	str_split(&rest, '\t', &major);
	if (!str_number(major, UINT16_MAX, &n))
		return fail("bad version \"%s\"", quote(major).c);
	out->major = (unsigned)n;
	return true;
}

static bool read_mech(struct str rest, struct arena *arena,
		      struct auth_line *out)
{
	struct str field;

	str_split(&rest, '\t', &field);
	if (str_empty(field))
		return fail("MECH without a name");
	out->mechanism = arena_str(arena, field);
	while (str_split(&rest, '\t', &field))
		out->plaintext |= str_same(field, S("plaintext"));
	return true;
}

static bool read_done(struct str rest, struct arena *arena,
		      struct auth_line *out)
{
	return true;
}

/* "proxy", "proxy=y", "nologin": fields by which Dovecot says that the password
 * is for another server to check, or that there is nobody to be logged in. */
static bool is_no_login(struct str field)
{
	struct str name;

	str_split(&field, '=', &name);
	return str_same(name, S("proxy")) || str_same(name, S("proxy_maybe")) ||
	       str_same(name, S("nologin"));
}

static bool read_ok(struct str rest, struct arena *arena, struct auth_line *out)
{
	struct str field;

	if (!read_id(&rest, out))
		return false;
	while (str_split(&rest, '\t', &field)) {
		if (is_no_login(field))
			out->kind = AUTH_LINE_FAIL;
		if (str_starts(field, S("user=")) &&
		    !read_text(str_from(field, 5), arena, &out->user))
			return false;
		if (str_starts(field, S("login_right=")) &&
		    !read_text(str_from(field, 12), arena, &out->right))
			return false;
	}
	return !str_empty(out->user) || fail("OK without a user");
}

static bool read_fail(struct str rest, struct arena *arena,
		      struct auth_line *out)
{
	struct str field;

	if (!read_id(&rest, out))
		return false;
	while (str_split(&rest, '\t', &field))
		out->temporary |= str_same(field, S("temp")) ||
				  str_same(field, S("code=temp_fail"));
	return true;
}

static bool read_cont(struct str rest, struct arena *arena,
		      struct auth_line *out)
{
	struct str field;

	if (!read_id(&rest, out))
		return false;
	str_split(&rest, '\t', &field);
	out->data = arena_str(arena, field);
	return true;
}

static const struct {
	const char *command;
	enum auth_line_kind kind;
	bool (*read)(struct str rest, struct arena *arena,
		     struct auth_line *out);
} commands[] = {
	{ "VERSION", AUTH_LINE_VERSION, read_version },
	{ "MECH", AUTH_LINE_MECH, read_mech },
	{ "DONE", AUTH_LINE_DONE, read_done },
	{ "OK", AUTH_LINE_OK, read_ok },
	{ "FAIL", AUTH_LINE_FAIL, read_fail },
	{ "CONT", AUTH_LINE_CONT, read_cont },
};

bool auth_line_parse(struct str line, struct arena *arena,
		     struct auth_line *out)
{
	struct str rest = line, command;

	*out = (struct auth_line){ .kind = AUTH_LINE_OTHER };
	str_split(&rest, '\t', &command);
	for (size_t i = 0; i < array_size(commands); i++) {
		if (!str_same(command, str_of(commands[i].command)))
			continue;
		out->kind = commands[i].kind;
		return commands[i].read(rest, arena, out);
	}
	return !str_empty(command) || fail("empty line");
}

void auth_write_hello(struct buf *to, unsigned pid)
{
	buf_printf(to, "VERSION\t1\t2\nCPID\t%u\n", pid);
}

/* resp= has to be the last field.  "=" is SMTP's word for an empty one
 * (RFC 4954 4). */
void auth_write_request(struct buf *to, uint32_t id, struct str mechanism,
			bool secured, struct str remote_ip, struct str local_ip,
			struct str response)
{
	buf_printf(to, "AUTH\t%u\t", id);
	add_escaped(to, mechanism);
	buf_add(to, S("\tservice=smtp"));
	if (secured)
		buf_add(to, S("\tsecured"));
	if (local_ip.n)
		buf_add(to, S("\tlip="));
	add_escaped(to, local_ip);
	if (remote_ip.n)
		buf_add(to, S("\trip="));
	add_escaped(to, remote_ip);
	if (response.p) {
		buf_add(to, S("\tresp="));
		if (!str_same(response, S("=")))
			add_escaped(to, response);
	}
	buf_add_char(to, '\n');
}

void auth_write_continue(struct buf *to, uint32_t id, struct str base64)
{
	buf_printf(to, "CONT\t%u\t", id);
	add_escaped(to, base64);
	buf_add_char(to, '\n');
}
