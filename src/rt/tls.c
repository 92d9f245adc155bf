/*
 * TLS contexts on OpenSSL.
 *
 * A context is used by all loops: the lock guards which SSL_CTX is in force
 * and the table of client sessions; everything else OpenSSL counts itself.
 * Nothing here parks.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rt/tls_inside.h"

enum { SESSIONS = 1000 }; /* peers remembered; then from the start */

struct session {
	UT_hash_handle hh;
	SSL_SESSION *ssl;
	char name[];
};

struct tls_context {
	pthread_mutex_t lock;
	SSL_CTX *ssl;             /* under the lock */
	struct session *sessions; /* under the lock */
	char *certificate, *key;  /* a server's files */
	char *pairs;              /* likewise, may be NULL */
	char *extra_ca;           /* a client's, beside the system's; or NULL */
	struct tls_stamp stamps[3]; /* of these, or of the system's roots */
	enum tls_verify verify;
	bool server;
};

static SSL_CTX *ssl_new(const SSL_METHOD *method)
{
	SSL_CTX *c;

	ERR_clear_error();
	c = SSL_CTX_new(method);
	check(c);
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS |
				    SSL_MODE_ENABLE_PARTIAL_WRITE |
				    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(c, 1);
	return c;
}

static struct tls_context *context_new(void)
{
	struct tls_context *t = must_alloc(sizeof(*t));

	*t = (struct tls_context){ .ssl = NULL };
	check(pthread_mutex_init(&t->lock, NULL) == 0);
	return t;
}

static char *copy_of(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(must_alloc(n), text, n);
}

/* ---- servers ---- */

static bool stamp_same(const struct tls_stamp *a, const struct tls_stamp *b)
{
	return a->changed_ns == b->changed_ns && a->number == b->number &&
	       a->bytes == b->bytes;
}

/* It need not be there. */
static bool use_named(SSL_CTX *c, const char *path)
{
	struct buf pairs scoped(buf) = BUF_EMPTY;

	if (!path)
		return true;
	if (!tls_read_text(path, &pairs))
		return cause_kind() == FAIL_ABSENT;
	return tls_named_use(c, buf_str(&pairs)) || add_cause("%s", path);
}

/* Resumption by tickets only: nothing is kept here per client. */
static SSL_CTX *server_new(const struct tls_context *t)
{
	static const unsigned char id[] = "splitmail";
	SSL_CTX *c = ssl_new(TLS_server_method());

	SSL_CTX_set_session_id_context(c, id, sizeof(id) - 1);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(c, 1);
	if (tls_load_pair(c, t->certificate, t->key) && use_named(c, t->pairs))
		return c;
	SSL_CTX_free(c);
	return NULL;
}

struct tls_context *tls_server(const char *certificate, const char *key)
{
	return tls_server_named(certificate, key, NULL);
}

struct tls_context *tls_server_named(const char *certificate, const char *key,
				     const char *pairs)
{
	struct tls_context *t = context_new();

	t->server = true;
	t->certificate = copy_of(certificate);
	t->key = copy_of(key);
	t->pairs = pairs ? copy_of(pairs) : NULL;
	if (!tls_server_reload(t)) {
		tls_close(t);
		return NULL;
	}
	return t;
}

bool tls_server_reload(struct tls_context *t)
{
	struct tls_stamp now[3] = { 0 };
	SSL_CTX *old, *new;

	check(t->server);
	if (!tls_stamp_of(t->certificate, &now[0]) ||
	    !tls_stamp_of(t->key, &now[1]))
		return false;
	if (t->pairs && !tls_stamp_of(t->pairs, &now[2]))
		now[2] = (struct tls_stamp){ .number = 0 };
	if (t->ssl && stamp_same(&now[0], &t->stamps[0]) &&
	    stamp_same(&now[1], &t->stamps[1]) &&
	    stamp_same(&now[2], &t->stamps[2]))
		return true;
	new = server_new(t);
	if (!new)
		return false;
	memcpy(t->stamps, now, sizeof(now));
	pthread_mutex_lock(&t->lock);
	old = t->ssl;
	t->ssl = new;
	pthread_mutex_unlock(&t->lock);
	SSL_CTX_free(old); /* connections that use it keep it alive */
	return true;
}

int64_t tls_server_ends_ms(struct tls_context *t)
{
	int64_t ends_ms;

	check(t->server);
	pthread_mutex_lock(&t->lock);
	ends_ms = tls_ends_ms(SSL_CTX_get0_certificate(t->ssl));
	pthread_mutex_unlock(&t->lock);
	return ends_ms;
}

void tls_server_said(struct tls_context *t, struct arena *arena,
		     struct tls_said *out)
{
	check(t->server);
	pthread_mutex_lock(&t->lock);
	tls_learn(SSL_CTX_get0_certificate(t->ssl), arena, out);
	pthread_mutex_unlock(&t->lock);
}

/* ---- clients and their sessions ---- */

static void sessions_forget(struct tls_context *t)
{
	struct session *s, *next;

	HASH_ITER (hh, t->sessions, s, next) {
		HASH_DEL(t->sessions, s);
		SSL_SESSION_free(s->ssl);
		free(s);
	}
}

