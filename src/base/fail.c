/*
 * One error slot per fiber; a plain thread has its own.
 *
 * Invariant: a slot always holds a NUL-terminated text; an empty one means
 * that nothing has failed yet.
 */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char own_slot[FAIL_SLOT_BYTES];
static _Thread_local char *slot;

static char *current_slot(void)
{
	return slot ? slot : own_slot;
}

void fail_use_slot(char *s)
{
	slot = s;
}

/* The arguments may point into the slot: hence the detour over TEXT. */
bool fail(const char *format, ...)
{
	int saved = errno;
	char text[FAIL_SLOT_BYTES];
	va_list args;

	va_start(args, format);
	errno = saved;
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	memcpy(current_slot(), text, strlen(text) + 1);
	errno = saved;
	return false;
}

bool add_cause(const char *format, ...)
{
	int saved = errno;
	char text[FAIL_SLOT_BYTES];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= 0 && n < (int)sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %s", cause());
	memcpy(current_slot(), text, strlen(text) + 1);
	errno = saved;
	return false;
}

const char *cause(void)
{
	const char *text = current_slot();

	return *text ? text : "no cause given";
}
