/*
 * The certificate (certificate.h).
 *
 * A handshake may still use one that was replaced, so old ones stay until the
 * end; a certificate is renewed a few times a year.
 */
#include "console/certificate.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { CHAIN = 16 };

struct certificate {
	struct certificate *older;
	gnutls_pcert_st chain[CHAIN];
	unsigned n;
	gnutls_privkey_t key;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct certificate *newest;
static struct timespec certificate_seen, key_seen;

static void drop(struct certificate *c)
{
	for (unsigned i = 0; i < c->n; i++)
		gnutls_pcert_deinit(&c->chain[i]);
	gnutls_privkey_deinit(c->key);
	free(c);
}

static bool good(int code, const char *path)
{
	return code >= 0 || fail("%s: %s", path, gnutls_strerror(code));
}

static bool read_chain(struct certificate *c, const char *path)
{
	gnutls_datum_t pem = { NULL, 0 };
	unsigned n = CHAIN;
	bool ok = good(gnutls_load_file(path, &pem), path) &&
		  good(gnutls_pcert_list_import_x509_raw(
			       c->chain, &n, &pem, GNUTLS_X509_FMT_PEM, 0),
		       path);

	if (ok)
		c->n = n;
	gnutls_free(pem.data);
	return ok;
}

static bool read_key(struct certificate *c, const char *path)
{
	gnutls_datum_t pem = { NULL, 0 };
	bool ok = good(gnutls_load_file(path, &pem), path) &&
		  good(gnutls_privkey_import_x509_raw(
			       c->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0),
		       path);

	gnutls_free(pem.data);
	return ok;
}

static bool is_new(const char *path, const struct timespec *seen,
		   struct timespec *now)
{
	struct stat s;

	*now = *seen;
	if (stat(path, &s) != 0)
		return true; /* reading it will say why */
	*now = s.st_ctim;
	return now->tv_sec != seen->tv_sec || now->tv_nsec != seen->tv_nsec;
}

bool certificate_load(const char *certificate, const char *key)
{
	struct timespec certificate_now, key_now;
	bool new_certificate =
		is_new(certificate, &certificate_seen, &certificate_now);
	bool new_key = is_new(key, &key_seen, &key_now);
	struct certificate *c;

	if (!new_certificate && !new_key)
		return true;
	c = calloc(1, sizeof(*c));
	check(c && gnutls_privkey_init(&c->key) == 0);
	if (!read_chain(c, certificate) || !read_key(c, key)) {
		drop(c);
		return false;
	}
	certificate_seen = certificate_now;
	key_seen = key_now;
	pthread_mutex_lock(&lock);
	c->older = newest;
	newest = c;
	pthread_mutex_unlock(&lock);
	return true;
}

void certificate_free(void)
{
	while (newest) {
		struct certificate *c = newest;

		newest = c->older;
		drop(c);
	}
}

int certificate_give(gnutls_session_t session,
		     const gnutls_datum_t *authorities, int n,
		     const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
		     gnutls_pcert_st **chain, unsigned *chain_n,
		     gnutls_privkey_t *key)
{
	struct certificate *c;

	(void)session, (void)authorities, (void)n, (void)algorithms;
	(void)n_algorithms;
	pthread_mutex_lock(&lock);
	c = newest;
	pthread_mutex_unlock(&lock);
	*chain = c->chain;
	*chain_n = c->n;
	*key = c->key;
	return 0;
}
