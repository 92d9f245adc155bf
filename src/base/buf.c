/*
 * A growing buffer: room doubles, so that building N bytes costs O(N).
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 128 };

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf)BUF_EMPTY;
}

void buf_clear(struct buf *b)
{
	b->n = 0;
}

void buf_reserve(struct buf *b, size_t more)
{
	size_t room = b->room ? b->room : FIRST_ROOM;

	if (more <= b->room - b->n)
		return;
	check(more <= SIZE_MAX / 4 - b->n);
	while (room - b->n < more)
		room *= 2;
	b->p = must_realloc(b->p, room);
	b->room = room;
}

void buf_add(struct buf *b, struct str s)
{
	if (s.n == 0)
		return;
	buf_reserve(b, s.n);
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void buf_add_char(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->p[b->n++] = c;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	size_t room;
	int n;

	buf_reserve(b, 1);
	room = b->room - b->n;
	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(b->p + b->n, room, format, args);
	check(n >= 0);
	if ((size_t)n >= room) {
		buf_reserve(b, (size_t)n + 1);
		vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
	}
	va_end(again);
	va_end(args);
	b->n += (size_t)n;
}

void buf_take(struct buf *b, size_t n)
{
	check(n <= b->n);
	b->n -= n;
	if (n && b->n)
		memmove(b->p, b->p + n, b->n);
}
