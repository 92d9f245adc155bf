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

/* Every message takes one, so they are fetched some at a time. */
static uint64_t random_number(void)
{
	static _Thread_local uint64_t stock[64];
	static _Thread_local size_t left;
	uint64_t r;

	if (left == 0) {
		random_bytes(stock, sizeof(stock));
		left = array_size(stock);
	}
	r = stock[--left];
	stock[left] = 0; /* nobody else learns it */
	return r;
}

/* Values that would make the low numbers likelier are thrown again. */
uint64_t random_below(uint64_t n)
{
	uint64_t r, surplus;

	check(n > 0);
	surplus = (UINT64_MAX % n + 1) % n;
	do
		r = random_number();
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
