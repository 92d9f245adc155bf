/* A self-signed certificate for the first start, before there is a real one. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "rt/random.h"
#include "rt/tls_inside.h"

enum { YEARS_10_S = 315360000, COMMON_NAME_BYTES = 64 };

static bool extension_add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

/* 127 bits, so that no two certificates of one name are alike. */
static bool serial_set(X509 *x)
{
	unsigned char bytes[16];
	BIGNUM *n;
	bool ok;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7f;
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

/* A name too long for CN (X.520: 64) stands in subjectAltName alone, which is
 * where everybody looks. */
static bool subject_set(X509 *x, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(x);
	const char *cn = strlen(name) <= COMMON_NAME_BYTES ? name : "splitmail";

	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					  (const unsigned char *)cn, -1, -1,
					  0) == 1 &&
	       X509_set_issuer_name(x, subject) == 1;
}

static bool names_set(X509 *x, const char *name)
{
	char san[512];
	struct inet ip;
	bool is_ip = inet_parse_ip(str_of(name), 0, &ip);
	int n = snprintf(san, sizeof(san), "%s:%s", is_ip ? "IP" : "DNS", name);

	/* A comma would begin another name. */
	if (n < 0 || (size_t)n >= sizeof(san) || strchr(name, ','))
		return false;
	return extension_add(x, NID_subject_alt_name, san) &&
	       extension_add(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       extension_add(x, NID_ext_key_usage, "serverAuth");
}

static X509 *make(const char *name, EVP_PKEY *key)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, 2) == 1 && serial_set(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), YEARS_10_S) &&
	    X509_set_pubkey(x, key) == 1 && subject_set(x, name) &&
	    names_set(x, name) && X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	tls_fail("make a certificate");
	return NULL;
}

static struct str text_of(BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	return (struct str){ p, (size_t)n };
}

static bool write_both(X509 *x, EVP_PKEY *pair, const char *certificate,
		       const char *key)
{
	BIO *chain = BIO_new(BIO_s_mem()), *its = BIO_new(BIO_s_mem());
	bool ok;

	check(chain && its && PEM_write_bio_X509(chain, x) == 1);
	check(PEM_write_bio_PKCS8PrivateKey(its, pair, NULL, NULL, 0, NULL,
					    NULL) == 1);
	ok = tls_write_pair(certificate, text_of(chain), key, text_of(its));
	BIO_free(chain);
	BIO_free(its);
	return ok;
}

bool tls_self_signed(const char *name, const char *certificate, const char *key)
{
	EVP_PKEY *pair;
	X509 *x = NULL;
	bool ok = false;

	ERR_clear_error();
	pair = EVP_EC_gen("P-256");
	if (pair)
		x = make(name, pair);
	else
		tls_fail("make a key");
	if (x)
		ok = write_both(x, pair, certificate, key);
	X509_free(x);
	EVP_PKEY_free(pair);
	return ok;
}
