/* What AddressSanitizer finds lost at the end of a world (memory.h). */
#include "memory.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>

const char *__asan_default_options(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void);

/* Asked for where a world ends, and not where the program does. */
const char *__asan_default_options(void)
{
	return "leak_check_at_exit=0";
}

const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

/* Whoever lives until the world ends is dropped with it, and loses what he has:
 * who takes mail, and administrators. */
const char *__lsan_default_suppressions(void)
{
	return "leak:test/sim/taker.c\n"
	       "leak:test/sim/peer\n"
	       "leak:test/sim/books_route.c\n";
}

bool memory_is_lost(void)
{
	return __lsan_do_recoverable_leak_check() != 0;
}
#else
bool memory_is_lost(void)
{
	return false;
}
#endif
