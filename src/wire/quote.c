/*
 * Foreign bytes made fit for replies and logs.
 */
#include "wire/quote.h"

#include <stdio.h>

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

struct quote quote(struct str s)
{
	struct quote q;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (n + sizeof("\\xNN...") > sizeof(q.c)) {
			memcpy(q.c + n, "...", 3);
			n += 3;
			break;
		}
		if (is_plain(s.p[i]))
			q.c[n++] = s.p[i];
		else
			n += (size_t)snprintf(q.c + n, 5, "\\x%02X",
					      (unsigned char)s.p[i]);
	}
	q.c[n] = '\0';
	return q;
}
