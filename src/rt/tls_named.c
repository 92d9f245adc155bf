/*
 * A server's certificates by the name a client asks for (RFC 6066 section 3).
 *
 * They belong to their SSL_CTX: a handshake that is under way when there are
 * new ones goes on with those it began with.  A session that is resumed asks
 * for none.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "rt/clock.h"
#include "rt/tls_inside.h"

struct pair {
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * above; /* the chain without the leaf */
};

struct named {
	struct arena *arena;
	struct pair *pairs;
	struct served *served; /* likewise sorted */
	size_t n;
};

static void named_free(struct named *all)
{
	for (size_t i = 0; i < all->n; i++) {
		X509_free(all->pairs[i].leaf);
		EVP_PKEY_free(all->pairs[i].key);
		sk_X509_pop_free(all->pairs[i].above, X509_free);
	}
	arena_close(all->arena);
	free(all);
}

static bool pair_read(struct str text, struct pair *out)
{
	BIO *b = BIO_new_mem_buf(text.p, (int)text.n);
	X509 *x;

	check(b);
	*out = (struct pair){
		.leaf = PEM_read_bio_X509(b, NULL, NULL, NULL),
		.above = sk_X509_new_null(),
	};
	check(out->above);
	while (out->leaf && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		check(sk_X509_push(out->above, x) > 0);
	BIO_free(b);
	b = BIO_new_mem_buf(text.p, (int)text.n);
	check(b);
	out->key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	return (out->leaf && out->key) || tls_fail("a pair in it");
}

static bool add_pair(struct named *to, struct str text)
{
	struct pair *p = &to->pairs[to->n];
	struct served *s = &to->served[to->n];
	bool ok = pair_read(text, p);
	struct tls_said said;

	to->n++;
	if (!ok)
		return false;
	tls_learn(p->leaf, to->arena, &said);
	*s = (struct served){ said.names, said.n_names, said.key,
			      said.ends_ms };
	return true;
}

static struct named *named_read(struct str pairs)
{
	struct named *all = must_alloc(sizeof(*all));
	struct str rest = pairs, one;
	size_t n = 0;
	bool ok = true;

	*all = (struct named){ .arena = arena_open() };
	while (tls_pair_next(&rest, &one))
		n++;
	all->pairs = arena_array(all->arena, struct pair, n);
	all->served = arena_array(all->arena, struct served, n);
	for (rest = pairs; ok && tls_pair_next(&rest, &one);)
		ok = add_pair(all, one);
	ERR_clear_error(); /* that no more comes is no trouble */
	if (ok)
		return all;
	named_free(all);
	return NULL;
}

/* ---- in a handshake ---- */

static int show(SSL *ssl, const struct pair *p)
{
	return SSL_use_cert_and_key(ssl, p->leaf, p->key, p->above, 1);
}

/* OpenSSL takes of several kinds the one that the client can check. */
static int on_certificate(SSL *ssl, void *arg)
{
	const struct named *all = arg;
	const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	int found[KEY_KINDS], ok = 1;

	if (!asked || !served_choose(all->served, all->n, str_of(asked),
				     wall_ms(), found))
		return 1; /* the first one */
	SSL_certs_clear(ssl);
	for (int k = 0; ok == 1 && k < KEY_KINDS; k++)
		if (found[k] >= 0)
			ok = show(ssl, &all->pairs[found[k]]);
	return ok;
}

/* ---- on a context ---- */

static void on_free(void *parent, void *ours, CRYPTO_EX_DATA *data, int index,
		    long unused, void *arg)
{
	(void)parent, (void)data, (void)index, (void)unused, (void)arg;
	if (ours)
		named_free(ours);
}

static int slot;

static void make_slot(void)
{
	slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free);
	check(slot >= 0);
}

bool tls_named_use(SSL_CTX *c, struct str pairs)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
	struct named *all = named_read(pairs);

	if (!all)
		return false;
	check(CRYPTO_THREAD_run_once(&once, make_slot) == 1);
	check(SSL_CTX_set_ex_data(c, slot, all) == 1);
	SSL_CTX_set_cert_cb(c, on_certificate, all);
	return true;
}
