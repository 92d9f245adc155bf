/* Which imported hashes are taken, and what is said of the others. */
#include "directory/directory_test.h"
#include "directory/password.h"
#include "directory/password_import.h"

#define USER S("u@example.org")

static const char crypt_43[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void make_user(void)
{
	assert_done(domain_create(c, S("example.org"), NOTHING));
	assert_done(user_create(c, USER, NOTHING));
}

static struct change import(const char *hash)
{
	struct setting s = { S("password_hash"), str_of(hash) };

	return user_set(c, USER, &s, 1);
}

#define HEX_16 "00112233445566778899aabbccddeeff"
#define CRYPT_86 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BLOWFISH_53 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ARGON2_TAIL \
	"$c29tZXNhbHRzb21lc2FsdA$" \
	"q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng"

/* Written as their tools write them. */
static void test_taken(void **state)
{
	static const char *const good[] = {
		"{SSHA}MTIzNDU2Nzg5MDEyMzQ1Njc4OTBzYWx0",
		"{ssha.b64}MTIzNDU2Nzg5MDEyMzQ1Njc4OTBzYWx0",
		"{SSHA.HEX}3132333435363738393031323334353637383930736c",
		"{SHA}MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
		"{SHA}"
		"00112233445566778899aabbccddeeff00112233",
		"{PLAIN-MD5}" HEX_16,
		"{LDAP-MD5}ABEiM0RVZneImaq7zN3u/w==",
		"{CRAM-MD5}" HEX_16 HEX_16,
		"{MD5}" HEX_16,
		"{CRYPT}$6$salt$" CRYPT_86,
		"{CRYPT}$2y$10$" BLOWFISH_53,
		"{SHA512-CRYPT}$6$rounds=656000$salt$" CRYPT_86,
		"{BLF-CRYPT}$2b$06$" BLOWFISH_53,
		"{CRYPT}aaaaaaaaaaaaa",
		"{MD5-CRYPT}$1$salt$aaaaaaaaaaaaaaaaaaaaaa",
		"{PBKDF2}$1$salt$5000$"
		"0011223344556677889900112233445566778899",
		"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=4" ARGON2_TAIL,
		"{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1" ARGON2_TAIL,
	};

	make_user();
	for (size_t i = 0; i < array_size(good); i++)
		assert_done(import(good[i]));
	assert_done(
		import(arena_printf(arena, "{CRYPT}$y$j9T$salt$%s", crypt_43)));
	assert_done(import(""));
}

static void test_readable_ones_are_refused(void **state)
{
	static const char *const readable[] = {
		"{PLAIN}secret",      "{plain.B64}c2VjcmV0",
		"{PLAIN.BASE64}c2Vj", "{CLEARTEXT.HEX}736563",
		"{CLEAR}x",           "{PLAIN-TRUNC}5-secre",
		"{PLAIN.nonsense}x",
	};

	make_user();
	for (size_t i = 0; i < array_size(readable); i++)
		assert_refused(import(readable[i]), "password_hash",
			       "can be read");
}

static void test_what_dovecot_cannot_verify_is_refused(void **state)
{
	static const struct {
		const char *hash, *part;
	} bad[] = {
		{ "$6$salt$" CRYPT_86, "is written {SCHEME}hash" },
		{ "{SSHA}", "is written {SCHEME}hash" },
		{ "{SSHA}a b", "printable" },
		{ "{NONSENSE}abc", "{NONSENSE} is no scheme" },
		{ "{BCRYPT}$2y$10$" BLOWFISH_53, "BLF-CRYPT" },
		{ "{PBKDF2-SHA256}1$a$b", "{PBKDF2-SHA256} is no scheme" },
		{ "{SSHA.b32}aaaa", "{SSHA.b32} is no scheme" },
		{ "{OTP}sha1 5 salt", "printable" },
		{ "{SSHA}abc", "no hash of {SSHA}" },
		{ "{SSHA}!!!!", "no hash of {SSHA}" },
		{ "{SSHA}MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "no hash of" },
		{ "{SHA}MTIzNDU2Nzg5MDEyMzQ1Njc4OTBzYWx0", "no hash of" },
		{ "{PLAIN-MD5}00112233", "32 hexadecimal" },
		{ "{CRYPT}*", "no hash of {CRYPT}" },
		{ "{CRYPT}!$6$salt$" CRYPT_86, "no hash of {CRYPT}" },
		{ "{CRYPT}$6$salt$short", "no hash of {CRYPT}" },
		{ "{CRYPT}$6$sa*lt$" CRYPT_86, "no hash of {CRYPT}" },
		{ "{SHA512-CRYPT}$6$sa:lt$" CRYPT_86, "86 letters" },
		{ "{CRYPT}$6$rounds=05000$salt$" CRYPT_86, "no hash of" },
		{ "{CRYPT}$99$salt$aaaa", "no hash of {CRYPT}" },
		{ "{SHA512-CRYPT}$5$salt$aaaa", "86 letters" },
		{ "{BLF-CRYPT}$2y$10$short", "53 letters" },
		{ "{BLF-CRYPT}$2y$31$" BLOWFISH_53, "costs too much" },
		{ "{SHA512-CRYPT}$6$rounds=999999999$salt$" CRYPT_86,
		  "costs too much" },
		{ "{ARGON2ID}$argon2id$v=19$m=262144,t=3,p=1" ARGON2_TAIL,
		  "costs too much" },
		{ "{ARGON2ID}$argon2id$v=19$m=65536,t=4000,p=1" ARGON2_TAIL,
		  "costs too much" },
		{ "{ARGON2ID}$argon2id$v=16$m=65536,t=3,p=1" ARGON2_TAIL,
		  "no hash of {ARGON2ID}" },
		{ "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$short",
		  "no hash of {ARGON2ID}" },
		{ "{SCRAM-SHA-1}4096,c2FsdA==,short,short", "StoredKey" },
		{ "{DIGEST-MD5}" HEX_16, "one login name only" },
	};

	make_user();
	for (size_t i = 0; i < array_size(bad); i++)
		assert_refused(import(bad[i].hash), "password_hash",
			       bad[i].part);
}

/* The console knows hashes of ours only, and takes as long for each name. */
static void test_administrators_have_hashes_of_ours(void **state)
{
	static const char foreign[] = "{SSHA}MTIzNDU2Nzg5MDEyMzQ1Njc4OTBzYWx0";
	char ours[PASSWORD_HASH_BYTES];

	make_user();
	assert_done(import(foreign));
	assert_refused(admin_create(c, USER, SET("domain=example.org")),
		       "password", "imported hash");
	assert_done(admin_create(
		c, USER, SET("domain=example.org", "password=12345678")));
	assert_done(admin_delete(c, USER));
	assert_true(password_hash(S("12345678"), ours));
	assert_true(password_is_ours(str_of(ours)));
	assert_done(import(ours));
	assert_done(admin_create(c, USER, SET("domain=example.org")));
	assert_refused(import(foreign), "password_hash", "is an administrator");
	assert_done(user_set(c, USER, SET("password=12345678")));
}

/* Whatever the tests around it save at. */
static void test_what_a_hash_costs(void **state)
{
	static const char usual[] = "{ARGON2ID}$argon2id$v=19$m=32768,t=2,p=1$";
	char hash[PASSWORD_HASH_BYTES];
	const char *cheap = getenv("SPLITMAIL_CHEAP_PASSWORDS");

	unsetenv("SPLITMAIL_CHEAP_PASSWORDS");
	assert_true(password_hash(S("12345678"), hash));
	assert_true(str_starts(str_of(hash), str_of(usual)));
	assert_true(password_is_ours(str_of(hash)));
	assert_true(password_matches(S("12345678"), hash));
	assert_false(password_matches(S("12345679"), hash));
	assert_true(str_starts(str_of(password_of_nobody()), str_of(usual)));
	assert_false(password_matches(S("12345678"), password_of_nobody()));
	if (cheap)
		setenv("SPLITMAIL_CHEAP_PASSWORDS", "1", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_taken),
		TEST(test_readable_ones_are_refused),
		TEST(test_what_dovecot_cannot_verify_is_refused),
		TEST(test_administrators_have_hashes_of_ours),
		TEST(test_what_a_hash_costs),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
