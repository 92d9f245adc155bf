/*
 * A byte buffer that grows: what is built piece by piece.
 *
 *	struct buf b scoped(buf) = BUF_EMPTY;
 *	buf_add(&b, S("MAIL FROM:<"));
 *	buf_printf(&b, "%.*s>\r\n", STR(sender));
 *	send(buf_str(&b));
 *
 * It owns its memory (buf_free).  buf_take() forgets bytes at the front.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	char *p;
	size_t n, room;
};

#define BUF_EMPTY \
	{ \
		NULL, 0, 0 \
	}

void buf_free(struct buf *b);  /* also makes it empty again */
void buf_clear(struct buf *b); /* keeps the memory */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) printf_like(2, 3);
void buf_take(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

#endif
