/* Keys that mail is signed with (signing_key.h). */
#include "rt/signing_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

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

bool signing_key_public(struct str pem, struct arena *arena, struct str *out)
{
	BIO *text = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key;
	bool ok;

	ERR_clear_error();
	key = text ? PEM_read_bio_PrivateKey(text, NULL, NULL, NULL) : NULL;
	BIO_free(text);
	if (!key)
		return tls_fail("read a key");
	ok = public_of(key, arena, out);
	EVP_PKEY_free(key);
	return ok;
}

/* ---- on one line ---- */

/* What stands between the first line and the last, which begin with dashes. */
static bool inside(struct str pem, struct arena *arena, struct str *out)
{
	char *to = arena_alloc(arena, pem.n + 1);
	size_t n = 0;
	struct str line;

	while (str_split(&pem, '\n', &line)) {
		if (str_starts(line, S("-")))
			continue;
		memcpy(to + n, line.p, line.n);
		n += line.n;
	}
	*out = (struct str){ to, n };
	return n > 0 || fail("read a key: it is none");
}

/* The seed of a key of Ed25519 (RFC 8410 7); NULL: it is of another kind. */
static const unsigned char *seed_in(struct str line, unsigned char der[60])
{
	static const unsigned char head[] = { 0x30, 0x2e, 0x02, 0x01,
					      0x00, 0x30, 0x05, 0x06,
					      0x03, 0x2b, 0x65, 0x70,
					      0x04, 0x22, 0x04, 0x20 };

	if (line.n != (sizeof(head) + ED25519_BYTES) / 3 * 4 ||
	    EVP_DecodeBlock(der, (const unsigned char *)line.p, (int)line.n) !=
		    (int)(sizeof(head) + ED25519_BYTES) ||
	    memcmp(der, head, sizeof(head)) != 0)
		return NULL;
	return der + sizeof(head);
}

static bool ed25519_line(const unsigned char *seed, struct arena *arena,
			 struct str *out)
{
	unsigned char both[2 * ED25519_BYTES];
	size_t n = ED25519_BYTES;
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						     seed, ED25519_BYTES);
	bool ok = key && EVP_PKEY_get_raw_public_key(key, both + ED25519_BYTES,
						     &n) == 1;

	EVP_PKEY_free(key);
	if (!ok)
		return tls_fail("read a key");
	memcpy(both, seed, ED25519_BYTES);
	*out = base64(both, sizeof(both), arena);
	OPENSSL_cleanse(both, sizeof(both));
	return true;
}

/* Hundreds are read at a time: by OpenSSL that would take seconds. */
bool signing_key_line(struct str pem, struct arena *arena, struct str *out)
{
	unsigned char der[60];
	const unsigned char *seed;
	bool ok = inside(pem, arena, out);

	seed = ok ? seed_in(*out, der) : NULL;
	if (seed)
		ok = ed25519_line(seed, arena, out);
	OPENSSL_cleanse(der, sizeof(der));
	return ok;
}
