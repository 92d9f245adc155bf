/*
 * The certificates (certificate.h).
 *
 * A handshake may still use some that were replaced, so old ones stay until the
 * end; a certificate is renewed a few times a year.
 */
#include "console/certificate.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "rt/clock.h"
#include "rt/tls.h"

enum { CHAIN = 16 };

struct pair {
	gnutls_pcert_st chain[CHAIN];
	unsigned n;
	gnutls_privkey_t key;
};

struct certificates {
	struct certificates *older;
	struct arena *arena;
	struct pair first, *named;
	struct served *served; /* likewise sorted */
	size_t n;
};

struct seen {
	struct timespec certificate, key, pairs;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct certificates *newest;
static struct seen seen;

static void pair_drop(struct pair *p)
{
	for (unsigned i = 0; i < p->n; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	gnutls_privkey_deinit(p->key);
}

static void drop(struct certificates *c)
{
	pair_drop(&c->first);
	for (size_t i = 0; i < c->n; i++)
		pair_drop(&c->named[i]);
	arena_close(c->arena);
	free(c);
}

/* ---- reading ---- */

static bool good(int code, const char *path)
{
	return code >= 0 || fail("%s: %s", path, gnutls_strerror(code));
}

static bool read_chain(struct pair *p, const gnutls_datum_t *pem,
		       const char *path)
{
	unsigned n = CHAIN;
	bool ok = good(gnutls_pcert_list_import_x509_raw(
			       p->chain, &n, pem, GNUTLS_X509_FMT_PEM, 0),
		       path);

	if (ok)
		p->n = n;
	return ok;
}

static bool read_key(struct pair *p, const gnutls_datum_t *pem,
		     const char *path)
{
	check(gnutls_privkey_init(&p->key) == 0);
	return good(gnutls_privkey_import_x509_raw(
			    p->key, pem, GNUTLS_X509_FMT_PEM, NULL, 0),
		    path);
}

static bool read_first(struct pair *p, const struct certificate_files *f)
{
	gnutls_datum_t chain = { NULL, 0 }, key = { NULL, 0 };
	bool ok = good(gnutls_load_file(f->certificate, &chain),
		       f->certificate) &&
		  good(gnutls_load_file(f->key, &key), f->key) &&
		  read_chain(p, &chain, f->certificate) &&
		  read_key(p, &key, f->key);

	gnutls_free(chain.data);
	gnutls_free(key.data);
	return ok;
}

static bool read_named(struct certificates *c, struct str text,
		       const char *path)
{
	gnutls_datum_t pem = { (unsigned char *)text.p, (unsigned)text.n };
	struct pair *p = &c->named[c->n];
	struct tls_said said;
	struct buf again scoped(buf) = BUF_EMPTY;

	c->n++;
	if (!read_key(p, &pem, path) || !read_chain(p, &pem, path) ||
	    !tls_pair_read(&(struct tls_texts){ text, text, path, path },
			   c->arena, &said, &again))
		return false;
	c->served[c->n - 1] = (struct served){ said.names, said.n_names,
					       said.key, said.ends_ms };
	return true;
}

static bool read_all_named(struct certificates *c, const char *path)
{
	gnutls_datum_t file = { NULL, 0 };
	struct str rest, one;
	size_t n = 0;
	bool ok = true;

	if (gnutls_load_file(path, &file) < 0)
		return true; /* it need not be there */
	rest = (struct str){ (const char *)file.data, file.size };
	while (tls_pair_next(&rest, &one))
		n++;
	c->named = arena_array(c->arena, struct pair, n);
	c->served = arena_array(c->arena, struct served, n);
	rest = (struct str){ (const char *)file.data, file.size };
	while (ok && tls_pair_next(&rest, &one))
		ok = read_named(c, one, path);
	gnutls_free(file.data);
	return ok;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static struct timespec time_of(const char *path)
{
	struct stat s;

	return stat(path, &s) == 0 ? s.st_ctim : (struct timespec){ 0, 0 };
}

bool certificate_load(const struct certificate_files *f)
{
	struct seen now = { time_of(f->certificate), time_of(f->key),
			    time_of(f->pairs) };
	struct certificates *c;

	if (newest && same_time(now.certificate, seen.certificate) &&
	    same_time(now.key, seen.key) && same_time(now.pairs, seen.pairs))
		return true;
	c = must_alloc(sizeof(*c));
	*c = (struct certificates){ .arena = arena_open() };
	if (!read_first(&c->first, f) || !read_all_named(c, f->pairs)) {
		drop(c);
		return false;
	}
	seen = now;
	pthread_mutex_lock(&lock);
	c->older = newest;
	newest = c;
	pthread_mutex_unlock(&lock);
	return true;
}

void certificate_free(void)
{
	while (newest) {
		struct certificates *c = newest;

		newest = c->older;
		drop(c);
	}
}

/* ---- in a handshake ---- */

/* Which host the client names; empty: none, or none that can be one. */
static struct str name_asked(gnutls_session_t session,
			     char to[SERVED_NAME_BYTES + 2])
{
	size_t n = SERVED_NAME_BYTES + 2;
	unsigned type = 0;

	if (gnutls_server_name_get(session, to, &n, &type, 0) < 0 ||
	    type != GNUTLS_NAME_DNS)
		return STR_NONE;
	return str_of(to);
}

static bool can_check(gnutls_session_t session, enum key_kind kind)
{
	gnutls_sign_algorithm_t sign;
	gnutls_pk_algorithm_t pk;

	for (size_t i = 0;
	     gnutls_sign_algorithm_get_requested(session, i, &sign) >= 0; i++) {
		pk = gnutls_sign_get_pk_algorithm(sign);
		if (kind == KEY_ECDSA ? pk == GNUTLS_PK_ECDSA
		    : kind == KEY_RSA
			    ? pk == GNUTLS_PK_RSA || pk == GNUTLS_PK_RSA_PSS
			    : true)
			return true;
	}
	return false;
}

/* Of several kinds the first that the client can check. */
static struct pair *choose(struct certificates *c, gnutls_session_t session)
{
	char text[SERVED_NAME_BYTES + 2];
	int found[KEY_KINDS];
	struct pair *last = &c->first;

	if (!served_choose(c->served, c->n, name_asked(session, text),
			   wall_ms(), found))
		return last;
	for (int k = 0; k < KEY_KINDS; k++) {
		if (found[k] < 0)
			continue;
		last = &c->named[found[k]];
		if (can_check(session, (enum key_kind)k))
			return last;
	}
	return last;
}

int certificate_give(gnutls_session_t session,
		     const gnutls_datum_t *authorities, int n,
		     const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
		     gnutls_pcert_st **chain, unsigned *chain_n,
		     gnutls_privkey_t *key)
{
	struct certificates *c;
	struct pair *p;

	(void)authorities, (void)n, (void)algorithms, (void)n_algorithms;
	pthread_mutex_lock(&lock);
	c = newest;
	pthread_mutex_unlock(&lock);
	p = choose(c, session);
	*chain = p->chain;
	*chain_n = p->n;
	*key = p->key;
	return 0;
}
