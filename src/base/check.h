/*
 * Our own bugs, and words that say what a function does to its caller.
 *
 *	check(n <= room);	always on: aborts with file, line and condition
 *	must_check		the result carries news the caller has to read
 *	waits			the call may park the running fiber; anything
 *				the caller holds across it must be its own
 *	scoped(buf)		run buf_free() when the variable leaves its block
 *
 * check() is for what cannot be unless we are wrong.  Trouble the world makes
 * is reported with fail() (base/fail.h), never with check().
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define check(x) ((x) ? (void)0 : check_failed(#x, __FILE__, __LINE__))
#define must_check __attribute__((warn_unused_result))
#define waits
#define scoped(noun) __attribute__((cleanup(noun##_free)))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define array_size(a) (sizeof(a) / sizeof((a)[0]))

_Noreturn void check_failed(const char *what, const char *file, int line);

/* Memory that is there or the process is not: what was accepted is on disk. */
void *must_alloc(size_t n) __attribute__((malloc, returns_nonnull));
void *must_realloc(void *p, size_t n) __attribute__((returns_nonnull));

#endif
