/* What is accepted is clean and bounded, its canonical form is itself, and a
 * path is its mailbox, in brackets or not.  What may be created is a part of
 * what is read. */
#include "wire/address.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

static void check_address(const struct address *a, struct arena *arena)
{
	struct str key = address_key(a, arena), again;
	struct address b;

	fuzz_check_text(a->local);
	fuzz_check_text(a->domain);
	check(a->local.n > 0 && a->local.n <= LIMIT_LOCAL_BYTES);
	check(a->domain.n > 0 && a->domain.n <= LIMIT_DOMAIN_BYTES);
	check(str_starts(a->local, a->base));
	check(a->has_detail ? a->base.n + 1 + a->detail.n == a->local.n
			    : a->base.n == a->local.n);
	check(address_parse(key, arena, &b));
	check(address_same(a, &b));
	again = address_key(&b, arena);
	check(str_same(key, again));
}

static void check_domain(struct str s, struct arena *arena)
{
	struct str once, twice, helo;

	if (helo_parse(s, &helo))
		fuzz_check_text(helo);
	if (!domain_parse(s, arena, &once))
		return;
	check(domain_parse(once, arena, &twice));
	check(str_same(once, twice));
	check(helo_parse(once, &helo));
}

static void check_path(struct str mailbox, const struct address *a,
		       struct arena *arena)
{
	struct str paths[] = {
		arena_strf(arena, "<%.*s> X", STR(mailbox)),
		arena_strf(arena, "%.*s X", STR(mailbox)),
	};
	struct address b;

	for (size_t i = 0; i < array_size(paths); i++) {
		check(path_parse(&paths[i], PATH_FORWARD, arena, &b));
		check(str_same(paths[i], S(" X")));
		check(address_same(a, &b));
		check(str_same(a->spelling, b.spelling));
	}
}

static void check_strict(struct str in, const struct address *a, bool read,
			 struct arena *arena)
{
	struct address b;

	if (!address_parse_strict(in, arena, &b))
		return;
	check(read && address_same(a, &b));
	check(b.local.n <= LIMIT_STRICT_LOCAL_BYTES);
	check(address_parse_strict(address_key(&b, arena), arena, &b));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open();
	char *own;
	struct str in = fuzz_input(bytes, n, &own), rest = in;
	struct address a;
	bool read = address_parse(in, arena, &a);

	if (read) {
		check_address(&a, arena);
		check_path(in, &a, arena);
	}
	check_strict(in, &a, read, arena);
	if (path_parse(&rest, PATH_REVERSE, arena, &a) && a.local.n)
		check_address(&a, arena);
	rest = in;
	if (path_parse(&rest, PATH_FORWARD, arena, &a) && a.domain.n)
		check_address(&a, arena);
	check_domain(in, arena);
	free(own);
	arena_close(arena);
	return 0;
}
