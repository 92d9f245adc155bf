/* Keys that mail is signed with (signing_key.h). */
#include "rt/signing_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/check.h"
#include "base/fail.h"
#include "rt/tls_inside.h"

enum { RSA_BITS = 2048, ED25519_BYTES = 32 };

static struct str base64(const unsigned char *bytes, size_t n,
			 struct arena *arena)
{
	char *to = arena_alloc(arena, (n + 2) / 3 * 4 + 1);
	int got = EVP_EncodeBlock((unsigned char *)to, bytes, (int)n);

	return (struct str){ to, (size_t)got };
}

struct str signing_key_make(enum signing_algorithm a, struct arena *arena)
{
	struct str pem = STR_NONE;
	EVP_PKEY *key;
	BIO *text;
	char *p;
	long n;

	ERR_clear_error();
	key = a == SIGNING_RSA
		      ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS)
		      : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!key) {
		tls_fail("make a key");
		return STR_NONE;
	}
	text = BIO_new(BIO_s_mem());
	check(text && PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL, 0,
						    NULL, NULL) == 1);
	n = BIO_get_mem_data(text, &p);
	pem = arena_str(arena, (struct str){ p, (size_t)n });
	BIO_free(text);
	EVP_PKEY_free(key);
	return pem;
}

static bool public_of(EVP_PKEY *key, struct arena *arena, struct str *out)
{
	unsigned char raw[ED25519_BYTES], *der = NULL;
	size_t n = sizeof(raw);
	int bytes;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
		if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1)
			return tls_fail("read a key");
		*out = base64(raw, n, arena);
		return true;
	}
	bytes = i2d_PUBKEY(key, &der);
	if (bytes <= 0)
		return tls_fail("read a key");
	*out = base64(der, (size_t)bytes, arena);
	OPENSSL_free(der);
	return true;
}

static bool ed25519_line(EVP_PKEY *key, struct arena *arena, struct str *out)
{
	unsigned char both[2 * ED25519_BYTES];
	size_t n = ED25519_BYTES, m = ED25519_BYTES;

	if (EVP_PKEY_get_raw_private_key(key, both, &n) != 1 ||
	    EVP_PKEY_get_raw_public_key(key, both + n, &m) != 1)
		return tls_fail("read a key");
	*out = base64(both, n + m, arena);
	OPENSSL_cleanse(both, sizeof(both));
	return true;
}

static bool line_of(EVP_PKEY *key, struct arena *arena, struct str *out)
{
	PKCS8_PRIV_KEY_INFO *pkcs8;
	unsigned char *der = NULL;
	int bytes;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
		return ed25519_line(key, arena, out);
	pkcs8 = EVP_PKEY2PKCS8(key);
	bytes = pkcs8 ? i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &der) : 0;
	PKCS8_PRIV_KEY_INFO_free(pkcs8);
	if (bytes <= 0)
		return tls_fail("read a key");
	*out = base64(der, (size_t)bytes, arena);
	OPENSSL_clear_free(der, (size_t)bytes);
	return true;
}

static bool read_key(struct str pem, struct arena *arena, struct str *out,
		     bool (*take)(EVP_PKEY *key, struct arena *arena,
				  struct str *out))
{
	BIO *text = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key;
	bool ok;

	ERR_clear_error();
	key = text ? PEM_read_bio_PrivateKey(text, NULL, NULL, NULL) : NULL;
	BIO_free(text);
	if (!key)
		return tls_fail("read a key");
	ok = take(key, arena, out);
	EVP_PKEY_free(key);
	return ok;
}

bool signing_key_public(struct str pem, struct arena *arena, struct str *out)
{
	return read_key(pem, arena, out, public_of);
}

bool signing_key_line(struct str pem, struct arena *arena, struct str *out)
{
	return read_key(pem, arena, out, line_of);
}
