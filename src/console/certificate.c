/*
 * The certificates (certificate.h).
 *
 * A handshake may still use a pair that was replaced, and nobody says when it has
 * ended: a pair that was ever served stays until the end.  What has not changed is
 * not read again, so each renewal leaves one pair behind, not as many as there are.
 */
#include "console/certificate.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "rt/clock.h"
#include "rt/stamp.h"
#include "rt/tls.h"

enum { CHAIN = 16 };

struct pair {
	struct arena *arena;
	struct str text; /* PEM, both */
	struct tls_said said;
	gnutls_pcert_st chain[CHAIN];
	unsigned n;
	gnutls_privkey_t key;
	UT_hash_handle hh;
};

struct certificates {
	struct arena *arena;
	struct pair *first, **named;
	struct served *served; /* likewise sorted */
	size_t n;
};

struct seen {
	struct stamp certificate, pairs;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct certificates *now_served; /* changed under the lock */
static struct pair *pairs;              /* all there ever were, by their text */
static struct seen seen;

static void pair_free(struct pair *p)
{
	for (unsigned i = 0; i < p->n; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	gnutls_privkey_deinit(p->key);
	arena_close(p->arena);
	free(p);
}

static void certificates_free(struct certificates *c)
{
	if (c)
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

static bool read_names(struct pair *p, const char *path)
{
	struct buf again scoped(buf) = BUF_EMPTY;

	return tls_pair_read(
		&(struct tls_texts){ p->text, p->text, path, path }, p->arena,
		&p->said, &again);
}

/* NULL: cause(). */
static struct pair *pair_of(struct str text, const char *path)
{
	gnutls_datum_t pem = { (unsigned char *)text.p, (unsigned)text.n };
	struct pair *p;

	HASH_FIND(hh, pairs, text.p, text.n, p);
	if (p)
		return p;
	p = must_alloc(sizeof(*p));
	*p = (struct pair){ .arena = arena_open() };
	p->text = arena_str(p->arena, text);
	if (!read_key(p, &pem, path) || !read_chain(p, &pem, path) ||
	    !read_names(p, path)) {
		pair_free(p);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, pairs, p->text.p, p->text.n, p);
	return p;
}

static bool read_first(struct certificates *c, const char *path)
{
	gnutls_datum_t file = { NULL, 0 };

	if (!good(gnutls_load_file(path, &file), path))
		return false;
	c->first = pair_of((struct str){ (const char *)file.data, file.size },
			   path);
	gnutls_free(file.data);
	return c->first;
}

static bool add_named(struct certificates *c, struct str text, const char *path)
{
	struct pair *p = pair_of(text, path);

	if (!p)
		return false;
	c->named[c->n] = p;
	c->served[c->n++] = (struct served){ p->said.names, p->said.n_names,
					     p->said.key, p->said.ends_ms };
	return true;
}

static bool read_named(struct certificates *c, const char *path)
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
	c->named = arena_array(c->arena, struct pair *, n);
	c->served = arena_array(c->arena, struct served, n);
	rest = (struct str){ (const char *)file.data, file.size };
	while (ok && tls_pair_next(&rest, &one))
		ok = add_named(c, one, path);
	gnutls_free(file.data);
	return ok;
}

bool certificate_load(const struct certificate_files *f)
{
	struct seen now = { stamp_of(f->certificate), stamp_of(f->pairs) };
	struct certificates *c, *old;

	if (now_served && stamp_same(&now.certificate, &seen.certificate) &&
	    stamp_same(&now.pairs, &seen.pairs))
		return true;
	c = must_alloc(sizeof(*c));
	*c = (struct certificates){ .arena = arena_open() };
	if (!read_first(c, f->certificate) || !read_named(c, f->pairs)) {
		certificates_free(c);
		return false;
	}
	seen = now;
	pthread_mutex_lock(&lock);
	old = now_served;
	now_served = c;
	pthread_mutex_unlock(&lock);
	certificates_free(old);
	return true;
}

void certificate_free(void)
{
	struct pair *p, *next;

	certificates_free(now_served);
	now_served = NULL;
	HASH_ITER (hh, pairs, p, next) {
		HASH_DEL(pairs, p);
		pair_free(p);
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

static bool is_of(gnutls_pk_algorithm_t pk, enum key_kind kind)
{
	switch (kind) {
	case KEY_ECDSA:
		return pk == GNUTLS_PK_ECDSA;
	case KEY_RSA:
		return pk == GNUTLS_PK_RSA || pk == GNUTLS_PK_RSA_PSS;
	case KEY_OTHER:
	case KEY_KINDS:
		break;
	}
	return true;
}

static bool can_check(gnutls_session_t session, enum key_kind kind)
{
	gnutls_sign_algorithm_t sign;

	for (size_t i = 0;
	     gnutls_sign_algorithm_get_requested(session, i, &sign) >= 0; i++)
		if (is_of(gnutls_sign_get_pk_algorithm(sign), kind))
			return true;
	return false;
}

/* Of several kinds the first that the client can check. */
static struct pair *choose(const struct certificates *c,
			   gnutls_session_t session)
{
	char text[SERVED_NAME_BYTES + 2];
	int found[KEY_KINDS];
	struct pair *last = c->first;

	if (!served_choose(c->served, c->n, name_asked(session, text),
			   wall_ms(), found))
		return last;
	for (int k = 0; k < KEY_KINDS; k++) {
		if (found[k] < 0)
			continue;
		last = c->named[found[k]];
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
	struct pair *p;

	(void)authorities, (void)n, (void)algorithms, (void)n_algorithms;
	pthread_mutex_lock(&lock);
	p = choose(now_served, session);
	pthread_mutex_unlock(&lock);
	*chain = p->chain;
	*chain_n = p->n;
	*key = p->key;
	return 0;
}
