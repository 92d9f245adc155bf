/*
 * TLS contexts: certificates and policies; streams do the talking.
 *
 * A server context reloads its files when they have changed and swaps the new
 * one in for the connections that come after; a file that cannot be read
 * leaves the old one in force and returns the reason.
 * TLS 1.2 and newer.  No stream callback ever parks inside OpenSSL.
 */
#ifndef RT_TLS_H
#define RT_TLS_H

#include "base/fail.h"
#include "base/str.h"

struct tls_context;

/* PEM files: the chain, leaf first, and its key.  NULL: cause(). */
struct tls_context *tls_server(const char *certificate, const char *key);
/* Read the files again if they changed; false: the old ones stay, cause(). */
bool tls_server_reload(struct tls_context *t) must_check;

/* When the certificate in force ends, as wall clock. */
int64_t tls_server_ends_ms(struct tls_context *t);

/* Are these the texts of a chain and its key that can be served?  The names of
 * their files go into cause(); *ENDS_MS: when the first certificate ends. */
bool tls_pair_check(const char *certificate, struct str chain, const char *key,
		    struct str key_text, int64_t *ends_ms) must_check;

enum tls_verify {
	TLS_ANY,      /* encrypt, whoever it is (RFC 7435) */
	TLS_NOTED,    /* the same; stream_tls_verified() says whether
				   TLS_VERIFIED would have gone well */
	TLS_VERIFIED, /* chain to the system's roots, name matches */
};

/* Sessions are resumed per peer name. */
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
