/*
 * IP addresses as text and as sixteen bytes.
 *
 * libc reads and writes the addresses themselves; what is ours is the port,
 * the brackets and the block.
 */
#include "base/inet.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool inet_parse_ip(struct str s, uint16_t port, struct inet *out)
{
	char text[INET6_ADDRSTRLEN];
	struct inet a = { .port = port };

	if (s.n == 0 || s.n >= sizeof(text) || str_find(s, '\0') >= 0)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, a.ip + 12) == 1)
		memcpy(a.ip, v4_prefix, sizeof(v4_prefix));
	else if (inet_pton(AF_INET6, text, a.ip) != 1)
		return false;
	*out = a;
	return true;
}

static bool parse_port(struct str s, uint16_t *port)
{
	uint64_t n;

	if (s.n > 5 || !str_number(s, UINT16_MAX, &n))
		return false;
	*port = (uint16_t)n;
	return true;
}

/* "[ip]" or "[ip]:port", S starts with '['. */
static bool parse_bracketed(struct str s, uint16_t port, struct inet *out)
{
	ptrdiff_t end = str_find(s, ']');
	struct str rest = str_from(s, (size_t)end + 1);

	if (end < 0)
		return false;
	if (rest.n &&
	    (rest.p[0] != ':' || !parse_port(str_from(rest, 1), &port)))
		return false;
	return inet_parse_ip(str_part(s, 1, (size_t)end), port, out);
}

bool inet_parse(struct str s, uint16_t default_port, struct inet *out)
{
	ptrdiff_t colon = str_find(s, ':');
	uint16_t port = default_port;

	if (s.n && s.p[0] == '[')
		return parse_bracketed(s, port, out);
	if (colon < 0 || colon != str_find_last(s, ':'))
		return inet_parse_ip(s, port, out);
	if (!parse_port(str_from(s, (size_t)colon + 1), &port))
		return false;
	return inet_parse_ip(str_part(s, 0, (size_t)colon), port, out);
}

bool inet_is_v4(const struct inet *a)
{
	return memcmp(a->ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool inet_is_loopback(const struct inet *a)
{
	static const uint8_t v6[16] = { [15] = 1 };

	return inet_is_v4(a) ? a->ip[12] == 127
			     : memcmp(a->ip, v6, sizeof(v6)) == 0;
}

bool inet_is_link_local(const struct inet *a)
{
	return inet_is_v4(a) ? a->ip[12] == 169 && a->ip[13] == 254
			     : a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

bool inet_is_unspecified(const struct inet *a)
{
	static const uint8_t none[16];

	return inet_is_v4(a) ? a->ip[12] == 0
			     : !memcmp(a->ip, none, sizeof(none));
}

bool inet_same_ip(const struct inet *a, const struct inet *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

struct inet_text inet_ip_text(const struct inet *a)
{
	struct inet_text t = { "" };

	if (inet_is_v4(a))
		inet_ntop(AF_INET, a->ip + 12, t.c, sizeof(t.c));
	else
		inet_ntop(AF_INET6, a->ip, t.c, sizeof(t.c));
	return t;
}

struct inet_text inet_text(const struct inet *a)
{
	struct inet_text ip = inet_ip_text(a), t;

	snprintf(t.c, sizeof(t.c), inet_is_v4(a) ? "%.45s:%u" : "[%.45s]:%u",
		 ip.c, a->port);
	return t;
}

struct inet_text inet_literal(const struct inet *a)
{
	struct inet_text ip = inet_ip_text(a), t;

	snprintf(t.c, sizeof(t.c), inet_is_v4(a) ? "[%.45s]" : "[IPv6:%.45s]",
		 ip.c);
	return t;
}

/* Clears the bits behind the block's: 192.0.2.5/24 is 192.0.2.0/24. */
static void keep_leading_bits(struct inet_block *b)
{
	for (unsigned i = 0; i < sizeof(b->ip); i++) {
		unsigned kept = b->bits > i * 8 ? b->bits - i * 8 : 0;

		if (kept < 8)
			b->ip[i] &= (uint8_t)(0xff00 >> kept);
	}
}

bool inet_block_parse(struct str s, struct inet_block *out)
{
	struct str bits = s, ip;
	bool has_bits = str_find(s, '/') >= 0;
	struct inet a;
	uint64_t n, max;

	str_split(&bits, '/', &ip);
	if (!inet_parse_ip(ip, 0, &a))
		return false;
	max = str_find(ip, ':') < 0 ? 32 : 128;
	if (!has_bits)
		n = max;
	else if (bits.n > 3 || !str_number(bits, max, &n))
		return false;
	memcpy(out->ip, a.ip, sizeof(out->ip));
	out->bits = (uint8_t)(128 - max + n);
	keep_leading_bits(out);
	return true;
}

bool inet_in_block(const struct inet *a, const struct inet_block *b)
{
	unsigned bytes = b->bits / 8, rest = b->bits % 8;

	if (memcmp(a->ip, b->ip, bytes) != 0)
		return false;
	return rest == 0 || ((a->ip[bytes] ^ b->ip[bytes]) >> (8 - rest)) == 0;
}
