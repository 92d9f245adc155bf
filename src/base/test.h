/*
 * For unit tests only: cmocka, with the headers it forgets to include and
 * without the macro that hides fail().
 */
#ifndef BASE_TEST_H
#define BASE_TEST_H

/* clang-format off: cmocka.h has to be last */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#undef fail	/* ours is base/fail.h; a test says fail_msg() */

#endif
