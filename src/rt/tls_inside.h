/*
 * TLS from inside rt: OpenSSL's part, which both implementations share, and
 * what each of them gives it.
 */
#ifndef RT_TLS_INSIDE_H
#define RT_TLS_INSIDE_H

#include "rt/stream_inside.h"
#include "rt/tls.h"

/* "WHAT: the reason OpenSSL gives"; always false. */
bool tls_fail(const char *what);

/* ---- a connection (stream_tls.c) ---- */

enum tls_result {
	TLS_OK,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_END,    /* close_notify, or the connection is gone */
	TLS_BROKEN, /* cause() says why */
};

enum tls_result tls_read(struct stream *s, char *to, size_t room, size_t *got);
enum tls_result tls_write(struct stream *s, const char *p, size_t n,
			  size_t *put);
bool tls_holds_bytes(const struct stream *s);
/* May say close_notify; never waits. */
void tls_farewell(struct stream *s);
void tls_forget(struct stream *s);

/* ---- contexts (tls.c) ---- */

/* A new SSL of the context's present certificate; NULL: cause(). */
SSL *tls_begin(struct tls_context *t);
/* Resume what NAME gave last time; what it gives now is kept. */
bool tls_begin_client(struct tls_context *t, SSL *ssl, const char *name);

/* Whom SSL, of a context of TLS_DANE, has to meet (tls_dane.c). */
bool tls_begin_dane(SSL *ssl, const struct tls_dane *dane);

/* ---- certificates (certificate_pair.c) ---- */

int64_t tls_ends_ms(const X509 *leaf);
/* All but the print. */
void tls_learn(const X509 *leaf, struct arena *arena, struct tls_said *out);

/* ---- certificates by name (tls_named.c) ---- */

/* PAIRS is text; C, and what is made of it, keeps all it needs. */
bool tls_named_use(SSL_CTX *c, struct str pairs) must_check;

/* ---- of each implementation: stream.c ---- */

/* What SSL says goes over the connection from now on. */
bool stream_carry(struct stream *s, SSL *ssl);

/* ---- of each implementation: tls_files.c ---- */

/* What tells whether a file was changed. */
struct tls_stamp {
	int64_t changed_ns;
	uint64_t number; /* 0: it is not there */
	uint64_t bytes;
};

bool tls_stamp_of(const char *path, struct tls_stamp *out);
/* The system's roots are a file and a folder. */
void tls_stamp_roots(struct tls_stamp to[2]);
bool tls_load_pair(SSL_CTX *c, const char *certificate, const char *key);
/* All of a file; false: cause(), FAIL_ABSENT if it is not there. */
bool tls_read_text(const char *path, struct buf *to);
/* The system's, and EXTRA_CA if it is not NULL. */
bool tls_load_roots(SSL_CTX *c, const char *extra_ca);
/* Both or none, and the key is its owner's. */
bool tls_write_pair(const char *certificate, struct str chain, const char *key,
		    struct str key_text);

#endif
