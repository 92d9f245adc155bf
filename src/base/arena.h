/*
 * Memory by lifetime: many small allocations that end together.
 *
 *	struct arena *mail = arena_open();
 *	struct str kept = arena_str(mail, line);	a copy, NUL behind it
 *	char *text = arena_printf(mail, "%d recipients", n);
 *	arena_close(mail);				all of it is gone
 *
 * Arenas are named by lifetime: process, session, mail, job.  Blocks are
 * recycled per thread, so opening one costs no system call.  Out of memory
 * aborts.  An arena belongs to one fiber at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/str.h"

struct arena;

struct arena *arena_open(void);
void arena_close(struct arena *a); /* NULL is allowed */
/* Forget everything but keep the first block: for a loop's next round. */
void arena_reset(struct arena *a);
/* Bytes handed out since open or reset: what budgets count. */
size_t arena_bytes(const struct arena *a);

void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
struct str arena_str(struct arena *a, struct str s);
char *arena_cstr(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *format, ...) printf_like(2, 3);
char *arena_vprintf(struct arena *a, const char *format, va_list args)
	printf_like(2, 0);
struct str arena_strf(struct arena *a, const char *format, ...)
	printf_like(2, 3);

static inline void arena_free(struct arena **a) /* for scoped(arena) */
{
	arena_close(*a);
}

#endif
