/* Keys that mail is signed with: made, and what DNS has of them. */
#include "rt/signing_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/fail.h"
#include "base/test.h"

/* RFC 8463 A.2: the private key as PKCS #8, and the public one. */
#define RFC_PRIVATE \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"
#define RFC_LINE \
	"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJ" \
	"ZAc6DuFy89qmIyWvAhpo9wdRGg=="
#define RFC_PUBLIC "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static struct arena *arena;

static struct str public_of(struct str pem)
{
	struct str public;

	if (!signing_key_public(pem, arena, &public))
		fail_msg("%s", cause());
	return public;
}

static void the_key_of_the_rfc(void **state)
{
	struct str line;

	assert_true(str_same(public_of(S(RFC_PRIVATE)), S(RFC_PUBLIC)));
	assert_true(signing_key_line(S(RFC_PRIVATE), arena, &line));
	assert_true(str_same(line, S(RFC_LINE)));
}

static void each_key_is_another(void **state)
{
	struct str a = signing_key_make(SIGNING_ED25519, arena);
	struct str b = signing_key_make(SIGNING_ED25519, arena);

	assert_true(str_starts(a, S("-----BEGIN PRIVATE KEY-----\n")));
	assert_false(str_same(a, b));
	assert_int_equal(public_of(a).n, 44);
	assert_false(str_same(public_of(a), public_of(b)));
}

/* RFC 6376 3.6.1: a SubjectPublicKeyInfo, which OpenSSL reads back. */
static void one_of_rsa_has_2048_bits(void **state)
{
	struct str pem = signing_key_make(SIGNING_RSA, arena), public;
	unsigned char der[512];
	const unsigned char *p = der;
	EVP_PKEY *key;
	int n;

	public = public_of(pem);
	n = EVP_DecodeBlock(der, (const unsigned char *)public.p,
			    (int)public.n);
	assert_true(n > 0);
	key = d2i_PUBKEY(NULL, &p, n);
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_get_bits(key), 2048);
	assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_RSA);
	EVP_PKEY_free(key);
}

/* OpenSSL reads it back: it is the same key. */
static void one_of_rsa_on_a_line(void **state)
{
	struct str pem = signing_key_make(SIGNING_RSA, arena), line, again;
	unsigned char *der = arena_alloc(arena, pem.n);
	const unsigned char *p = der;
	EVP_PKEY *key, *same;
	BIO *text;
	int n;

	assert_true(signing_key_line(pem, arena, &line));
	n = EVP_DecodeBlock(der, (const unsigned char *)line.p, (int)line.n);
	assert_true(n > 0);
	key = d2i_AutoPrivateKey(NULL, &p, n);
	text = BIO_new_mem_buf(pem.p, (int)pem.n);
	same = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, same), 1);
	EVP_PKEY_free(key);
	EVP_PKEY_free(same);
	BIO_free(text);
	assert_false(signing_key_line(S(""), arena, &again));
}

static void what_is_none_is_said(void **state)
{
	struct str public;

	assert_false(signing_key_public(S(""), arena, &public));
	assert_false(signing_key_public(S("-----BEGIN PRIVATE KEY-----\nAAAA\n"
					  "-----END PRIVATE KEY-----\n"),
					arena, &public));
	assert_non_null(strstr(cause(), "read a key"));
}

static int begin(void **state)
{
	arena = arena_open();
	return 0;
}

static int end(void **state)
{
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_of_the_rfc),
		cmocka_unit_test(each_key_is_another),
		cmocka_unit_test(one_of_rsa_has_2048_bits),
		cmocka_unit_test(one_of_rsa_on_a_line),
		cmocka_unit_test(what_is_none_is_said),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
