/* Random numbers of the seed, each process its own; libsodium's, too. */
#include "rt/random.h"

#include <sodium.h>
#include <string.h>

#include "rt/sim/world_inside.h"

void random_bytes(void *to, size_t n)
{
	struct dice *d = &process_here()->dice;
	char *p = to;

	while (n > 0) {
		uint64_t r = dice_next(d);
		size_t part = n < sizeof(r) ? n : sizeof(r);

		memcpy(p, &r, part);
		p += part;
		n -= part;
	}
}

uint64_t random_below(uint64_t n)
{
	return dice_below(&process_here()->dice, n);
}

void random_name(char *to, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

	random_bytes(to, n);
	for (size_t i = 0; i < n; i++)
		to[i] = letters[to[i] & 31];
	to[n] = '\0';
}

/* ---- libraries that would ask the kernel ---- */

static const char *name(void)
{
	return "sim";
}

static uint32_t number(void)
{
	uint32_t r;

	random_bytes(&r, sizeof(r));
	return r;
}

static void stir(void)
{
}

static void fill(void *const to, const size_t n)
{
	random_bytes(to, n);
}

static randombytes_implementation sodiums = {
	.implementation_name = name,
	.random = number,
	.stir = stir,
	.buf = fill,
};

void libraries_open(struct world *w)
{
	(void)w;
	/* it draws once, at first: not of the first of several worlds */
	check(sodium_init() >= 0);
	check(randombytes_set_implementation(&sodiums) == 0);
}
