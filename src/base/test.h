/*
 * For unit tests only: cmocka, with the headers it forgets to include and
 * without the macro that hides fail().
 */
#ifndef BASE_TEST_H
#define BASE_TEST_H

/* cmocka.h has to be last */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* fail() is ours, base/fail.h; a test says fail_msg(). */
#undef fail
#undef fail_msg
#define fail_msg(...) \
	do { \
		print_error(__VA_ARGS__); \
		print_error("\n"); \
		_fail(__FILE__, __LINE__); \
	} while (0)

#endif
