/* The kernel's random numbers. */
#include "rt/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void random_bytes(void *to, size_t n)
{
	char *p = to;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		check(got > 0 || errno == EINTR);
		if (got <= 0)
			continue;
		p += got;
		n -= (size_t)got;
	}
}

/* Values that would make the low numbers likelier are thrown again. */
uint64_t random_below(uint64_t n)
{
	uint64_t r, surplus;

	check(n > 0);
	surplus = (UINT64_MAX % n + 1) % n;
	do
		random_bytes(&r, sizeof(r));
	while (r > UINT64_MAX - surplus);
	return r % n;
}

void random_name(char *to, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

	random_bytes(to, n);
	for (size_t i = 0; i < n; i++)
		to[i] = letters[to[i] & 31];
	to[n] = '\0';
}
