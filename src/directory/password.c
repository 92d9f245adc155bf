/*
 * Passwords as Dovecot reads them (password.h).
 */
#include "directory/password.h"

#include <sodium.h>
#include <stdlib.h>

#include "rt/fault.h"

static const char scheme[] = "{ARGON2ID}";

struct cost {
	unsigned passes, memory_bytes;
	const char *text;    /* how each hash that costs so begins */
	const char *nobodys; /* one that no password has */
};

#define ARGON2(cost) "$argon2id$v=19$" cost "$"
#define NOBODYS(cost) \
	"{ARGON2ID}" ARGON2( \
		cost) "c29tZXNhbHRzb21lc2FsdA$" \
		      "q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng"
#define USUAL "m=32768,t=2,p=1"
#define LEAST "m=8,t=1,p=1"

static const struct cost usual = { 2, 32 << 20, ARGON2(USUAL), NOBODYS(USUAL) };

static const struct cost *cost(void)
{
#ifdef SPLITMAIL_FAULTS
	static const struct cost least = { 1, 8 << 10, ARGON2(LEAST),
					   NOBODYS(LEAST) };

	if (fault_wanted("SPLITMAIL_CHEAP_PASSWORDS"))
		return &least;
#endif
	return &usual;
}

_Static_assert(PASSWORD_HASH_BYTES >=
		       crypto_pwhash_STRBYTES + sizeof("{ARGON2ID}"),
	       "a hash with its scheme fits");

static bool check_password(struct str p)
{
	if (str_empty(p))
		return fail("The password is empty.");
	if (p.n > PASSWORD_BYTES)
		return fail("The password is longer than %d bytes.",
			    PASSWORD_BYTES);
	for (size_t i = 0; i < p.n; i++)
		if ((unsigned char)p.p[i] < 0x20 || p.p[i] == 0x7f)
			return fail("The password holds a control character.");
	return true;
}

size_t password_characters(struct str password)
{
	size_t n = 0;

	for (size_t i = 0; i < password.n; i++)
		n += ((unsigned char)password.p[i] & 0xc0) != 0x80;
	return n;
}

bool password_is_name(struct str password, struct str name)
{
	ptrdiff_t at = str_find_last(name, '@');

	return str_same_nocase(password, name) ||
	       (at > 0 &&
		str_same_nocase(password, str_part(name, 0, (size_t)at)));
}

bool password_hash(struct str password, char out[PASSWORD_HASH_BYTES])
{
	if (!check_password(password))
		return false;
	if (sodium_init() < 0)
		return fail("libsodium does not start.");
	memcpy(out, scheme, sizeof(scheme));
	if (crypto_pwhash_str_alg(out + sizeof(scheme) - 1, password.p,
				  password.n, cost()->passes,
				  cost()->memory_bytes,
				  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fail("There is no memory to hash the password.");
	return true;
}

bool password_matches(struct str password, const char *hash)
{
	struct str h = str_of(hash);

	if (!str_starts(h, str_of(scheme)) || sodium_init() < 0 ||
	    password.n > PASSWORD_BYTES)
		return false;
	return crypto_pwhash_str_verify(hash + sizeof(scheme) - 1, password.p,
					password.n) == 0;
}

bool password_is_ours(struct str hash)
{
	return str_starts(hash, str_of(scheme)) &&
	       str_starts(str_part(hash, sizeof(scheme) - 1, hash.n),
			  str_of(cost()->text));
}

const char *password_of_nobody(void)
{
	return cost()->nobodys;
}
