/* A certificate chain and its key, looked at before anybody serves them. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "rt/tls_inside.h"

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *to, int room, int writing, void *asked)
{
	(void)to, (void)room, (void)writing;
	*(bool *)asked = true;
	return -1;
}

static BIO *open_text(struct str text)
{
	BIO *b = BIO_new_mem_buf(text.n ? text.p : "", (int)text.n);

	check(b);
	return b;
}

static X509 *read_leaf(struct str chain)
{
	BIO *b = open_text(chain);
	X509 *leaf = PEM_read_bio_X509(b, NULL, NULL, NULL), *next;

	while (leaf && (next = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		X509_free(next);
	BIO_free(b);
	/* So it ends; anything else is one that is damaged. */
	if (leaf &&
	    ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
		return leaf;
	X509_free(leaf);
	fail(leaf ? "a certificate in it is damaged"
		  : "no certificate in PEM form can be read in it");
	return NULL;
}

static EVP_PKEY *read_key(struct str text)
{
	BIO *b = open_text(text);
	bool asked = false;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, &asked);

	BIO_free(b);
	if (key)
		return key;
	if (asked)
		fail("the key has a passphrase, which nobody can type here; "
		     "`openssl pkey -in OLD -out NEW` takes it off");
	else
		fail("no private key in PEM form can be read in it");
	return NULL;
}

static int64_t wall_of(const ASN1_TIME *t)
{
	struct tm tm = { 0 };

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

int64_t tls_ends_ms(const X509 *leaf)
{
	return leaf ? wall_of(X509_get0_notAfter(leaf)) : 0;
}

/* Both as OpenSSL would be given them: it refuses weak ones, too. */
static bool is_usable(X509 *leaf, EVP_PKEY *key)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	bool ok;

	check(c);
	ok = SSL_CTX_use_certificate(c, leaf) == 1;
	if (!ok)
		tls_fail("the certificate");
	else if (X509_check_private_key(leaf, key) != 1)
		ok = fail("the key is not the certificate's");
	SSL_CTX_free(c);
	return ok;
}

bool tls_pair_check(const char *certificate, struct str chain, const char *key,
		    struct str key_text, int64_t *ends_ms)
{
	X509 *leaf;
	EVP_PKEY *pair = NULL;
	bool ok = false;

	ERR_clear_error();
	leaf = read_leaf(chain);
	if (!leaf) {
		add_cause("%s", certificate);
	} else if (!(pair = read_key(key_text))) {
		add_cause("%s", key);
	} else if (!(ok = is_usable(leaf, pair))) {
		add_cause("%s and %s", certificate, key);
	} else {
		*ends_ms = tls_ends_ms(leaf);
	}
	X509_free(leaf);
	EVP_PKEY_free(pair);
	ERR_clear_error();
	return ok;
}
