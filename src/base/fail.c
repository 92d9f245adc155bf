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

static _Thread_local struct failure own_slot;
static _Thread_local struct failure *slot;

static struct failure *current_slot(void)
{
	return slot ? slot : &own_slot;
}

void fail_use_slot(struct failure *s)
{
	slot = s;
}

/* The arguments may point into the slot: hence the detour over TEXT. */
static bool set(enum fail_kind kind, const char *format, va_list args)
{
	int saved = errno;
	char text[FAIL_SENTENCE_BYTES];
	struct failure *f = current_slot();

	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	memcpy(f->sentence, text, strlen(text) + 1);
	f->kind = kind;
	errno = saved;
	return false;
}

bool fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(FAIL_OTHER, format, args);
	va_end(args);
	return false;
}

bool fail_kind(enum fail_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(kind, format, args);
	va_end(args);
	return false;
}

enum fail_kind errno_kind(int number)
{
	if (number == ENOENT)
		return FAIL_ABSENT;
	return number == ENOSPC || number == EDQUOT ? FAIL_NO_ROOM : FAIL_OTHER;
}

bool fail_errno(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(errno_kind(errno), format, args);
	va_end(args);
	return false;
}

bool add_cause(const char *format, ...)
{
	int saved = errno;
	char text[FAIL_SENTENCE_BYTES];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= 0 && n < (int)sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %s", cause());
	memcpy(current_slot()->sentence, text, strlen(text) + 1);
	errno = saved;
	return false;
}

const char *cause(void)
{
	const char *text = current_slot()->sentence;

	return *text ? text : "no cause given";
}

enum fail_kind cause_kind(void)
{
	return current_slot()->kind;
}

void failure_save(struct failure *to)
{
	*to = *current_slot();
}

bool fail_again(const struct failure *f)
{
	if (f != current_slot())
		*current_slot() = *f;
	return false;
}
