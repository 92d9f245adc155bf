/*
 * TLS contexts: certificates and policies; streams do the talking.
 *
 * A server context reloads its files when they have changed and swaps the new
 * one in for the connections that come after; a file that cannot be read
 * leaves the old one in force and returns the reason.
 * TLS 1.2 and newer.  No stream callback ever parks inside OpenSSL.
 *
 * A server may have more certificates, each for the names in it: a client that
 * names one of these (SNI) is shown that (base/served.h), everybody else the
 * first.
 */
#ifndef RT_TLS_H
#define RT_TLS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/served.h"
#include "base/tlsa.h"

struct tls_context;

/* PEM files: the chain, leaf first, and its key.  NULL: cause(). */
struct tls_context *tls_server(const char *certificate, const char *key);
/* The same, with a file of pairs for those who name a host: what
 * tls_pair_read() made, one after the other.  It need not be there. */
struct tls_context *tls_server_named(const char *certificate, const char *key,
				     const char *pairs);
/* Read the files again if they changed; false: the old ones stay, cause(). */
bool tls_server_reload(struct tls_context *t) must_check;

/* When the certificate in force ends, as wall clock. */
int64_t tls_server_ends_ms(struct tls_context *t);

/* ---- pairs: a chain and its key, before anybody serves them ---- */

struct tls_texts { /* PEM, and whence: for cause() */
	struct str chain, key;
	const char *chain_path, *key_path;
};

/* What a certificate says of itself. */
struct tls_said {
	struct str *names; /* of hosts, those of subjectAltName (RFC 5280
			      4.2.1.6); "*.example.org" may be one */
	size_t n_names;
	enum key_kind key;
	int64_t ends_ms; /* wall clock */
	char print[33];  /* tls_pair_read()'s: no two have the same */
};

/* Of the certificate in force, in ARENA. */
void tls_server_said(struct tls_context *t, struct arena *arena,
		     struct tls_said *out);

/* Can this be served?  *ENDS_MS: when the first certificate ends. */
bool tls_pair_check(const struct tls_texts *texts, int64_t *ends_ms) must_check;
/* The same, and all the first certificate says, in ARENA; both as one text is
 * added to PAIR, the key last. */
bool tls_pair_read(const struct tls_texts *texts, struct arena *arena,
		   struct tls_said *said, struct buf *pair) must_check;
/* The first of such texts that stand one after the other; false: there is none
 * left. */
bool tls_pair_next(struct str *pairs, struct str *head);

enum tls_verify {
	TLS_ANY,      /* encrypt, whoever it is (RFC 7435) */
	TLS_NOTED,    /* the same; stream_tls_verified() says whether
				   TLS_VERIFIED would have gone well */
	TLS_VERIFIED, /* chain to the system's roots, name matches */
	TLS_DANE,     /* as stream_tls_connect_dane() is told of each */
};

/* What DNSSEC says of one server. */
struct tls_dane {
	const char *host;   /* its name, which it is told by SNI */
	const char *domain; /* what is as good in a certificate that an issuer
	                       of RECORDS signed; or NULL */
	const struct tlsa *records; /* usable ones */
	size_t n;
};

/* Sessions are resumed per peer name; with TLS_DANE none is. */
struct tls_context *tls_client(enum tls_verify verify, const char *extra_ca);
/* Read the roots again if their files changed: whom they no longer name is not
 * believed any more.  Blocks; false: the old ones stay, cause(). */
bool tls_client_reload(struct tls_context *t) must_check;
/* After the streams that use it. */
void tls_close(struct tls_context *t);

/* Write a self-signed certificate and key for NAME, valid 10 years; the key
 * readable by its owner only.  Old files stay unless both can be written. */
bool tls_self_signed(const char *name, const char *certificate,
		     const char *key) must_check;

#endif
