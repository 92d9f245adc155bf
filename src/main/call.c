/* What every subcommand needs of its call. */
#include <stdarg.h>
#include <stdio.h>

#include "main/main.h"

int call_fail(int status, const char *format, ...)
{
	va_list args;

	fputs("splitmail: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

const char *call_option(const struct call *c, const char *name)
{
	size_t n = strlen(name);

	for (int i = 1; i < c->argc; i++) {
		const char *a = c->argv[i];

		if (strncmp(a, "--", 2) != 0 || strncmp(a + 2, name, n) != 0)
			continue;
		if (a[2 + n] == '=')
			return a + 3 + n;
		if (a[2 + n] == 0)
			return i + 1 < c->argc ? c->argv[i + 1] : "";
	}
	return NULL;
}