static struct session *session_of(struct tls_context *t, const char *name)
{
	struct session *s;
	size_t n = strlen(name);

	HASH_FIND(hh, t->sessions, name, n, s);
	if (s)
		return s;
	if (HASH_COUNT(t->sessions) >= SESSIONS)
		sessions_forget(t);
	s = must_alloc(sizeof(*s) + n + 1);
	memset(s, 0, sizeof(*s));
	memcpy(s->name, name, n + 1);
	HASH_ADD(hh, t->sessions, name[0], n, s);
	return s;
}

/* OpenSSL has got a session or ticket; 1: we keep the reference. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_context *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const char *name = SSL_get_app_data(ssl);
	struct session *s;

	if (!name)
		return 0;
	pthread_mutex_lock(&t->lock);
	s = session_of(t, name);
	SSL_SESSION_free(s->ssl);
	s->ssl = session;
	pthread_mutex_unlock(&t->lock);
	return 1;
}

/* Any encryption is better than none where nobody is verified. */
static bool client_policy(SSL_CTX *c, enum tls_verify verify,
			  const char *extra_ca)
{
	switch (verify) {
	case TLS_ANY:
		SSL_CTX_set_security_level(c, 0);
		return true;
	case TLS_NOTED:
		SSL_CTX_set_security_level(c, 0);
		break;
	case TLS_VERIFIED:
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
		break;
	case TLS_DANE:
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
		return SSL_CTX_dane_enable(c) == 1 || tls_fail("DANE");
	}
	return tls_load_roots(c, extra_ca);
}

static SSL_CTX *client_new(struct tls_context *t)
{
	SSL_CTX *c = ssl_new(TLS_client_method());

	SSL_CTX_set_app_data(c, t);
	SSL_CTX_set_session_cache_mode(
		c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c, on_session);
	if (client_policy(c, t->verify, t->extra_ca))
		return c;
	SSL_CTX_free(c);
	return NULL;
}

struct tls_context *tls_client(enum tls_verify verify, const char *extra_ca)
{
	struct tls_context *t = context_new();

	t->verify = verify;
	t->extra_ca = extra_ca ? copy_of(extra_ca) : NULL;
	tls_stamp_roots(t->stamps);
	t->ssl = client_new(t);
	if (t->ssl)
		return t;
	tls_close(t);
	return NULL;
}

static bool has_roots(const struct tls_context *t)
{
	return t->verify == TLS_NOTED || t->verify == TLS_VERIFIED;
}

/* Sessions go, too: they were begun with the old roots. */
bool tls_client_reload(struct tls_context *t)
{
	struct tls_stamp now[2];
	SSL_CTX *old, *new;

	check(!t->server);
	tls_stamp_roots(now);
	if (now[0].number == 0)
		now[0] = t->stamps[0]; /* it is being written anew */
	if (!has_roots(t) || (stamp_same(&now[0], &t->stamps[0]) &&
			      stamp_same(&now[1], &t->stamps[1])))
		return true;
	new = client_new(t);
	if (!new)
		return false;
	memcpy(t->stamps, now, sizeof(now));
	pthread_mutex_lock(&t->lock);
	old = t->ssl;
	t->ssl = new;
	sessions_forget(t);
	pthread_mutex_unlock(&t->lock);
	SSL_CTX_free(old); /* connections that use it keep it alive */
	return true;
}

void tls_close(struct tls_context *t)
{
	if (!t)
		return;
	sessions_forget(t);
	SSL_CTX_free(t->ssl);
	pthread_mutex_destroy(&t->lock);
	free(t->certificate);
	free(t->key);
	free(t->pairs);
	free(t->extra_ca);
	free(t);
}

/* ---- one connection ---- */

SSL *tls_begin(struct tls_context *t)
{
	SSL *ssl;

	ERR_clear_error();
	pthread_mutex_lock(&t->lock);
	ssl = SSL_new(t->ssl);
	pthread_mutex_unlock(&t->lock);
	if (!ssl)
		tls_fail("begin TLS");
	return ssl;
}

static bool expect_name(SSL *ssl, const char *name, bool is_ip)
{
	if (is_ip && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name))
		return true;
	if (!is_ip && SSL_set1_host(ssl, name) == 1)
		return true;
	return tls_fail("the peer's name");
}

bool tls_begin_client(struct tls_context *t, SSL *ssl, const char *name)
{
	struct inet ip;
	bool is_ip = inet_parse_ip(str_of(name), 0, &ip);
	struct session *s;

	check(!t->server);
	if (!is_ip && SSL_set_tlsext_host_name(ssl, name) != 1)
		return tls_fail("server name");
	if (t->verify != TLS_ANY && !expect_name(ssl, name, is_ip))
		return false;
	pthread_mutex_lock(&t->lock);
	HASH_FIND(hh, t->sessions, name, strlen(name), s);
	if (s)
		SSL_set_session(ssl, s->ssl);
	pthread_mutex_unlock(&t->lock);
	return true;
}
