/*
 * Network addresses as values: an IP address, a port, a block of addresses.
 *
 *	struct inet a;
 *	if (!inet_parse(S("[2001:db8::1]:2525"), 25, &a)) ...
 *	printf("%s\n", inet_text(&a).c);	"[2001:db8::1]:2525"
 *
 * IPv4 is held as ::ffff:a.b.c.d, so comparing two is comparing 16 bytes.
 * No kernel type appears here.
 */
#ifndef BASE_INET_H
#define BASE_INET_H

#include "base/str.h"

struct inet {
	uint8_t ip[16];
	uint16_t port;
};

struct inet_block {
	uint8_t ip[16];
	uint8_t bits; /* 0..128; IPv4 /24 is held as 120 */
};

struct inet_text {
	char c[56];
};

/* "1.2.3.4", "1.2.3.4:25", "::1", "[::1]", "[::1]:25". */
bool inet_parse(struct str s, uint16_t default_port,
		struct inet *out) must_check;
/* An address without a port, "1.2.3.4" or "::1"; port is set to PORT. */
bool inet_parse_ip(struct str s, uint16_t port, struct inet *out) must_check;
bool inet_is_v4(const struct inet *a);
bool inet_is_loopback(const struct inet *a);
/* 169.254.0.0/16, where clouds keep their secrets, and fe80::/10. */
bool inet_is_link_local(const struct inet *a);
/* 0.0.0.0/8 and ::, by which Linux reaches this very machine. */
bool inet_is_unspecified(const struct inet *a);
bool inet_same_ip(const struct inet *a, const struct inet *b);
struct inet_text inet_text(const struct inet *a);    /* with port */
struct inet_text inet_ip_text(const struct inet *a); /* without */
/* As in Received and EHLO: "[192.0.2.1]", "[IPv6:2001:db8::1]". */
struct inet_text inet_literal(const struct inet *a);

/* "192.0.2.0/24", "2001:db8::/32", or one address. */
bool inet_block_parse(struct str s, struct inet_block *out) must_check;
bool inet_in_block(const struct inet *a, const struct inet_block *b);

#endif
