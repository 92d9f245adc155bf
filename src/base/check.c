/*
 * The end of the process: a broken promise of our own, or no memory.
 *
 * The last words go straight to file descriptor 2; nothing here allocates.
 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void check_failed(const char *what, const char *file, int line)
{
	char text[512];
	int n = snprintf(text, sizeof(text) - 1,
			 "splitmail: %s:%d: check failed: %s", file, line,
			 what);

	if (n < 0)
		abort();
	if (n > (int)sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n++] = '\n';
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		abort(); /* nobody listens: the core still tells */
	abort();
}

void *must_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	check(p != NULL);
	return p;
}

void *must_realloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	check(p != NULL);
	return p;
}
