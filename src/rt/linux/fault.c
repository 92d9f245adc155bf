/* Deaths on order (fault.h). */
#include "rt/fault.h"

#ifdef SPLITMAIL_FAULTS

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* At once and by nothing but the signal: no sanitizer's handler has a say. */
static void die(int number)
{
	sigset_t one;

	signal(number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, number);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	kill(getpid(), number);
	raise(number);
}

bool fault_wanted(const char *name)
{
	return getenv(name) != NULL;
}

void fault_here(const char *place, struct str what)
{
	const char *order = getenv("SPLITMAIL_FAULT");
	struct str rest, where, word;
	uint64_t number;

	if (!order)
		return;
	rest = str_of(order);
	str_split(&rest, ' ', &where);
	str_split(&rest, ' ', &word);
	if (str_same(where, str_of(place)) && str_search(what, word) >= 0 &&
	    str_number(rest, 64, &number))
		die((int)number);
}

#endif
