/*
 * The PROXY protocol (proxy.h): section numbers are proxy-protocol.txt's.
 */
#include "wire/proxy.h"

#include "base/limits.h"
#include "wire/quote.h"

#define PREFIX S("PROXY ")
#define SIGNATURE S("\r\n\r\n\0\r\nQUIT\n")

static bool not_allowed(struct str what)
{
	return fail("\"%s\" is no PROXY header", quote(what).c);
}

/* ---- version 1: a line (2.1) ---- */

enum {
	LINE_LEAST = sizeof("PROXY UNKNOWN\r\n") - 1,
	LINE_MOST = 107,
};

static bool take_word(struct str *rest, struct str *word)
{
	return str_split(rest, ' ', word) && !str_empty(*word);
}

static bool take_ip(struct str *rest, bool is_v4, struct inet *out)
{
	struct str word;

	return take_word(rest, &word) && inet_parse_ip(word, 0, out) &&
	       (str_find(word, ':') < 0) == is_v4;
}

static bool read_port(struct str word, struct inet *out)
{
	uint64_t port;

	if (!str_number(word, UINT16_MAX, &port))
		return false;
	out->port = (uint16_t)port;
	return true;
}

static enum proxy_header read_line(struct str line, struct proxied *out)
{
	struct str rest = str_from(line, PREFIX.n), family = STR_NONE, port;
	bool is_v4;

	(void)!take_word(&rest, &family);
	if (str_same(family, S("UNKNOWN")))
		return PROXY_ITSELF; /* the rest of the line does not matter */
	is_v4 = str_same(family, S("TCP4"));
	if ((is_v4 || str_same(family, S("TCP6"))) &&
	    take_ip(&rest, is_v4, &out->client) &&
	    take_ip(&rest, is_v4, &out->server) && take_word(&rest, &port) &&
	    read_port(port, &out->client) && read_port(rest, &out->server))
		return PROXY_CLIENT;
	not_allowed(line);
	return PROXY_NOT;
}

static size_t line_lacks(struct str in)
{
	if (in.n < LINE_LEAST)
		return LINE_LEAST - in.n;
	return in.p[in.n - 1] == '\r' ? 1 : 2;
}

static enum proxy_header parse_line(struct str in, struct proxied *out,
				    size_t *n)
{
	ptrdiff_t end = str_search(str_part(in, 0, LINE_MOST), S("\r\n"));

	if (end >= 0) {
		*n = (size_t)end + 2;
		return read_line(str_part(in, 0, (size_t)end), out);
	}
	if (in.n >= LINE_MOST) {
		fail("the line of the PROXY header does not end within %d "
		     "octets",
		     LINE_MOST);
		return PROXY_NOT;
	}
	*n = line_lacks(in);
	return PROXY_PART;
}

/* ---- version 2: binary (2.2) ---- */

enum {
	HEAD_BYTES = 16, /* to the length */
	VERSION_COMMAND = 12,
	FAMILY = 13,
	LENGTH = 14,

	LOCAL = 0x20,
	PROXY = 0x21,

	UNSPECIFIED = 0x00,
	TCP4 = 0x11,
	TCP6 = 0x21,
	UNIX_STREAM = 0x31,
};

static uint8_t octet(struct str s, size_t i)
{
	return (uint8_t)s.p[i];
}

static uint16_t number16(struct str s, size_t i)
{
	return (uint16_t)(octet(s, i) << 8 | octet(s, i + 1));
}

static void take_address(struct str s, size_t ip, size_t n, size_t port,
			 struct inet *out)
{
	*out = (struct inet){ .port = number16(s, port) };
	if (n == 4)
		memcpy(out->ip + 10, "\xff\xff", 2);
	memcpy(out->ip + sizeof(out->ip) - n, s.p + ip, n);
}

/* S: two addresses of N octets, two ports, and what else there is. */
static enum proxy_header read_addresses(struct str s, size_t n,
					struct proxied *out)
{
	if (s.n < 2 * n + 4) {
		fail("the PROXY header is too short for its addresses");
		return PROXY_NOT;
	}
	take_address(s, 0, n, 2 * n, &out->client);
	take_address(s, n, n, 2 * n + 2, &out->server);
	return PROXY_CLIENT;
}

static enum proxy_header read_binary(struct str in, struct proxied *out)
{
	struct str s = str_from(in, HEAD_BYTES);
	uint8_t command = octet(in, VERSION_COMMAND);
	uint8_t family = octet(in, FAMILY);

	if (command == LOCAL)
		return PROXY_ITSELF;
	if (command == PROXY && family == TCP4)
		return read_addresses(s, 4, out);
	if (command == PROXY && family == TCP6)
		return read_addresses(s, 16, out);
	if (command == PROXY &&
	    (family == UNSPECIFIED || family == UNIX_STREAM))
		return PROXY_ITSELF;
	fail("the PROXY header says version and command 0x%02x, family "
	     "0x%02x, which SMTP does not come by",
	     command, family);
	return PROXY_NOT;
}

static enum proxy_header parse_binary(struct str in, struct proxied *out,
				      size_t *n)
{
	size_t all = HEAD_BYTES;

	if (in.n >= HEAD_BYTES)
		all += number16(in, LENGTH);
	if (all > LIMIT_PROXY_BYTES) {
		fail("the PROXY header has %zu octets, more than %d", all,
		     LIMIT_PROXY_BYTES);
		return PROXY_NOT;
	}
	if (in.n < all) {
		*n = all - in.n;
		return PROXY_PART;
	}
	*n = all;
	return read_binary(str_part(in, 0, all), out);
}

/* ---- which of them ---- */

/* Does IN begin with WHAT, as far as it goes? */
static bool begins(struct str in, struct str what)
{
	return str_starts(in.n < what.n ? what : in, in.n < what.n ? in : what);
}

enum proxy_header proxy_header_parse(struct str in, struct proxied *out,
				     size_t *n)
{
	if (begins(in, PREFIX))
		return parse_line(in, out, n);
	if (begins(in, SIGNATURE))
		return parse_binary(in, out, n);
	not_allowed(str_cut(in, PREFIX.n));
	return PROXY_NOT;
}
