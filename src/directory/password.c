/*
 * Passwords as Dovecot reads them (password.h).
 */
#include "directory/password.h"

#include <sodium.h>

static const char scheme[] = "{ARGON2ID}";

enum { PASSES = 2, MEMORY_BYTES = 32 << 20 };

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

bool password_hash(struct str password, char out[PASSWORD_HASH_BYTES])
{
	if (!check_password(password))
		return false;
	if (sodium_init() < 0)
		return fail("libsodium does not start.");
	memcpy(out, scheme, sizeof(scheme));
	if (crypto_pwhash_str_alg(out + sizeof(scheme) - 1, password.p,
				  password.n, PASSES, MEMORY_BYTES,
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

/* "{" 1*( ALPHA / DIGIT / "." / "-" / "_" ) "}" 1*( printable ASCII ) */
bool password_check_imported(struct str text)
{
	static const char *const readable[] = { "{PLAIN}", "{CLEAR}",
						"{CLEARTEXT}" };
	ptrdiff_t end = str_find(text, '}');

	if (!str_starts(text, S("{")) || end < 2 || (size_t)end + 1 == text.n)
		return fail("A password hash is written {SCHEME}hash.");
	if (text.n > PASSWORD_IMPORTED_BYTES)
		return fail("The password hash is too long.");
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= 0x20 || text.p[i] >= 0x7f)
			return fail("The password hash holds a character that "
				    "no hash has.");
	for (size_t i = 0; i < array_size(readable); i++)
		if (str_starts_nocase(text, str_of(readable[i])))
			return fail("%s is no hash: give the password instead.",
				    readable[i]);
	return true;
}
