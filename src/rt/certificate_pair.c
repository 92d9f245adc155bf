/* A certificate chain and its key, looked at before anybody serves them. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
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
	ERR_clear_error(); /* of where the texts end */
	ok = SSL_CTX_use_certificate(c, leaf) == 1;
	if (!ok)
		tls_fail("the certificate");
	else if (X509_check_private_key(leaf, key) != 1)
		ok = fail("the key is not the certificate's");
	SSL_CTX_free(c);
	return ok;
}

/* ---- what a certificate says ---- */

static enum key_kind kind_of(const X509 *leaf)
{
	switch (EVP_PKEY_get_base_id(X509_get0_pubkey(leaf))) {
	case EVP_PKEY_EC:
		return KEY_ECDSA;
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return KEY_RSA;
	default:
		return KEY_OTHER;
	}
}

static void add_name(const GENERAL_NAME *g, struct arena *arena,
		     struct tls_said *to)
{
	char name[SERVED_NAME_BYTES];
	const ASN1_STRING *text;
	struct str given;

	if (g->type != GEN_DNS)
		return;
	text = g->d.dNSName;
	given = (struct str){ (const char *)ASN1_STRING_get0_data(text),
			      (size_t)ASN1_STRING_length(text) };
	if (served_name(given, name))
		to->names[to->n_names++] = arena_str(arena, str_of(name));
}

/* Names that are none lead nobody here (served.h); a certificate of none is
 * still one. */
void tls_learn(const X509 *leaf, struct arena *arena, struct tls_said *out)
{
	GENERAL_NAMES *all =
		X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	int n = all ? sk_GENERAL_NAME_num(all) : 0;

	*out = (struct tls_said){
		.names = arena_array(arena, struct str, (size_t)n),
		.key = kind_of(leaf),
		.ends_ms = tls_ends_ms(leaf),
	};
	for (int i = 0; i < n; i++)
		add_name(sk_GENERAL_NAME_value(all, i), arena, out);
	GENERAL_NAMES_free(all);
}

static void learn_print(const X509 *leaf, struct tls_said *to)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	check(X509_digest(leaf, EVP_sha256(), md, &n) == 1 &&
	      n >= sizeof(to->print) / 2);
	for (size_t i = 0; i + 1 < sizeof(to->print); i += 2)
		snprintf(to->print + i, 3, "%02x", md[i / 2]);
}

/* ---- both together ---- */

struct parts {
	X509 *leaf;
	EVP_PKEY *key;
};

static void parts_free(struct parts *p)
{
	X509_free(p->leaf);
	EVP_PKEY_free(p->key);
	ERR_clear_error();
}

static bool parts_read(const struct tls_texts *t, struct parts *out)
{
	ERR_clear_error();
	*out = (struct parts){ .leaf = read_leaf(t->chain) };
	if (!out->leaf)
		return add_cause("%s", t->chain_path);
	out->key = read_key(t->key);
	if (!out->key)
		return add_cause("%s", t->key_path);
	return is_usable(out->leaf, out->key) ||
	       add_cause("%s and %s", t->chain_path, t->key_path);
}

bool tls_pair_check(const struct tls_texts *texts, int64_t *ends_ms)
{
	struct parts parts scoped(parts);
	bool ok = parts_read(texts, &parts);

	if (ok)
		*ends_ms = tls_ends_ms(parts.leaf);
	return ok;
}

/* What else stands in the files, a key among the certificates, is left out. */
static void write_pair(struct str chain, EVP_PKEY *key, struct buf *to)
{
	BIO *from = open_text(chain), *out = BIO_new(BIO_s_mem());
	X509 *x;
	char *p;
	long n;

	check(out);
	while ((x = PEM_read_bio_X509(from, NULL, NULL, NULL))) {
		check(PEM_write_bio_X509(out, x) == 1);
		X509_free(x);
	}
	check(PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL,
					    NULL) == 1);
	n = BIO_get_mem_data(out, &p);
	buf_add(to, (struct str){ p, (size_t)n });
	BIO_free(from);
	BIO_free(out);
}

bool tls_pair_read(const struct tls_texts *texts, struct arena *arena,
		   struct tls_said *said, struct buf *pair)
{
	struct parts parts scoped(parts);

	if (!parts_read(texts, &parts))
		return false;
	tls_learn(parts.leaf, arena, said);
	learn_print(parts.leaf, said);
	write_pair(texts->chain, parts.key, pair);
	return true;
}

bool tls_pair_next(struct str *pairs, struct str *head)
{
	struct str end = S("-----END PRIVATE KEY-----\n");
	ptrdiff_t at = str_search(*pairs, end);
	size_t n = (size_t)at + end.n;

	if (at < 0)
		return false;
	*head = str_part(*pairs, 0, n);
	*pairs = str_from(*pairs, n);
	return true;
}
